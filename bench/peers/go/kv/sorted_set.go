package main

import "math/rand/v2"

// A sortedSet keeps members with scores in the order of both: a skip list (Pugh 1990) whose links know how many they
// pass, so that ranks are found as fast as members are, and beside it a map from members to scores.
type sortedSet struct {
	scores map[string]float64
	head   skipNode
	level  int
}

const mostLevels = 24

type skipNode struct {
	member string
	score  float64
	links  []skipLink
}

type skipLink struct {
	next *skipNode
	span int // how many steps of the lowest level it is
}

func newSortedSet() *sortedSet {
	return &sortedSet{scores: map[string]float64{}, head: skipNode{links: make([]skipLink, mostLevels)}, level: 1}
}

func (n *skipNode) isBefore(score float64, member string) bool {
	return n.score < score || n.score == score && n.member < member
}

// A skipPath is, on each level, the last node before a place, and its rank from 1; the head's is 0.
type skipPath struct {
	nodes [mostLevels]*skipNode
	ranks [mostLevels]int
}

func (z *sortedSet) pathTo(score float64, member string) (p skipPath) {
	at, rank := &z.head, 0
	for i := z.level - 1; i >= 0; i-- {
		for next := at.links[i].next; next != nil && next.isBefore(score, member); next = at.links[i].next {
			rank += at.links[i].span
			at = next
		}
		p.nodes[i], p.ranks[i] = at, rank
	}
	return p
}

// set gives a member a score, and says whether it is new.
func (z *sortedSet) set(member string, score float64) bool {
	old, known := z.scores[member]
	if known && old == score {
		return false
	}
	if known {
		z.unlink(member, old)
	}
	z.scores[member] = score
	z.link(member, score)
	return !known
}

func (z *sortedSet) remove(member string) bool {
	score, known := z.scores[member]
	if known {
		delete(z.scores, member)
		z.unlink(member, score)
	}
	return known
}

func randomLevels() int {
	levels := 1
	for levels < mostLevels && rand.Uint32()&3 == 0 {
		levels++
	}
	return levels
}

func (z *sortedSet) link(member string, score float64) {
	p := z.pathTo(score, member)
	levels := randomLevels()
	for ; z.level < levels; z.level++ {
		p.nodes[z.level] = &z.head
		z.head.links[z.level].span = len(z.scores) - 1
	}
	fresh := &skipNode{member, score, make([]skipLink, levels)}
	for i := range z.level {
		link := &p.nodes[i].links[i]
		if i >= levels {
			link.span++
			continue
		}
		passed := p.ranks[0] - p.ranks[i]
		fresh.links[i] = skipLink{link.next, link.span - passed}
		*link = skipLink{fresh, passed + 1}
	}
}

func (z *sortedSet) unlink(member string, score float64) {
	p := z.pathTo(score, member)
	dead := p.nodes[0].links[0].next
	for i := range z.level {
		link := &p.nodes[i].links[i]
		if link.next != dead {
			link.span--
			continue
		}
		*link = skipLink{dead.links[i].next, link.span + dead.links[i].span - 1}
	}
	for z.level > 1 && z.head.links[z.level-1].next == nil {
		z.level--
	}
}

// rank returns how many come before a member, which is there.
func (z *sortedSet) rank(member string) int { return z.pathTo(z.scores[member], member).ranks[0] }

// at returns the node of a rank from 0, or nil.
func (z *sortedSet) at(rank int) *skipNode {
	at, passed := &z.head, 0
	for i := z.level - 1; i >= 0; i-- {
		for at.links[i].next != nil && passed+at.links[i].span <= rank+1 {
			passed += at.links[i].span
			at = at.links[i].next
		}
	}
	if passed != rank+1 {
		return nil
	}
	return at
}

// A bound is one end of a range of scores.
type bound struct {
	score   float64
	without bool // itself
}

// countBefore returns how many have a score below a bound, or are it where that is wanted.
func (z *sortedSet) countBefore(score float64, withEqual bool) int {
	at, rank := &z.head, 0
	for i := z.level - 1; i >= 0; i-- {
		for {
			next := at.links[i].next
			if next == nil || next.score > score || next.score == score && !withEqual {
				break
			}
			rank += at.links[i].span
			at = next
		}
	}
	return rank
}

// ranks returns the ranks [first, end) of what lies between two scores.
func (z *sortedSet) ranks(low, high bound) (first, end int) {
	return z.countBefore(low.score, low.without), z.countBefore(high.score, !high.without)
}

// visit calls visit for the ranks [first, end), or in the reverse order.
func (z *sortedSet) visit(first, end int, reversed bool, visit func(*skipNode)) {
	if reversed {
		for rank := end - 1; rank >= first; rank-- {
			visit(z.at(rank))
		}
		return
	}
	for node := z.at(first); first < end && node != nil; first++ {
		visit(node)
		node = node.links[0].next
	}
}
