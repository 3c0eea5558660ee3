// The workloads of `umber bench gc` as a Go program: runs one and prints one line of JSON. What a run takes and prints
// is in bench/run.md, what each workload does in bench/gc/README.md.
package main

import (
	"fmt"
	"os"

	"umber/peers/internal/harness"
)

// A workload has parameters of its own, and takes some of those of the command line.
type workload struct {
	name, description string
	run               func(*harness.Run) error
	own               harness.Own
}

var table = []workload{
	{"binary_trees", "trees of many depths, made, counted and dropped", binaryTrees,
		harness.Own{Depth: 18, Threaded: true}},
	{"gcbench", "trees from the top down and from the bottom up, three times", gcBench,
		harness.Own{Depth: 18}},
	{"message_ring", "messages of 1 KiB into a ring, over a tree that lives", messageRing,
		harness.Own{Depth: 23, Random: true, Paced: true, Rate: 250000}},
	{"graph_mutate", "random swaps among many nodes, with a goroutine that allocates beside it", graphMutate,
		harness.Own{Depth: 20, Beside: true, Paced: true}},
	{"lru_cache", "look-ups of strings in a map that forgets what was not used", lruCache,
		harness.Own{Depth: 17, Threaded: true, Paced: true}},
	{"large_arrays", "arrays of 64 KiB to 2 MiB take each other's place", largeArrays,
		harness.Own{Depth: 6, Threaded: true, Paced: true}},
	{"ast", "syntax trees of many types: built, evaluated, rewritten", syntaxTrees,
		harness.Own{Depth: 8, Threaded: true, Paced: true}},
	{"threads", "short lists, which threads hand to each other", threadsWorkload,
		harness.Own{Depth: 10, Threaded: true, Threads: 4, Paced: true}},
	{"churn_survive", "objects of which a share survives", churnSurvive,
		harness.Own{Depth: 18, Threaded: true, Survival: true, Paced: true}},
	{"leak_slow", "a heap that grows", leakSlow,
		harness.Own{Threaded: true, Paced: true}},
	{"finalizer_storm", "every object has a finalizer", finalizerStorm,
		harness.Own{Depth: 12, Threaded: true, Paced: true}},
	{"weak_cache", "look-ups through weak references", weakCache,
		harness.Own{Depth: 16, Threaded: true, Paced: true}},
	{"idle_return", "a large tree is dropped, and nothing done: what the system gets back, and when", idleReturn,
		harness.Own{Depth: 21, Idles: true}},
	{"recording", "operations that do nothing: what measuring them costs", recording,
		harness.Own{}},
	{"full_collection", "whole collections of a tree that lives", fullCollection,
		harness.Own{Depth: 23, Random: true}},
	{"linked_list", "whole collections of a list in random order", linkedList,
		harness.Own{}},
	{"allocate", "objects of 16 bytes, without collecting", allocate,
		harness.Own{}},
	{"barrier", "stores, idle and while a collection runs", barrierStores,
		harness.Own{}},
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
	params, err := row.own.Parse(os.Args[2:])
	if err != nil {
		refuse("%v", err)
	}
	run := harness.NewRun(row.name, params)
	if err = row.run(run); err == nil {
		err = run.Report(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "umber-peers-go: %s: %v\n", row.name, err)
		os.Exit(1)
	}
}
