package main

import (
	"sync/atomic"

	"umber/peers/internal/harness"
)

// Short lists made by several threads, which hand one in 64 to the next thread.

const (
	listLength = 8
	handEvery  = 64
)

func makeList(first uint64) *cell {
	var head *cell
	for i := listLength; i > 0; i-- {
		head = &cell{head, first + uint64(i) - 1}
	}
	return head
}

func (c *cell) sum() (sum uint64) {
	for ; c != nil; c = c.next {
		sum += c.number
	}
	return sum
}

func handLists(run *harness.Run, thread int, next *atomic.Pointer[cell]) (sum uint64) {
	lane := run.Lane(true)
	slots := make([]*cell, 1<<run.Depth)
	random := harness.Seeded(14, thread)
	for i := range run.Operations(2000000, thread) {
		lane.Wait()
		operation := uint64(thread + i*run.Threads)
		list := makeList(operation)
		sum += list.sum()
		if operation%handEvery == 0 {
			sum += next.Swap(list).sum()
		} else {
			slots[random.Below(len(slots))] = list
		}
		lane.Done()
	}
	lane.Keep(slots)
	return sum
}

func threadsWorkload(run *harness.Run) error {
	mailboxes := make([]atomic.Pointer[cell], run.Threads)
	run.Begin()
	checksum := run.OnThreads(func(thread int) uint64 {
		return handLists(run, thread, &mailboxes[(thread+1)%run.Threads])
	})
	run.End()
	for i := range mailboxes {
		checksum += mailboxes[i].Load().sum()
	}
	run.Check(checksum)
	return nil
}
