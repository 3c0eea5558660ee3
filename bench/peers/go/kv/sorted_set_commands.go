package main

import "math"

var sortedSetCommands = map[string]command{
	"zadd":             {-4, 1, 1, 1, addScores},
	"zincrby":          {4, 1, 1, 1, addToScore},
	"zrem":             {-3, 1, 1, 1, removeScores},
	"zscore":           {3, 1, 1, 1, scoreOf},
	"zcard":            {2, 1, 1, 1, func(c *call) { countOf(c, func(z *sortedSet) int { return len(z.scores) }) }},
	"zrank":            {3, 1, 1, 1, func(c *call) { rankOf(c, false) }},
	"zrevrank":         {3, 1, 1, 1, func(c *call) { rankOf(c, true) }},
	"zrange":           {-4, 1, 1, 1, func(c *call) { rangeOfScores(c, rangeOptions{}) }},
	"zrevrange":        {-4, 1, 1, 1, func(c *call) { rangeOfScores(c, rangeOptions{reversed: true, old: true}) }},
	"zrangebyscore":    {-4, 1, 1, 1, func(c *call) { rangeOfScores(c, rangeOptions{byScore: true, old: true}) }},
	"zrevrangebyscore": {-4, 1, 1, 1, reversedRangeByScore},
	"zcount":           {4, 1, 1, 1, countBetween},
	"zpopmin":          {-2, 1, 1, 1, func(c *call) { popScores(c, false) }},
	"zpopmax":          {-2, 1, 1, 1, func(c *call) { popScores(c, true) }},
}

// addOptions are those of ZADD.
type addOptions struct{ nx, xx, gt, lt, ch, incr bool }

// addOptions returns the place of the first score.
func (c *call) addOptions() (o addOptions, i int) {
	for i = 2; i < len(c.words); i++ {
		switch {
		case c.is(i, "nx"):
			o.nx = true
		case c.is(i, "xx"):
			o.xx = true
		case c.is(i, "gt"):
			o.gt = true
		case c.is(i, "lt"):
			o.lt = true
		case c.is(i, "ch"):
			o.ch = true
		case c.is(i, "incr"):
			o.incr = true
		default:
			return o, i
		}
	}
	return o, i
}

func (o addOptions) complaint(words int) string {
	switch {
	case words == 0 || words%2 != 0:
		return "ERR syntax error"
	case o.nx && o.xx:
		return "ERR XX and NX options at the same time are not compatible"
	case o.gt && o.nx || o.lt && o.nx || o.gt && o.lt:
		return "ERR GT, LT, and/or NX options at the same time are not compatible"
	case o.incr && words > 2:
		return "ERR INCR option supports a single increment-element pair"
	}
	return ""
}

// allows says whether a member may get a score; old is meant only if it is known.
func (o addOptions) allows(known bool, old, fresh float64) bool {
	return !(known && o.nx || !known && o.xx || known && o.gt && fresh <= old || known && o.lt && fresh >= old)
}

func addScores(c *call) {
	o, first := c.addOptions()
	pairs := c.words[first:]
	if complaint := o.complaint(len(pairs)); complaint != "" {
		c.fail(complaint)
		return
	}
	scores := make([]float64, len(pairs)/2)
	for i := range scores {
		score, good := parseScore(pairs[2*i])
		if !good {
			c.fail("ERR value is not a valid float")
			return
		}
		scores[i] = score
	}
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	if !found {
		z = newSortedSet()
	}
	added, changed, taken := 0, 0, false
	for i, score := range scores {
		member := string(pairs[2*i+1])
		old, known := z.scores[member]
		if o.incr {
			if score += old; math.IsNaN(score) && o.allows(known, old, score) {
				c.fail("ERR resulting score is not a number (NaN)")
				return
			}
		}
		if taken = o.allows(known, old, score); !taken {
			continue
		}
		if known && old != score {
			changed++
		}
		if z.set(member, score) {
			added++
		}
	}
	if !found && len(z.scores) > 0 {
		c.store().put(c.words[1], z)
	}
	switch {
	case o.incr && !taken:
		c.null()
	case o.incr:
		c.score(z.scores[string(pairs[1])])
	case o.ch:
		c.integer(added + changed)
	default:
		c.integer(added)
	}
}

func addToScore(c *call) {
	n, good := parseScore(c.words[2])
	if !good {
		c.fail("ERR value is not a valid float")
		return
	}
	z, good := valueOrNew(c, c.words[1], newSortedSet)
	if !good {
		return
	}
	member := string(c.words[3])
	sum := z.scores[member] + n
	if math.IsNaN(sum) {
		c.fail("ERR resulting score is not a number (NaN)")
		return
	}
	z.set(member, sum)
	c.score(sum)
}

