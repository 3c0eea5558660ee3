package main

import (
	"runtime"
	"time"

	"umber/peers/internal/harness"
)

// A program that had much to hold and holds nothing any more: how much of that the system gets back, and how soon.

const betweenLooks = 5 * time.Millisecond

func (n *wideNode) count() uint64 {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func idleReturn(run *harness.Run) error {
	run.Begin()
	base := harness.Resident()
	above := func() int64 { return max(harness.Resident()-base, 0) }
	tree := makeLiveTree(run.Depth, false)
	nodes := tree.count()
	full := above()
	dropped := harness.Now()
	tree = nil
	runtime.GC()
	halfBack := int64(0)
	for began := harness.Now(); harness.Now()-began < int64(run.Seconds*1e9); {
		time.Sleep(betweenLooks)
		if halfBack == 0 && above() <= full/2 {
			halfBack = harness.Now() - dropped
		}
	}
	left := above()
	run.End()
	run.Figure("full_bytes", float64(full))
	run.Figure("idle_bytes", float64(left))
	run.Figure("given_back_bytes", float64(max(full-left, 0)))
	if halfBack != 0 {
		run.Figure("half_back_ns", float64(halfBack))
	}
	run.Check(harness.Mix(0, nodes))
	return nil
}
