package main

import (
	"strconv"
	"strings"

	"umber/peers/internal/harness"
)

// Look-ups of strings in a map of limited size that forgets what was not used for longest.

type lruEntry struct {
	key, value string
	prev, next *lruEntry
}

// lru is a ring of entries around head, the most recently used after it, and a map to find them by their keys.
type lru struct {
	entries  map[string]*lruEntry
	head     lruEntry
	capacity int
}

func newLRU(capacity int) *lru {
	c := &lru{entries: make(map[string]*lruEntry, capacity), capacity: capacity}
	c.head.prev, c.head.next = &c.head, &c.head
	return c
}

func (e *lruEntry) leave() {
	e.prev.next, e.next.prev = e.next, e.prev
}

func (c *lru) toFront(e *lruEntry) {
	e.prev, e.next = &c.head, c.head.next
	e.prev.next, e.next.prev = e, e
}

// find returns the entry of a key, made by value() if it has none. The key is copied only then.
func (c *lru) find(key []byte, value func() string) *lruEntry {
	if e := c.entries[string(key)]; e != nil {
		e.leave()
		c.toFront(e)
		return e
	}
	if len(c.entries) == c.capacity {
		last := c.head.prev
		last.leave()
		delete(c.entries, last.key)
	}
	e := &lruEntry{key: string(key), value: value()}
	c.entries[e.key] = e
	c.toFront(e)
	return e
}

func lookUpOften(run *harness.Run, thread int) (h uint64) {
	lane := run.Lane(true)
	cache := newLRU(1 << run.Depth)
	random := harness.Seeded(11, thread)
	key := []byte("user:")
	for range run.Operations(2000000, thread) {
		lane.Wait()
		k := random.Below(1 + random.Below(4*cache.capacity))
		key = strconv.AppendInt(key[:len("user:")], int64(k), 10)
		e := cache.find(key, func() string {
			return strings.Repeat(string(rune('a'+k%26)), 16+random.Below(240))
		})
		h = harness.Mix(h, uint64(len(e.value))*256+uint64(e.value[0]))
		lane.Done()
	}
	lane.Keep(cache)
	return h
}

func lruCache(run *harness.Run) error {
	run.Begin()
	checksum := run.OnThreads(func(thread int) uint64 { return lookUpOften(run, thread) })
	run.End()
	run.Check(checksum)
	return nil
}
