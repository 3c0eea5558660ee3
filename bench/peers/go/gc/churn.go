package main

import "umber/peers/internal/harness"

// Objects of which a share survives, and a heap that grows. One operation is a hundred objects.

const objectsAtOnce = 100

// keptNode makes an allocation that nobody reads escape to the heap.
var keptNode *wideNode

func newWideNode(word uint64) *wideNode { return &wideNode{payload: [6]uint64{word}} }

func churnSlots(run *harness.Run) [][]*wideNode {
	all := make([][]*wideNode, run.Threads)
	for thread := range all {
		all[thread] = make([]*wideNode, max((1<<run.Depth)/run.Threads, 1))
		for j := range all[thread] {
			all[thread][j] = newWideNode(uint64(j))
		}
	}
	return all
}

func churnOften(run *harness.Run, thread int, slots []*wideNode) (h uint64) {
	random := harness.Seeded(15, thread)
	survivors := run.Survival * 1000000
	lane := run.Lane(true)
	word := uint64(0)
	for range run.Operations(200000, thread) {
		lane.Wait()
		for range objectsAtOnce {
			fresh := newWideNode(word)
			word++
			if float64(random.Below(1000000)) < survivors {
				slots[random.Below(len(slots))] = fresh
			} else {
				keptNode = fresh
			}
		}
		lane.Done()
	}
	lane.Keep(slots)
	for _, each := range slots {
		h = harness.Mix(h, each.payload[0])
	}
	return h
}

func churnSurvive(run *harness.Run) error {
	slots := churnSlots(run)
	run.Begin()
	checksum := run.OnThreads(func(thread int) uint64 { return churnOften(run, thread, slots[thread]) })
	run.End()
	run.Check(checksum)
	return nil
}

func leakOften(run *harness.Run, thread int) (h uint64) {
	lane := run.Lane(true)
	var head *wideNode
	word := uint64(0)
	for range run.Operations(100000, thread) {
		lane.Wait()
		for range objectsAtOnce {
			fresh := newWideNode(word)
			if word%10 == 0 {
				fresh.left = head
				head = fresh
			} else {
				keptNode = fresh
			}
			word++
		}
		lane.Done()
	}
	lane.Keep(head)
	for ; head != nil; head = head.left {
		h = harness.Mix(h, head.payload[0])
	}
	return h
}

func leakSlow(run *harness.Run) error {
	run.Begin()
	checksum := run.OnThreads(func(thread int) uint64 { return leakOften(run, thread) })
	run.End()
	run.Check(checksum)
	return nil
}
