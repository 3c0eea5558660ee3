package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"umber/peers/internal/harness"
)

// Random swaps of the edges of a graph: what a store costs, while a goroutine beside it keeps the collector at work.

type cell struct {
	next   *cell
	number uint64
}

// keptCell makes an allocation that nobody reads escape to the heap.
var keptCell *cell

func swapOften(nodes []*wideNode, random *harness.Random) {
	for range 1000 {
		a, b := nodes[random.Below(len(nodes))], nodes[random.Below(len(nodes))]
		left := a.left
		a.left = b.right
		if left == nil {
			left = a
		}
		b.right = left
	}
}

// makeGarbage makes so many cells a second, or, at 0, as many as it can, until done; it returns how many.
func makeGarbage(rate float64, done *atomic.Bool) uint64 {
	const atOnce = 16384
	var n uint64
	for began := time.Now(); !done.Load(); n += atOnce {
		for range atOnce {
			keptCell = new(cell)
		}
		if rate != 0 {
			time.Sleep(time.Until(began.Add(time.Duration(float64(n+atOnce) / rate * 1e9))))
		}
	}
	return n
}

func numberOf(n *wideNode) uint64 {
	if n == nil {
		return 0
	}
	return n.payload[0] + 1
}

func graphMutate(run *harness.Run) error {
	nodes := make([]*wideNode, 1<<run.Depth)
	for i := range nodes {
		nodes[i] = &wideNode{payload: [6]uint64{uint64(i)}}
	}
	var done atomic.Bool
	allocated := make(chan uint64)
	run.Begin()
	go func() { allocated <- makeGarbage(run.Beside, &done) }()
	random := harness.NewRandom(3)
	lane := run.Lane(true)
	operations := run.Operations(20000, 0)
	for range operations {
		lane.Wait()
		swapOften(nodes, random)
		lane.Done()
	}
	run.End()
	done.Store(true)
	run.Figure("swap_ns", float64(run.Wall())/float64(operations)/1000)
	run.Figure("beside_per_second", float64(<-allocated)/float64(run.Wall())*1e9)
	runtime.KeepAlive(nodes)
	var h uint64
	for _, each := range nodes {
		h = harness.Mix(harness.Mix(h, numberOf(each.left)), numberOf(each.right))
	}
	run.Check(h)
	return nil
}