func removeScores(c *call) {
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	n := 0
	for _, member := range c.words[2:] {
		if found && z.remove(string(member)) {
			n++
		}
	}
	c.removeIf(found && len(z.scores) == 0)
	c.integer(n)
}

func scoreOf(c *call) {
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	if found {
		if score, known := z.scores[string(c.words[2])]; known {
			c.score(score)
			return
		}
	}
	c.null()
}

func rankOf(c *call, reversed bool) {
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	member := string(c.words[2])
	if found {
		if _, known := z.scores[member]; known {
			rank := z.rank(member)
			if reversed {
				rank = len(z.scores) - 1 - rank
			}
			c.integer(rank)
			return
		}
	}
	c.null()
}

// rangeOptions are those of ZRANGE and of the commands that it took the place of.
type rangeOptions struct {
	byScore, reversed, old bool
	withScores, limited    bool
	offset, count          int64
}

func (c *call) rangeOptions(o rangeOptions) (rangeOptions, bool) {
	o.count = -1
	for i := 4; i < len(c.words); i++ {
		switch {
		case c.is(i, "withscores"):
			o.withScores = true
		case c.is(i, "limit") && i+2 < len(c.words):
			var good bool
			if o.offset, o.count, good = c.spanAt(i + 1); !good {
				return o, false
			}
			o.limited = true
			i += 2
		case c.is(i, "rev") && !o.old:
			o.reversed = true
		case c.is(i, "byscore") && !o.old:
			o.byScore = true
		default:
			c.syntaxError()
			return o, false
		}
	}
	if o.limited && !o.byScore {
		c.fail("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
		return o, false
	}
	return o, true
}

// boundsAt reads two ends of a range of scores.
func (c *call) boundsAt(low, high int) (from, to bound, good bool) {
	var ends [2]bound
	for i, at := range [2]int{low, high} {
		word := c.words[at]
		if len(word) > 0 && word[0] == '(' {
			ends[i].without = true
			word = word[1:]
		}
		if ends[i].score, good = parseScore(word); !good {
			c.fail("ERR min or max is not a float")
			return from, to, false
		}
	}
	return ends[0], ends[1], true
}

// ranksAt says how to find the ranks [first, end) of a range, before the set is known.
func (c *call) ranksAt(o rangeOptions) (find func(*sortedSet) (first, end int), good bool) {
	if o.byScore {
		low, high := 2, 3
		if o.reversed {
			low, high = 3, 2
		}
		from, to, good := c.boundsAt(low, high)
		return func(z *sortedSet) (int, int) { return z.ranks(from, to) }, good
	}
	start, stop, good := c.spanAt(2)
	return func(z *sortedSet) (int, int) {
		first, end := span(start, stop, len(z.scores))
		if o.reversed {
			first, end = len(z.scores)-end, len(z.scores)-first
		}
		return first, end
	}, good
}

// within cuts a range down to what LIMIT leaves of it.
func (o rangeOptions) within(first, end int) (int, int) {
	size := int64(max(end-first, 0))
	if o.offset < 0 || o.offset >= size {
		return first, first
	}
	count := size - o.offset
	if o.count >= 0 {
		count = min(count, o.count)
	}
	if o.reversed {
		return end - int(o.offset+count), end - int(o.offset)
	}
	return first + int(o.offset), first + int(o.offset+count)
}

func rangeOfScores(c *call, o rangeOptions) {
	o, good := c.rangeOptions(o)
	if !good {
		return
	}
	find, good := c.ranksAt(o)
	if !good {
		return
	}
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	if !found {
		c.array(0)
		return
	}
	first, end := o.within(find(z))
	if o.withScores {
		c.array(2 * (end - first))
	} else {
		c.array(end - first)
	}
	z.visit(first, end, o.reversed, func(n *skipNode) {
		c.bulk(n.member)
		if o.withScores {
			c.score(n.score)
		}
	})
}

func reversedRangeByScore(c *call) {
	rangeOfScores(c, rangeOptions{byScore: true, reversed: true, old: true})
}

func countBetween(c *call) {
	from, to, good := c.boundsAt(2, 3)
	if !good {
		return
	}
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	if !found {
		c.integer(0)
		return
	}
	first, end := z.ranks(from, to)
	c.integer(max(end-first, 0))
}

func popScores(c *call, greatest bool) {
	if len(c.words) > 3 {
		c.syntaxError()
		return
	}
	wanted, good := c.popCount()
	if !good {
		return
	}
	z, found, good := valueOf[*sortedSet](c, c.words[1])
	if !good {
		return
	}
	if !found {
		c.array(0)
		return
	}
	count := int(min(wanted, int64(len(z.scores))))
	c.array(2 * count)
	for range count {
		rank := 0
		if greatest {
			rank = len(z.scores) - 1
		}
		n := z.at(rank)
		c.bulk(n.member)
		c.score(n.score)
		z.remove(n.member)
	}
	c.removeIf(len(z.scores) == 0)
}
