package main

import (
	"errors"
	"slices"

	"umber/peers/internal/harness"
)

// Syntax trees of many types: each is built at random, evaluated, rewritten with its constants folded, and evaluated
// again.

const (
	astDepth      = 10
	variableCount = 8
	functionCount = 4
)

// variables is the environment an expression is evaluated in.
type variables [variableCount]uint64

type expression interface {
	evaluate(*variables) uint64
	rewrite() expression
	size() uint64
}

type (
	number   struct{ value uint64 }
	variable struct{ index int }
	negation struct{ operand expression }
	binary   struct {
		operator    int
		left, right expression
	}
	conditional struct{ test, then, otherwise expression }
	call        struct {
		function  int
		arguments []expression
	}
	let struct {
		variable    int
		value, body expression
	}
)

func buildExpression(random *harness.Random, depth int) expression {
	if depth == 0 || random.Below(8) == 0 {
		if random.Below(2) == 0 {
			return &number{uint64(random.Below(1000))}
		}
		return &variable{random.Below(variableCount)}
	}
	switch random.Below(6) {
	case 0:
		return &negation{buildExpression(random, depth-1)}
	case 1, 2:
		b := &binary{operator: random.Below(3)}
		b.left = buildExpression(random, depth-1)
		b.right = buildExpression(random, depth-1)
		return b
	case 3:
		c := &conditional{test: buildExpression(random, depth-1)}
		c.then = buildExpression(random, depth-1)
		c.otherwise = buildExpression(random, depth-1)
		return c
	case 4:
		c := &call{function: random.Below(functionCount)}
		c.arguments = make([]expression, 1+random.Below(3))
		for i := range c.arguments {
			c.arguments[i] = buildExpression(random, depth-1)
		}
		return c
	default:
		l := &let{variable: random.Below(variableCount)}
		l.value = buildExpression(random, depth-1)
		l.body = buildExpression(random, depth-1)
		return l
	}
}

func operate(operator int, left, right uint64) uint64 {
	switch operator {
	case 0:
		return left + right
	case 1:
		return left - right
	default:
		return left * right
	}
}

// applyFunction folds one more argument into the result of a function.
func applyFunction(function int, result, argument uint64) uint64 {
	switch function {
	case 0:
		return result + argument
	case 1:
		return result * argument
	case 2:
		return result ^ argument
	default:
		return max(result, argument)
	}
}

func (n *number) evaluate(*variables) uint64      { return n.value }
func (v *variable) evaluate(in *variables) uint64 { return in[v.index] }
func (n *negation) evaluate(in *variables) uint64 { return -n.operand.evaluate(in) }

func (b *binary) evaluate(in *variables) uint64 {
	left := b.left.evaluate(in)
	return operate(b.operator, left, b.right.evaluate(in))
}

func (c *conditional) evaluate(in *variables) uint64 {
	if c.test.evaluate(in)%2 == 1 {
		return c.then.evaluate(in)
	}
	return c.otherwise.evaluate(in)
}

func (c *call) evaluate(in *variables) uint64 {
	result := c.arguments[0].evaluate(in)
	for _, each := range c.arguments[1:] {
		result = applyFunction(c.function, result, each.evaluate(in))
	}
	return result
}

func (l *let) evaluate(in *variables) uint64 {
	value := l.value.evaluate(in)
	outer := in[l.variable]
	in[l.variable] = value
	result := l.body.evaluate(in)
	in[l.variable] = outer
	return result
}

func isNumber(e expression) bool {
	_, is := e.(*number)
	return is
}

func (n *number) rewrite() expression   { return &number{n.value} }
func (v *variable) rewrite() expression { return &variable{v.index} }

func (n *negation) rewrite() expression {
	operand := n.operand.rewrite()
	if known, is := operand.(*number); is {
		return &number{-known.value}
	}
	return &negation{operand}
}

func (b *binary) rewrite() expression {
	left, right := b.left.rewrite(), b.right.rewrite()
	if isNumber(left) && isNumber(right) {
		return &number{operate(b.operator, left.(*number).value, right.(*number).value)}
	}
	return &binary{b.operator, left, right}
}

func (c *conditional) rewrite() expression {
	test, then, otherwise := c.test.rewrite(), c.then.rewrite(), c.otherwise.rewrite()
	if known, is := test.(*number); is {
		if known.value%2 == 1 {
			return then
		}
		return otherwise
	}
	return &conditional{test, then, otherwise}
}

func (c *call) rewrite() expression {
	fresh := &call{c.function, make([]expression, len(c.arguments))}
	for i, each := range c.arguments {
		fresh.arguments[i] = each.rewrite()
	}
	if slices.ContainsFunc(fresh.arguments, func(e expression) bool { return !isNumber(e) }) {
		return fresh
	}
	return &number{fresh.evaluate(nil)}
}

func (l *let) rewrite() expression {
	value := l.value.rewrite()
	return &let{l.variable, value, l.body.rewrite()}
}

func (n *number) size() uint64      { return 1 }
func (v *variable) size() uint64    { return 1 }
func (n *negation) size() uint64    { return 1 + n.operand.size() }
func (b *binary) size() uint64      { return 1 + b.left.size() + b.right.size() }
func (c *conditional) size() uint64 { return 1 + c.test.size() + c.then.size() + c.otherwise.size() }
func (l *let) size() uint64         { return 1 + l.value.size() + l.body.size() }

func (c *call) size() uint64 {
	sum := uint64(1)
	for _, each := range c.arguments {
		sum += each.size()
	}
	return sum
}

func evaluateAfresh(e expression) uint64 {
	return e.evaluate(&variables{1, 2, 3, 4, 5, 6, 7, 8})
}

func rewriteOften(run *harness.Run, thread int) (h uint64, wrong int) {
	lane := run.Lane(false)
	slots := make([]expression, 1<<run.Depth)
	random := harness.Seeded(13, thread)
	for range run.Operations(3000, thread) {
		lane.Wait()
		built := buildExpression(random, astDepth)
		value := evaluateAfresh(built)
		folded := built.rewrite()
		if evaluateAfresh(folded) != value {
			wrong++
		}
		h = harness.Mix(harness.Mix(h, value), folded.size())
		slots[random.Below(len(slots))] = folded
		lane.Done()
	}
	lane.Keep(slots)
	return h, wrong
}

func syntaxTrees(run *harness.Run) error {
	run.Begin()
	wrong := make([]int, run.Threads)
	checksum := run.OnThreads(func(thread int) (h uint64) {
		h, wrong[thread] = rewriteOften(run, thread)
		return h
	})
	run.End()
	run.Check(checksum)
	if slices.Max(wrong) > 0 {
		return errors.New("a tree that was rewritten has another value")
	}
	return nil
}
