package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"umber/peers/internal/harness"
)

// Every object has a finalizer, which counts it.

// finalized is what the finalizers have seen.
type finalized struct{ count, sum atomic.Uint64 }

func storm(run *harness.Run, thread int, seen *finalized) {
	slots := make([]*wideNode, 1<<run.Depth)
	count := func(n *wideNode) {
		seen.count.Add(1)
		seen.sum.Add(n.payload[0] + 1)
	}
	lane := run.Lane(true)
	for i := range run.Operations(200000, thread) {
		lane.Wait()
		word := uint64(thread + i*run.Threads)
		fresh := newWideNode(word)
		runtime.SetFinalizer(fresh, count)
		slots[word%uint64(len(slots))] = fresh
		lane.Done()
	}
	lane.Keep(slots)
}

func finalizerStorm(run *harness.Run) error {
	var seen finalized
	run.Begin()
	run.OnThreads(func(thread int) uint64 {
		storm(run, thread, &seen)
		return 0
	})
	run.End()
	var made uint64
	for thread := range run.Threads {
		made += uint64(run.Operations(200000, thread))
	}
	began := harness.Now()
	for seen.count.Load() < made && harness.Now()-began < int64(time.Minute) {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	run.Figure("finalized", float64(seen.count.Load()))
	run.Figure("drain_ns", float64(harness.Now()-began))
	run.Check(harness.Mix(0, made))
	if count := seen.count.Load(); count > made || count < made*99/100 {
		return fmt.Errorf("%d objects were finalized, of %d", count, made)
	} else if count == made && seen.sum.Load() != made*(made+1)/2 {
		return fmt.Errorf("the finalizers saw other objects than were made")
	}
	return nil
}
