package main

import "umber/peers/internal/harness"

// Arrays of 64 KiB to 2 MiB, of numbers and of pointers, take each other's place.

const arrayStride = 512

// A largeArray is one of the two.
type largeArray struct {
	numbers []uint64
	links   []*cell
}

func makeLargeArray(even bool, length int, operation uint64) largeArray {
	if even {
		numbers := make([]uint64, length)
		for j := 0; j < length; j += arrayStride {
			numbers[j] = operation + uint64(j)
		}
		return largeArray{numbers: numbers}
	}
	links := make([]*cell, length)
	for j := 0; j < length; j += arrayStride {
		links[j] = &cell{number: operation + uint64(j)}
	}
	return largeArray{links: links}
}

func (a largeArray) mixInto(h uint64) uint64 {
	switch {
	case a.numbers != nil:
		h = harness.Mix(h, uint64(len(a.numbers)))
		for j := 0; j < len(a.numbers); j += arrayStride {
			h = harness.Mix(h, a.numbers[j])
		}
	case a.links != nil:
		h = harness.Mix(h, uint64(len(a.links)))
		for j := 0; j < len(a.links); j += arrayStride {
			h = harness.Mix(h, a.links[j].number)
		}
	}
	return h
}

func replaceOften(run *harness.Run, thread int) (h uint64) {
	lane := run.Lane(false)
	slots := make([]largeArray, 1<<run.Depth)
	random := harness.Seeded(12, thread)
	for i := range run.Operations(4000, thread) {
		lane.Wait()
		s := random.Below(len(slots))
		length := 8192 << random.Below(6)
		h = slots[s].mixInto(h)
		slots[s] = largeArray{}
		slots[s] = makeLargeArray(s%2 == 0, length, uint64(thread+i*run.Threads))
		lane.Done()
	}
	lane.Keep(slots)
	for _, each := range slots {
		h = each.mixInto(h)
	}
	return h
}

func largeArrays(run *harness.Run) error {
	run.Begin()
	checksum := run.OnThreads(func(thread int) uint64 { return replaceOften(run, thread) })
	run.End()
	run.Check(checksum)
	return nil
}
