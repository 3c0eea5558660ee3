package main

import (
	"math"
	"strconv"
)

var stringCommands = map[string]command{
	"get":      {2, 1, 1, 1, get},
	"set":      {-3, 1, 1, 1, setText},
	"setnx":    {3, 1, 1, 1, setNew},
	"setex":    {4, 1, 1, 1, func(c *call) { setFor(c, 1000) }},
	"psetex":   {4, 1, 1, 1, func(c *call) { setFor(c, 1) }},
	"getset":   {3, 1, 1, 1, getAndSet},
	"getdel":   {2, 1, 1, 1, getAndRemove},
	"mget":     {-2, 1, -1, 1, getMany},
	"mset":     {-3, 1, -1, 2, setMany},
	"strlen":   {2, 1, 1, 1, lengthOfText},
	"append":   {3, 1, 1, 1, appendText},
	"getrange": {4, 1, 1, 1, getRange},
	"incr":     {2, 1, 1, 1, func(c *call) { add(c, 1) }},
	"decr":     {2, 1, 1, 1, func(c *call) { add(c, -1) }},
	"incrby":   {3, 1, 1, 1, addWord},
	"decrby":   {3, 1, 1, 1, subtractWord},
}

func (c *call) text(value text, found bool) {
	if found {
		c.bulk(string(value))
	} else {
		c.null()
	}
}

func get(c *call) {
	if value, found, good := valueOf[text](c, c.words[1]); good {
		c.text(value, found)
	}
}

// setOptions are those of SET; units is how many milliseconds one of EX or PX is.
type setOptions struct {
	onlyNew, onlyOld, keepTime, get bool
	ends                            expiry
}

func (c *call) setOptions() (o setOptions, good bool) {
	for i := 3; i < len(c.words); i++ {
		switch {
		case c.is(i, "nx") && !o.onlyOld:
			o.onlyNew = true
		case c.is(i, "xx") && !o.onlyNew:
			o.onlyOld = true
		case c.is(i, "get"):
			o.get = true
		case c.is(i, "keepttl") && o.ends == 0:
			o.keepTime = true
		case i+1 < len(c.words) && o.ends == 0 && !o.keepTime && unitOf(c.words[i]) != nil:
			unit := unitOf(c.words[i])
			i++
			if o.ends, good = c.instantAt(i, *unit, "set"); !good {
				return o, false
			}
		default:
			c.syntaxError()
			return o, false
		}
	}
	return o, true
}

func setText(c *call) {
	if len(c.words) == 3 {
		c.store().put(c.words[1], text(c.words[2]))
		c.ok()
		return
	}
	o, good := c.setOptions()
	if !good {
		return
	}
	key := c.words[1]
	e := c.store().find(key)
	if o.get {
		old, found, good := valueOf[text](c, key)
		if !good {
			return
		}
		c.text(old, found)
	}
	if o.onlyNew && e != nil || o.onlyOld && e == nil {
		if !o.get {
			c.null()
		}
		return
	}
	if o.keepTime && e != nil {
		e.value = text(c.words[2])
	} else {
		e = c.store().put(key, text(c.words[2]))
	}
	if o.ends != 0 {
		c.store().end(key, e, o.ends)
	}
	if !o.get {
		c.ok()
	}
}

func setNew(c *call) {
	is := c.store().find(c.words[1]) == nil
	if is {
		c.store().put(c.words[1], text(c.words[2]))
	}
	c.yes(is)
}

func setFor(c *call, unit int64) {
	name := map[int64]string{1000: "setex", 1: "psetex"}[unit]
	if ends, good := c.instantAt(2, timeUnit{ms: unit}, name); good {
		e := c.store().put(c.words[1], text(c.words[3]))
		c.store().end(c.words[1], e, ends)
		c.ok()
	}
}

func getAndSet(c *call) {
	if old, found, good := valueOf[text](c, c.words[1]); good {
		c.store().put(c.words[1], text(c.words[2]))
		c.text(old, found)
	}
}

func getAndRemove(c *call) {
	if old, found, good := valueOf[text](c, c.words[1]); good {
		c.store().remove(c.words[1])
		c.text(old, found)
	}
}

func getMany(c *call) {
	c.array(len(c.words) - 1)
	for _, key := range c.words[1:] {
		e := c.store().find(key)
		if e == nil {
			c.null()
			continue
		}
		value, is := e.value.(text)
		c.text(value, is)
	}
}

func setMany(c *call) {
	if len(c.words)%2 == 0 {
		c.fail("ERR wrong number of arguments for 'mset' command")
		return
	}
	for i := 1; i < len(c.words); i += 2 {
		c.store().put(c.words[i], text(c.words[i+1]))
	}
	c.ok()
}

func lengthOfText(c *call) {
	if value, _, good := valueOf[text](c, c.words[1]); good {
		c.integer(len(value))
	}
}

func appendText(c *call) {
	old, found, good := valueOf[text](c, c.words[1])
	if !good {
		return
	}
	longer := old + text(c.words[2])
	if found {
		c.store().find(c.words[1]).value = longer
	} else {
		c.store().put(c.words[1], longer)
	}
	c.integer(len(longer))
}

func getRange(c *call) {
	start, good := c.integerAt(2)
	if !good {
		return
	}
	stop, good := c.integerAt(3)
	if !good {
		return
	}
	if value, _, good := valueOf[text](c, c.words[1]); good {
		if stop < 0 {
			stop = max(stop+int64(len(value)), 0)
		}
		first, end := span(start, stop, len(value))
		c.bulk(string(value[first:end]))
	}
}

func add(c *call, n int64) {
	old, found, good := valueOf[text](c, c.words[1])
	if !good {
		return
	}
	sum := int64(0)
	if found {
		parsed, good := integer(string(old))
		if !good {
			c.fail("ERR value is not an integer or out of range")
			return
		}
		sum = parsed
	}
	if n > 0 && sum > math.MaxInt64-n || n < 0 && sum < math.MinInt64-n {
		c.fail("ERR increment or decrement would overflow")
		return
	}
	sum += n
	value := text(strconv.FormatInt(sum, 10))
	if found {
		c.store().find(c.words[1]).value = value
	} else {
		c.store().put(c.words[1], value)
	}
	c.integer64(sum)
}

func addWord(c *call) {
	if n, good := c.integerAt(2); good {
		add(c, n)
	}
}

func subtractWord(c *call) {
	n, good := c.integerAt(2)
	if !good {
		return
	}
	if n == math.MinInt64 {
		c.fail("ERR decrement would overflow")
		return
	}
	add(c, -n)
}
