package main

import "strconv"

var listCommands = map[string]command{
	"lpush":  {-3, 1, 1, 1, func(c *call) { push(c, (*list).pushFront, false) }},
	"rpush":  {-3, 1, 1, 1, func(c *call) { push(c, (*list).pushBack, false) }},
	"lpushx": {-3, 1, 1, 1, func(c *call) { push(c, (*list).pushFront, true) }},
	"rpushx": {-3, 1, 1, 1, func(c *call) { push(c, (*list).pushBack, true) }},
	"lpop":   {-2, 1, 1, 1, func(c *call) { pop(c, (*list).popFront) }},
	"rpop":   {-2, 1, 1, 1, func(c *call) { pop(c, (*list).popBack) }},
	"llen":   {2, 1, 1, 1, func(c *call) { countOf(c, func(l *list) int { return l.size }) }},
	"lrange": {4, 1, 1, 1, rangeOfList},
	"lindex": {3, 1, 1, 1, placeInList},
}

var setCommands = map[string]command{
	"sadd":      {-3, 1, 1, 1, addMembers},
	"srem":      {-3, 1, 1, 1, removeEntries[set]},
	"smembers":  {2, 1, 1, 1, allMembers},
	"sismember": {3, 1, 1, 1, hasEntry[set]},
	"scard":     {2, 1, 1, 1, func(c *call) { countOf(c, func(s set) int { return len(s) }) }},
	"spop":      {-2, 1, 1, 1, popMembers},
}

var hashCommands = map[string]command{
	"hset":    {-4, 1, 1, 1, func(c *call) { setFields(c, "hset") }},
	"hmset":   {-4, 1, 1, 1, func(c *call) { setFields(c, "hmset") }},
	"hget":    {3, 1, 1, 1, getField},
	"hmget":   {-3, 1, 1, 1, getFields},
	"hdel":    {-3, 1, 1, 1, removeEntries[hash]},
	"hgetall": {2, 1, 1, 1, func(c *call) { allFields(c, true, true) }},
	"hkeys":   {2, 1, 1, 1, func(c *call) { allFields(c, true, false) }},
	"hvals":   {2, 1, 1, 1, func(c *call) { allFields(c, false, true) }},
	"hlen":    {2, 1, 1, 1, func(c *call) { countOf(c, func(h hash) int { return len(h) }) }},
	"hexists": {3, 1, 1, 1, hasEntry[hash]},
	"hincrby": {4, 1, 1, 1, addToField},
}

func push(c *call, one func(*list, string), onlyOld bool) {
	if onlyOld && c.store().find(c.words[1]) == nil {
		c.integer(0)
		return
	}
	l, good := valueOrNew(c, c.words[1], func() *list { return &list{} })
	if !good {
		return
	}
	for _, word := range c.words[2:] {
		one(l, string(word))
	}
	c.integer(l.size)
}

// countAt reads the number of a pop, which may not be negative.
func (c *call) countAt(i int) (int64, bool) {
	n, good := integer(string(c.words[i]))
	if !good || n < 0 {
		c.fail("ERR value is out of range, must be positive")
		return 0, false
	}
	return n, true
}

// popCount is how many a pop is to take: one, where it does not say.
func (c *call) popCount() (int64, bool) {
	if len(c.words) < 3 {
		return 1, true
	}
	return c.countAt(2)
}

// countOf replies how much is in a value, of which nothing is 0.
func countOf[Kind any](c *call, size func(Kind) int) {
	if value, found, good := valueOf[Kind](c, c.words[1]); good && found {
		c.integer(size(value))
	} else if good {
		c.integer(0)
	}
}

// removeEntries takes words out of a set or a hash, and the value away with the last of them.
func removeEntries[Kind ~map[string]Entry, Entry any](c *call) {
	m, _, good := valueOf[Kind](c, c.words[1])
	if !good {
		return
	}
	before := len(m)
	for _, word := range c.words[2:] {
		delete(m, string(word))
	}
	c.removeIf(before > 0 && len(m) == 0)
	c.integer(before - len(m))
}

// hasEntry replies whether a word is in a set or a hash.
func hasEntry[Kind ~map[string]Entry, Entry any](c *call) {
	if m, _, good := valueOf[Kind](c, c.words[1]); good {
		_, is := m[string(c.words[2])]
		c.yes(is)
	}
}

// removeIf takes the value away, if nothing is left in it.
func (c *call) removeIf(empty bool) {
	if empty {
		c.store().remove(c.words[1])
	}
}

