package main

import "umber/peers/internal/harness"

// Binary trees (Boehm; the Computer Language Benchmarks Game): trees of many depths are made, counted and dropped
// beside one that lives.

type tree struct{ left, right *tree }

const leastTreeDepth = 4

func makeTree(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{makeTree(depth - 1), makeTree(depth - 1)}
}

func (t *tree) count() uint64 {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.count() + t.right.count()
}

func growForests(run *harness.Run) uint64 {
	lane := run.Lane(false)
	sum := makeTree(run.Depth + 1).count()
	lane.Done()
	longLived := makeTree(run.Depth)
	lane.Skip()
	for d := leastTreeDepth; d <= run.Depth; d += 4 {
		for range run.Scaled(1 << (run.Depth - d + leastTreeDepth)) {
			sum += makeTree(d).count()
			lane.Done()
		}
	}
	lane.Keep(longLived)
	return sum + longLived.count()
}

func binaryTrees(run *harness.Run) error {
	run.Begin()
	nodes := run.OnThreads(func(int) uint64 { return growForests(run) })
	run.End()
	run.Check(nodes)
	return nil
}
