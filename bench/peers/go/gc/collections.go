package main

import (
	"errors"
	"runtime"
	"runtime/debug"

	"umber/peers/internal/harness"
)

// What a whole collection costs: of a tree, in the order of allocation or at random, and of a list, where each object
// is found only when the one before has been read.

const collections = 5

func collectOften(run *harness.Run, objects int) {
	run.Begin()
	lane := run.Lane(false)
	for range collections {
		began := harness.Now()
		runtime.GC()
		run.Repeated(harness.Now() - began)
		lane.Done()
	}
	run.End()
	run.FigureOfRounds("collection", 1)
	run.Check(harness.Mix(0, uint64(objects)))
}

func fullCollection(run *harness.Run) error {
	debug.SetGCPercent(-1)
	tree := makeLiveTree(run.Depth, run.Random)
	collectOften(run, 2<<run.Depth-1)
	runtime.KeepAlive(tree)
	return nil
}

func linkedList(run *harness.Run) error {
	debug.SetGCPercent(-1)
	count := run.Scaled(4000000)
	list := makeLiveList(count)
	began := harness.Now()
	sum := 0
	for n := list; n != nil; n = n.left {
		sum += int(n.payload[0]) + 1
	}
	run.Figure("pointer_chase_ns", float64(harness.Now()-began)/float64(count))
	if sum != count {
		return errors.New("the list lost objects")
	}
	collectOften(run, count)
	runtime.KeepAlive(list)
	return nil
}
