package main

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"umber/peers/internal/harness"
)

// What a program pays for being managed, an allocation and a store; and for being measured.

type leaf struct{ first, second uint64 }

const cellCount = 4096

// keptLeaf makes an allocation that nobody reads escape to the heap.
var keptLeaf *leaf

func allocate(run *harness.Run) error {
	debug.SetGCPercent(-1)
	count := run.Scaled(20000000)
	run.Begin()
	for range 5 {
		began := harness.Now()
		for range count {
			keptLeaf = new(leaf)
		}
		run.Repeated(harness.Now() - began)
		runtime.GC()
	}
	run.End()
	run.FigureOfRounds("object", float64(count))
	run.Check(harness.Mix(0, uint64(count)))
	return nil
}

// storeOften makes a random cell's link a random cell, and returns what one store took.
func storeOften(cells []*cell, count int) float64 {
	random := harness.NewRandom(7)
	began := harness.Now()
	for range count {
		draw := random.Next()
		cells[draw%cellCount].next = cells[draw/cellCount%cellCount]
	}
	return float64(harness.Now()-began) / float64(count)
}

func barrierStores(run *harness.Run) error {
	count := run.Scaled(50000000)
	cells := make([]*cell, cellCount)
	for i := range cells {
		cells[i] = &cell{}
	}
	// A list that takes long to mark keeps the barrier on.
	list := makeLiveList(run.Scaled(4000000))
	run.Begin()
	run.Figure("idle_ns", storeOften(cells, count))
	var done atomic.Bool
	ended := make(chan struct{})
	go func() {
		for !done.Load() {
			runtime.GC()
		}
		close(ended)
	}()
	run.Figure("marking_ns", storeOften(cells, count))
	done.Store(true)
	<-ended
	run.End()
	runtime.KeepAlive(list)
	run.Check(harness.Mix(0, uint64(count)))
	return nil
}

type pacedRecord struct{ costs, response float64 }

// recordPaced does nothing at a pace: far behind it, so that nothing waits, or at one that can be kept.
func recordPaced(count int, rate float64) pacedRecord {
	began := harness.Now()
	lane := harness.PacedAlone(rate)
	for range count {
		lane.Wait()
		lane.Done()
	}
	return pacedRecord{float64(harness.Now() - began), float64(lane.MedianResponse())}
}

// recording does nothing as often as it can: what timing an operation costs.
func recording(run *harness.Run) error {
	count := run.Scaled(20000000)
	run.Begin()
	lane := run.Lane(true)
	for range count {
		lane.Wait()
		lane.Done()
	}
	run.End()
	run.Figure("operation_ns", float64(run.Wall())/float64(count))
	run.Figure("paced_operation_ns", recordPaced(count, 1e9).costs/float64(count))
	run.Figure("paced_response_ns", recordPaced(run.Scaled(100000), 250000).response)
	run.Check(harness.Mix(0, uint64(count)))
	return nil
}
