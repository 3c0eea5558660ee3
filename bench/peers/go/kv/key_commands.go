package main

import (
	"bytes"
	"math"
	"path"
	"time"
)

var keyCommands = map[string]command{
	"del":       {-2, 1, -1, 1, removeKeys},
	"unlink":    {-2, 1, -1, 1, removeKeys},
	"exists":    {-2, 1, -1, 1, countKeys},
	"type":      {2, 1, 1, 1, typeOfKey},
	"expire":    {-3, 1, 1, 1, func(c *call) { expire(c, timeUnit{ms: 1000}) }},
	"pexpire":   {-3, 1, 1, 1, func(c *call) { expire(c, timeUnit{ms: 1}) }},
	"expireat":  {-3, 1, 1, 1, func(c *call) { expire(c, timeUnit{ms: 1000, since1970: true}) }},
	"pexpireat": {-3, 1, 1, 1, func(c *call) { expire(c, timeUnit{ms: 1, since1970: true}) }},
	"ttl":       {2, 1, 1, 1, func(c *call) { timeLeft(c, 1000) }},
	"pttl":      {2, 1, 1, 1, func(c *call) { timeLeft(c, 1) }},
	"persist":   {2, 1, 1, 1, persist},
	"keys":      {2, 0, 0, 0, listKeys},
	"dbsize":    {1, 0, 0, 0, countAll},
	"flushall":  {-1, 0, 0, 0, removeAll},
	"flushdb":   {-1, 0, 0, 0, removeAll},
}

// A timeUnit is what a number that says when a key ends counts.
type timeUnit struct {
	ms        int64
	since1970 bool
}

// unitOf returns the unit of an option such as EX, or nil.
func unitOf(word []byte) *timeUnit {
	switch string(bytes.ToLower(word)) {
	case "ex":
		return &timeUnit{ms: 1000}
	case "px":
		return &timeUnit{ms: 1}
	case "exat":
		return &timeUnit{ms: 1000, since1970: true}
	case "pxat":
		return &timeUnit{ms: 1, since1970: true}
	}
	return nil
}

// instantAt reads a time that must be to come.
func (c *call) instantAt(i int, unit timeUnit, name string) (expiry, bool) {
	n, good := c.integerAt(i)
	if !good {
		return 0, false
	}
	at, good := unit.instant(n)
	if n <= 0 || !good {
		c.fail("ERR invalid expire time in '" + name + "' command")
		return 0, false
	}
	return at, true
}

func (u timeUnit) instant(n int64) (at expiry, good bool) {
	if n > math.MaxInt64/u.ms || n < math.MinInt64/u.ms {
		return 0, false
	}
	at = n * u.ms
	if u.since1970 {
		return at, true
	}
	now := time.Now().UnixMilli()
	return at + now, at <= math.MaxInt64-now
}

func removeKeys(c *call) {
	n := 0
	for _, key := range c.words[1:] {
		if c.store().remove(key) {
			n++
		}
	}
	c.integer(n)
}

func countKeys(c *call) {
	n := 0
	for _, key := range c.words[1:] {
		if c.store().find(key) != nil {
			n++
		}
	}
	c.integer(n)
}

func typeOfKey(c *call) {
	e := c.store().find(c.words[1])
	if e == nil {
		c.simple("none")
		return
	}
	switch e.value.(type) {
	case text:
		c.simple("string")
	case *list:
		c.simple("list")
	case set:
		c.simple("set")
	case hash:
		c.simple("hash")
	default:
		c.simple("zset")
	}
}

// conditions reads NX, XX, GT and LT of EXPIRE.
func (c *call) conditions() (allowed func(old, fresh expiry) bool, good bool) {
	var nx, xx, gt, lt bool
	for i := 3; i < len(c.words); i++ {
		switch {
		case c.is(i, "nx"):
			nx = true
		case c.is(i, "xx"):
			xx = true
		case c.is(i, "gt"):
			gt = true
		case c.is(i, "lt"):
			lt = true
		default:
			c.fail("ERR Unsupported option " + string(c.words[i]))
			return nil, false
		}
	}
	if nx && (xx || gt || lt) {
		c.fail("ERR NX and XX, GT or LT options at the same time are not compatible")
		return nil, false
	}
	if gt && lt {
		c.fail("ERR GT and LT options at the same time are not compatible")
		return nil, false
	}
	return func(old, fresh expiry) bool {
		return !(nx && old != 0 || xx && old == 0 || gt && (old == 0 || fresh <= old) || lt && old != 0 && fresh >= old)
	}, true
}

func expire(c *call, unit timeUnit) {
	n, good := c.integerAt(2)
	if !good {
		return
	}
	at, good := unit.instant(n)
	if !good {
		c.fail("ERR invalid expire time in '" + string(bytes.ToLower(c.words[0])) + "' command")
		return
	}
	allowed, good := c.conditions()
	if !good {
		return
	}
	key := c.words[1]
	e := c.store().find(key)
	if e == nil || !allowed(e.ends, at) {
		c.integer(0)
		return
	}
	if at <= nowMs() {
		c.store().remove(key)
	} else {
		c.store().end(key, e, at)
	}
	c.integer(1)
}

func timeLeft(c *call, unit int64) {
	e := c.store().find(c.words[1])
	switch {
	case e == nil:
		c.integer(-2)
	case e.ends == 0:
		c.integer(-1)
	default:
		c.integer64((max(e.ends-nowMs(), 0) + unit/2) / unit)
	}
}

func persist(c *call) {
	e := c.store().find(c.words[1])
	is := e != nil && e.ends != 0
	if is {
		c.store().end(c.words[1], e, 0)
	}
	c.yes(is)
}

// listKeys takes the patterns of package path, which are those of redis but for a slash, which no star matches here.
func listKeys(c *call) {
	var found []string
	pattern := string(c.words[1])
	c.store().each(func(key string, _ *entry) {
		if is, err := path.Match(pattern, key); pattern == "*" || err == nil && is {
			found = append(found, key)
		}
	})
	c.array(len(found))
	for _, key := range found {
		c.bulk(key)
	}
}

func countAll(c *call) {
	keys, _ := c.store().sizes()
	c.integer(keys)
}

func removeAll(c *call) {
	c.store().clear()
	c.ok()
}
