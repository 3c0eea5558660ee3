package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"umber/peers/internal/harness"
)

// Look-ups through weak references, of which a ring keeps the last thousand objects alive.

// A weakSlot refers to an object without keeping it alive. Go has weak pointers from 1.24 on; before, programs did it
// like this: the slot hides the address in a number, and a finalizer clears it, unless the object was looked up after
// it had been found dead: then the finalizer is set again.
type weakSlot struct {
	address     uintptr
	resurrected bool
}

// weakSlots belong to one thread, but for the finalizers, which run on a goroutine of their own.
type weakSlots struct {
	mutex sync.Mutex
	slots []weakSlot
}

const weakRing = 1024

// load returns what slot k refers to, or nil.
func (w *weakSlots) load(k int) *wideNode {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	slot := &w.slots[k]
	if slot.address == 0 {
		return nil
	}
	slot.resurrected = true
	return *(**wideNode)(unsafe.Pointer(&slot.address))
}

func (w *weakSlots) store(k int, n *wideNode) {
	w.mutex.Lock()
	w.slots[k] = weakSlot{address: uintptr(unsafe.Pointer(n))}
	w.mutex.Unlock()
	w.watch(k, n)
}

// watch clears the slot when the object is dead.
func (w *weakSlots) watch(k int, n *wideNode) {
	runtime.SetFinalizer(n, func(n *wideNode) {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		if !w.slots[k].resurrected {
			w.slots[k] = weakSlot{}
			return
		}
		w.slots[k].resurrected = false
		w.watch(k, n)
	})
}

func lookUpWeakly(run *harness.Run, thread int, hits *atomic.Uint64) (h uint64) {
	weak := &weakSlots{slots: make([]weakSlot, 1<<run.Depth)}
	ring := make([]*wideNode, weakRing)
	random := harness.Seeded(17, thread)
	lane := run.Lane(true)
	found := uint64(0)
	for i := range run.Operations(2000000, thread) {
		lane.Wait()
		k := random.Below(1 << run.Depth)
		n := weak.load(k)
		if n != nil {
			found++
		} else {
			n = newWideNode(uint64(k)*uint64(k) + 1)
			weak.store(k, n)
		}
		ring[i%weakRing] = n
		h = harness.Mix(h, n.payload[0])
		lane.Done()
	}
	lane.Keep(ring)
	hits.Add(found)
	return h
}

func weakCache(run *harness.Run) error {
	var hits atomic.Uint64
	run.Begin()
	checksum := run.OnThreads(func(thread int) uint64 { return lookUpWeakly(run, thread, &hits) })
	run.End()
	made := 0
	for thread := range run.Threads {
		made += run.Operations(2000000, thread)
	}
	run.Figure("hits", float64(hits.Load())/float64(max(made, 1)))
	run.Check(checksum)
	return nil
}
