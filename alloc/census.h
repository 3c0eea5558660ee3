// Counting the heap: the one walk that answers every question about it. See stats.h for what is counted.
//
// Invariants
//   [census.1] a census changes nothing.
// Concurrency
//   Holds the mheap's lock while it walks. Blocks that other threads allocate meanwhile may or may not be counted.
// Uses / used by
//   Uses mheap, processor, scavenger, stats. Used by report, override and api, through collect_stats.
#pragma once

#include "stats.h"
