package main

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// All keys: 64 shards, each a map behind a lock of its own. A command holds the locks of all its keys while it runs.

const shardCount = 64

type (
	text   string
	hash   map[string]string
	set    map[string]struct{}
	expiry = int64 // milliseconds since 1970; 0: never
)

// An entry is what stands behind a key: a text, *list, hash, set or *sortedSet.
type entry struct {
	value any
	ends  expiry
}

type shard struct {
	mutex   sync.Mutex
	entries map[string]*entry
	ending  map[string]*entry // those that end some day
	_       [64]byte          // the next shard's lock is in another cache line
}

type store struct {
	shards [shardCount]shard
	seed   maphash.Seed
}

func newStore() *store {
	s := &store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].clear()
	}
	return s
}

func (s *shard) clear() {
	s.entries = map[string]*entry{}
	s.ending = map[string]*entry{}
}

func (s *store) shardOf(key []byte) *shard { return &s.shards[maphash.Bytes(s.seed, key)%shardCount] }

// lock takes the locks of all the keys, in the order of the shards; the function that it returns gives them back.
func (s *store) lock(keys [][]byte) func() {
	wanted := make([]int, 0, len(keys))
	for _, key := range keys {
		wanted = append(wanted, int(maphash.Bytes(s.seed, key)%shardCount))
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	for _, i := range wanted {
		s.shards[i].mutex.Lock()
	}
	return func() {
		for _, i := range wanted {
			s.shards[i].mutex.Unlock()
		}
	}
}

// find returns what stands behind a key, or nil; the lock is held.
func (s *store) find(key []byte) *entry {
	in := s.shardOf(key)
	e := in.entries[string(key)]
	if e != nil && e.ends != 0 && e.ends <= nowMs() {
		in.remove(string(key))
		return nil
	}
	return e
}

// put has the key stand for a value, for ever.
func (s *store) put(key []byte, value any) *entry {
	in := s.shardOf(key)
	if e := in.entries[string(key)]; e != nil {
		if e.ends != 0 {
			delete(in.ending, string(key))
		}
		e.value, e.ends = value, 0
		return e
	}
	e := &entry{value: value}
	in.entries[string(key)] = e
	return e
}

func (s *store) remove(key []byte) bool {
	if s.find(key) == nil {
		return false
	}
	s.shardOf(key).remove(string(key))
	return true
}

func (s *shard) remove(key string) {
	delete(s.entries, key)
	delete(s.ending, key)
}

// end has an entry vanish at an instant, or never.
func (s *store) end(key []byte, e *entry, at expiry) {
	e.ends = at
	in := s.shardOf(key)
	if at == 0 {
		delete(in.ending, string(key))
	} else {
		in.ending[string(key)] = e
	}
}

// each calls visit for every key, one shard's lock held at a time.
func (s *store) each(visit func(key string, e *entry)) {
	for i := range s.shards {
		in := &s.shards[i]
		in.mutex.Lock()
		now := nowMs()
		for key, e := range in.entries {
			if e.ends == 0 || e.ends > now {
				visit(key, e)
			}
		}
		in.mutex.Unlock()
	}
}

func (s *store) sizes() (keys, ending int) {
	for i := range s.shards {
		in := &s.shards[i]
		in.mutex.Lock()
		keys += len(in.entries)
		ending += len(in.ending)
		in.mutex.Unlock()
	}
	return keys, ending
}

func (s *store) clear() {
	for i := range s.shards {
		in := &s.shards[i]
		in.mutex.Lock()
		in.clear()
		in.mutex.Unlock()
	}
}

// sweep removes what has ended, ten times a second.
func (s *store) sweep() {
	for range time.Tick(100 * time.Millisecond) {
		for i := range s.shards {
			s.shards[i].sweep(nowMs())
		}
	}
}

// sweep looks at no more than 200 keys at a time, which Go's maps give in random order.
func (s *shard) sweep(now int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	left := 200
	for key, e := range s.ending {
		if e.ends <= now {
			s.remove(key)
		}
		if left--; left == 0 {
			return
		}
	}
}

func nowMs() int64 { return time.Now().UnixMilli() }
