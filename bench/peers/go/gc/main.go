// The workloads of `umber bench gc` as a Go program: runs one and prints one line of JSON. What a run takes and prints
// is in bench/run.md, what each workload does in bench/gc/README.md.
package main

import (
	"fmt"
	"os"

	"umber/peers/internal/harness"
)

type workload struct {
	name, description string
	run               func(*harness.Run) error
	depth             int
	threads           int
	rate              float64
}

var table = []workload{
	{"binary_trees", "trees of many depths, made, counted and dropped", binaryTrees, 18, 1, 0},
	{"gcbench", "trees from the top down and from the bottom up, three times", gcBench, 18, 1, 0},
	{"message_ring", "messages of 1 KiB into a ring, over a tree that lives", messageRing, 23, 1, 250000},
	{"graph_mutate", "random swaps among many nodes, with a goroutine that allocates beside it", graphMutate, 20, 1, 0},
	{"lru_cache", "look-ups of strings in a map that forgets what was not used", lruCache, 17, 1, 0},
	{"large_arrays", "arrays of 64 KiB to 2 MiB take each other's place", largeArrays, 6, 1, 0},
	{"ast", "syntax trees of many types: built, evaluated, rewritten", syntaxTrees, 8, 1, 0},
	{"threads", "short lists, which threads hand to each other", threadsWorkload, 10, 4, 0},
	{"churn_survive", "objects of which a share survives", churnSurvive, 18, 1, 0},
	{"leak_slow", "a heap that grows", leakSlow, 0, 1, 0},
	{"finalizer_storm", "every object has a finalizer", finalizerStorm, 12, 1, 0},
	{"weak_cache", "look-ups through weak references", weakCache, 16, 1, 0},
	{"recording", "operations that do nothing: what measuring them costs", recording, 0, 1, 0},
	{"full_collection", "whole collections of a tree that lives", fullCollection, 23, 1, 0},
	{"linked_list", "whole collections of a list in random order", linkedList, 0, 1, 0},
	{"allocate", "objects of 16 bytes, without collecting", allocate, 0, 1, 0},
	{"barrier", "stores, idle and while a collection runs", barrierStores, 0, 1, 0},
}

func refuse(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "umber-peers-go: "+format+"\n", values...)
	os.Exit(2)
}

func find(name string) *workload {
	for i := range table {
		if table[i].name == name {
			return &table[i]
		}
	}
	return nil
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--list" {
		for _, row := range table {
			fmt.Printf("%s\t%s\n", row.name, row.description)
		}
		return
	}
	if len(os.Args) < 2 {
		refuse("which workload? --list names them")
	}
	row := find(os.Args[1])
	if row == nil {
		refuse("no workload is called '%s'; --list names them", os.Args[1])
	}
	own := harness.Defaults
	own.Depth, own.Threads, own.Rate = row.depth, row.threads, row.rate
	params, err := own.Parse(os.Args[2:])
	if err != nil {
		refuse("%v", err)
	}
	run := harness.NewRun(row.name, params)
	if err = row.run(run); err == nil {
		err = run.Print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "umber-peers-go: %s: %v\n", row.name, err)
		os.Exit(1)
	}
}
