package main

import (
	"math"

	"umber/peers/internal/harness"
)

// GCBench (Ellis, Kovac, Boehm): trees made from the top down and from the bottom up, beside a long-lived tree and a
// long-lived array of numbers.

const (
	leastBenchDepth = 4
	numberCount     = 500000
)

type benchNode struct {
	left, right *benchNode
	i, j        int32
}

func benchTreeSize(depth int) int { return 2<<depth - 1 }

func topDown(depth int) *benchNode {
	top := &benchNode{}
	top.populate(depth)
	return top
}

func (n *benchNode) populate(depth int) {
	if depth == 0 {
		return
	}
	n.left = &benchNode{}
	n.right = &benchNode{}
	n.left.populate(depth - 1)
	n.right.populate(depth - 1)
}

func bottomUp(depth int) *benchNode {
	if depth == 0 {
		return &benchNode{}
	}
	return &benchNode{left: bottomUp(depth - 1), right: bottomUp(depth - 1)}
}

func (n *benchNode) count() uint64 {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func gcBenchOnce(run *harness.Run, lane *harness.Lane, h uint64) uint64 {
	lane.Skip()
	bottomUp(run.Depth)
	lane.Done()
	longLived := topDown(run.Depth - 2)
	lane.Done()
	numbers := make([]float64, numberCount)
	for i := 1; i < numberCount/2; i++ {
		numbers[i] = 1 / float64(i)
	}
	lane.Skip()
	for d := leastBenchDepth; d <= run.Depth-2; d += 2 {
		trees := run.Scaled(2 * benchTreeSize(run.Depth) / benchTreeSize(d))
		for range trees {
			topDown(d)
			lane.Done()
		}
		for range trees {
			bottomUp(d)
			lane.Done()
		}
	}
	return harness.Mix(harness.Mix(h, longLived.count()), math.Float64bits(numbers[1000]))
}

func gcBench(run *harness.Run) error {
	run.Begin()
	lane := run.Lane(false)
	var h uint64
	for range 3 {
		began := harness.Now()
		h = gcBenchOnce(run, lane, h)
		run.Repeated(harness.Now() - began)
	}
	run.End()
	run.Check(h)
	return nil
}
