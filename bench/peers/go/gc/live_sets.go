package main

import "umber/peers/internal/harness"

// A node of 64 bytes, as large as a cache line: of the trees that are only there to be marked, and of what churns.
type wideNode struct {
	left, right *wideNode
	payload     [6]uint64
}

// makeLiveTree returns a complete binary tree: depth first in the order of its allocation, or in random order.
func makeLiveTree(depth int, random bool) *wideNode {
	if !random {
		return liveTreeInOrder(depth)
	}
	all := shuffledNodes(2<<depth - 1)
	for i := 0; 2*i+2 < len(all); i++ {
		all[i].left, all[i].right = all[2*i+1], all[2*i+2]
	}
	return all[0]
}

func liveTreeInOrder(depth int) *wideNode {
	node := &wideNode{}
	if depth > 0 {
		node.left = liveTreeInOrder(depth - 1)
		node.right = liveTreeInOrder(depth - 1)
	}
	return node
}

// makeLiveList returns a list whose nodes lie in random order.
func makeLiveList(count int) *wideNode {
	all := shuffledNodes(count)
	for i := 0; i+1 < count; i++ {
		all[i].left = all[i+1]
	}
	return all[0]
}

// shuffledNodes allocates nodes in one order and returns them in another.
func shuffledNodes(count int) []*wideNode {
	nodes := make([]*wideNode, count)
	for i := range nodes {
		nodes[i] = &wideNode{}
	}
	random := harness.NewRandom(1)
	for i := count; i > 1; i-- {
		j := random.Below(i)
		nodes[i-1], nodes[j] = nodes[j], nodes[i-1]
	}
	return nodes
}
