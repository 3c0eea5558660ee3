package main

import (
	"runtime"

	"umber/peers/internal/harness"
)

// A message of 1 KiB into the next of 200,000 slots, at a fixed rate, over a large live set.

const (
	slotCount   = 200000
	messageSize = 1024
)

type message [messageSize]byte

func newMessage(mark byte) *message {
	fresh := new(message)
	fresh[0] = mark
	for filled := 1; filled < messageSize; filled *= 2 {
		copy(fresh[filled:], fresh[:filled])
	}
	return fresh
}

func messageRing(run *harness.Run) error {
	live := makeLiveTree(run.Depth, run.Random)
	ring := make([]*message, slotCount)
	run.Begin()
	lane := run.Lane(true)
	for i := range run.Operations(2000000, 0) {
		lane.Wait()
		ring[i%slotCount] = newMessage(byte(i))
		lane.Done()
	}
	run.End()
	runtime.KeepAlive(live)
	var h uint64
	for _, each := range ring {
		if each == nil {
			h = harness.Mix(h, 0)
		} else {
			h = harness.Mix(h, 1+uint64(each[0])+256*uint64(each[messageSize-1]))
		}
	}
	run.Check(harness.Mix(h, 2<<run.Depth-1))
	return nil
}