func pop(c *call, one func(*list) string) {
	if len(c.words) > 3 {
		c.fail("ERR wrong number of arguments for '" + lower(c.words[0]) + "' command")
		return
	}
	wanted, good := c.popCount()
	if !good {
		return
	}
	l, found, good := valueOf[*list](c, c.words[1])
	if !good {
		return
	}
	if !found {
		if len(c.words) == 3 {
			c.nullArray()
		} else {
			c.null()
		}
		return
	}
	count := int(min(wanted, int64(l.size)))
	if len(c.words) == 3 {
		c.array(count)
	}
	for range count {
		c.bulk(one(l))
	}
	c.removeIf(l.size == 0)
}

// spanAt reads the two places of a range; the size is asked for once they are known to be numbers.
func (c *call) spanAt(i int) (start, stop int64, good bool) {
	if start, good = c.integerAt(i); good {
		stop, good = c.integerAt(i + 1)
	}
	return start, stop, good
}

func rangeOfList(c *call) {
	start, stop, good := c.spanAt(2)
	if !good {
		return
	}
	l, found, good := valueOf[*list](c, c.words[1])
	if !good {
		return
	}
	if !found {
		c.array(0)
		return
	}
	first, end := span(start, stop, l.size)
	c.array(end - first)
	for i := first; i < end; i++ {
		c.bulk(*l.at(i))
	}
}

func placeInList(c *call) {
	l, found, good := valueOf[*list](c, c.words[1])
	if !good {
		return
	}
	if !found {
		c.null()
		return
	}
	place, good := c.integerAt(2)
	if !good {
		return
	}
	if place < 0 {
		place += int64(l.size)
	}
	if place < 0 || place >= int64(l.size) {
		c.null()
	} else {
		c.bulk(*l.at(int(place)))
	}
}

func addMembers(c *call) {
	s, good := valueOrNew(c, c.words[1], func() set { return set{} })
	if !good {
		return
	}
	before := len(s)
	for _, word := range c.words[2:] {
		s[string(word)] = struct{}{}
	}
	c.integer(len(s) - before)
}

func allMembers(c *call) {
	if s, _, good := valueOf[set](c, c.words[1]); good {
		c.array(len(s))
		for member := range s {
			c.bulk(member)
		}
	}
}

// popMembers takes some at random: the order in which Go walks a map begins somewhere else each time.
func popMembers(c *call) {
	if len(c.words) > 3 {
		c.syntaxError()
		return
	}
	wanted, good := c.popCount()
	if !good {
		return
	}
	s, found, good := valueOf[set](c, c.words[1])
	if !good {
		return
	}
	count := int(min(wanted, int64(len(s))))
	if len(c.words) == 3 {
		c.array(count)
	} else if !found {
		c.null()
	}
	for member := range s {
		if count--; count < 0 {
			break
		}
		c.bulk(member)
		delete(s, member)
	}
	c.removeIf(found && len(s) == 0)
}

func setFields(c *call, name string) {
	if len(c.words)%2 == 1 {
		c.fail("ERR wrong number of arguments for '" + name + "' command")
		return
	}
	h, good := valueOrNew(c, c.words[1], func() hash { return hash{} })
	if !good {
		return
	}
	before := len(h)
	for i := 2; i < len(c.words); i += 2 {
		h[string(c.words[i])] = string(c.words[i+1])
	}
	if name == "hset" {
		c.integer(len(h) - before)
	} else {
		c.ok()
	}
}

func (c *call) field(h hash, name []byte) {
	value, known := h[string(name)]
	c.text(text(value), known)
}

func getField(c *call) {
	if h, _, good := valueOf[hash](c, c.words[1]); good {
		c.field(h, c.words[2])
	}
}

func getFields(c *call) {
	if h, _, good := valueOf[hash](c, c.words[1]); good {
		c.array(len(c.words) - 2)
		for _, name := range c.words[2:] {
			c.field(h, name)
		}
	}
}

func allFields(c *call, names, values bool) {
	h, _, good := valueOf[hash](c, c.words[1])
	if !good {
		return
	}
	each := 1
	if names && values {
		each = 2
	}
	c.array(each * len(h))
	for name, value := range h {
		if names {
			c.bulk(name)
		}
		if values {
			c.bulk(value)
		}
	}
}

func addToField(c *call) {
	n, good := c.integerAt(3)
	if !good {
		return
	}
	h, _, good := valueOf[hash](c, c.words[1])
	if !good {
		return
	}
	old, known := h[string(c.words[2])]
	sum := int64(0)
	if known {
		var good bool
		if sum, good = integer(old); !good {
			c.fail("ERR hash value is not an integer")
			return
		}
	}
	if n > 0 && sum+n < sum || n < 0 && sum+n > sum {
		c.fail("ERR increment or decrement would overflow")
		return
	}
	if h == nil {
		h = hash{}
		c.store().put(c.words[1], h)
	}
	h[string(c.words[2])] = strconv.FormatInt(sum+n, 10)
	c.integer64(sum + n)
}
