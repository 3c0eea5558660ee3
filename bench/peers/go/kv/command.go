package main

import (
	"bytes"
	"math"
	"strconv"
)

// A command: how many words it has with its name, at least that many where it is negative; which of them are keys, as
// redis tells it; and what it does, with the locks of its keys held.
type command struct {
	arity             int
	first, last, step int
	run               func(*call)
}

// A call is one request while it is carried out.
type call struct {
	reply
	words  [][]byte
	server *server
	client *client
}

var commands map[string]command

func init() {
	commands = map[string]command{}
	for _, each := range []map[string]command{stringCommands, keyCommands, listCommands, setCommands, hashCommands,
		sortedSetCommands, serverCommands} {
		for name, c := range each {
			commands[name] = c
		}
	}
}

// find looks a command up without making a string of its name.
func find(name []byte) (command, bool) {
	var lower [32]byte
	if len(name) > len(lower) {
		return command{}, false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	found, known := commands[string(lower[:len(name)])]
	return found, known
}

func (c *call) store() *store { return c.server.store }

func (c *call) carryOut() {
	name := c.words[0]
	found, known := find(name)
	if !known {
		c.unknown()
		return
	}
	if len(c.words) != found.arity && (found.arity > 0 || len(c.words) < -found.arity) {
		c.fail("ERR wrong number of arguments for '" + string(bytes.ToLower(name)) + "' command")
		return
	}
	if !c.client.known && !isFree(name) {
		c.fail("NOAUTH Authentication required.")
		return
	}
	switch {
	case found.first == 0:
		found.run(c)
	case found.first == found.last: // one key: most requests, for which no function to unlock is made
		one := c.store().shardOf(c.words[found.first])
		one.mutex.Lock()
		defer one.mutex.Unlock()
		found.run(c)
	default:
		defer c.store().lock(c.keys(found))()
		found.run(c)
	}
}

// isFree says whether a command needs no password.
func isFree(name []byte) bool {
	return bytes.EqualFold(name, []byte("auth")) || bytes.EqualFold(name, []byte("quit"))
}

func (c *call) unknown() {
	complaint := "ERR unknown command '" + string(c.words[0][:min(len(c.words[0]), 128)]) + "', with args beginning with: "
	for _, word := range c.words[1:] {
		if len(complaint) > 128 {
			break
		}
		complaint += "'" + string(word[:min(len(word), 128)]) + "' "
	}
	c.fail(string(bytes.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return ' '
		}
		return r
	}, []byte(complaint))))
}

func (c *call) keys(found command) [][]byte {
	last := found.last
	if last < 0 {
		last += len(c.words)
	}
	if found.step == 1 {
		return c.words[found.first : last+1]
	}
	var keys [][]byte
	for i := found.first; i <= last; i += found.step {
		keys = append(keys, c.words[i])
	}
	return keys
}

// valueOf returns what stands behind a key as a T. Not good: it is of another kind, which was replied.
func valueOf[T any](c *call, key []byte) (value T, found, good bool) {
	e := c.store().find(key)
	if e == nil {
		return value, false, true
	}
	value, good = e.value.(T)
	if !good {
		c.fail("WRONGTYPE Operation against a key holding the wrong kind of value")
	}
	return value, good, good
}

// valueOrNew is the same, and a new one where there was none.
func valueOrNew[T any](c *call, key []byte, fresh func() T) (value T, good bool) {
	value, found, good := valueOf[T](c, key)
	if good && !found {
		value = fresh()
		c.store().put(key, value)
	}
	return value, good
}

// integer reads a number as redis does: only as it would be written, so without a plus, a leading zero or a negative one.
func integer(word string) (int64, bool) {
	n, err := strconv.ParseInt(word, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == word
}

func (c *call) integerAt(i int) (int64, bool) {
	n, good := integer(string(c.words[i]))
	if !good {
		c.fail("ERR value is not an integer or out of range")
		return 0, false
	}
	return n, true
}

func parseScore(word []byte) (float64, bool) {
	score, err := strconv.ParseFloat(string(word), 64)
	return score, err == nil && !math.IsNaN(score)
}

func (c *call) is(i int, option string) bool { return bytes.EqualFold(c.words[i], []byte(option)) }

func (c *call) syntaxError() { c.fail("ERR syntax error") }

// span turns two places, of which negative ones count from the end, into [first, end) of what there is.
func span(start, stop int64, size int) (first, end int) {
	n := int64(size)
	if start < 0 {
		start = max(start+n, 0)
	}
	if stop < 0 {
		stop += n
	}
	stop = min(stop, n-1)
	if start > stop {
		return 0, 0
	}
	return int(start), int(stop) + 1
}
