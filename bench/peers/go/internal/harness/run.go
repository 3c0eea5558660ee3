// Package harness measures one run of a workload as bench/run.md describes it: what a mutator felt, what the runtime
// says of itself, and what the kernel counted. It is the Go side of what every language's harness does.
package harness

import (
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// origin is what all instants of the program are counted from: the monotonic clock alone is read after it.
var origin = time.Now()

// Now returns nanoseconds of the monotonic clock.
func Now() int64 { return int64(time.Since(origin)) }

// A Run is one workload's run. A workload calls Begin when its set-up is done, and End when its work is.
type Run struct {
	*Params
	Workload string

	baseline int64
	began    int64
	clock    int64 // what CLOCK_MONOTONIC was then; 0: nobody wants to know
	wall     int64
	before   counters
	after    counters
	peakRSS  int64
	endRSS   int64
	settled  counters // once all had been collected, while the lanes held what they held
	heldRSS  int64
	sampler  *sampler
	jitter   *Histogram

	mutex    sync.Mutex
	lanes    []*Lane
	warmUp   []int64
	figures  map[string]float64
	checksum uint64
}

// NewRun applies the parameters to the runtime and notes how large the process is before any work.
func NewRun(workload string, params *Params) *Run {
	debug.SetGCPercent(params.Percent)
	if params.Limit > 0 {
		debug.SetMemoryLimit(params.Limit)
	}
	return &Run{Params: params, Workload: workload, baseline: statusBytes("VmRSS"), figures: map[string]float64{}}
}

// Begin starts the measured part, after a whole collection of what was built for it.
func (r *Run) Begin() {
	runtime.GC()
	r.jitter = spinForJitter(r.Jitter)
	r.sampler = startSampler()
	r.before = readCounters()
	r.began = Now()
	r.sampler.from.Store(r.began)
}

// BeginWatched is Begin for who watches from another process: the report says when it was, by CLOCK_MONOTONIC.
func (r *Run) BeginWatched() {
	r.Begin()
	r.clock = monotonic() - (Now() - r.began)
}

// End ends the measured part.
func (r *Run) End() {
	r.wall = Now() - r.began
	r.after = readCounters()
	r.sampler.stop()
	r.peakRSS, r.endRSS = statusBytes("VmHWM"), statusBytes("VmRSS")
	runtime.GC()
	r.settled, r.heldRSS = readCounters(), statusBytes("VmRSS")
	for _, l := range r.lanes {
		l.kept = nil
	}
}

// Check gives the run the checksum of its work.
func (r *Run) Check(checksum uint64) { r.checksum = checksum }

// Wall returns how long the measured part took, in nanoseconds.
func (r *Run) Wall() int64 { return r.wall }

// Figure adds what only this workload measures; its unit ends the name.
func (r *Run) Figure(name string, value float64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.figures[name] = value
}

// Repeated notes how long one repetition of the work took.
func (r *Run) Repeated(ns int64) { r.warmUp = append(r.warmUp, ns) }

// FigureOfRounds adds what the repetitions noted so far took, each divided by `by`: the median, and both extremes.
func (r *Run) FigureOfRounds(what string, by float64) {
	sorted := slices.Clone(r.warmUp)
	slices.Sort(sorted)
	n := len(sorted)
	r.Figure(what+"_ns", float64(sorted[(n-1)/2]+sorted[n/2])/2/by)
	r.Figure(what+"_low_ns", float64(sorted[0])/by)
	r.Figure(what+"_high_ns", float64(sorted[n-1])/by)
}

// Mix adds a number to a checksum.
func Mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9E3779B97F4A7C15
	return h ^ h>>32
}

// Seeded returns the random numbers of one thread of a workload.
func Seeded(seed uint64, thread int) *Random { return NewRandom(seed + 1000*uint64(thread)) }

// OnThreads runs body on as many goroutines as the parameters say, and returns the sum of what they return.
func (r *Run) OnThreads(body func(thread int) uint64) uint64 {
	sums := make([]uint64, r.Threads)
	var all sync.WaitGroup
	for i := range sums {
		all.Add(1)
		go func() {
			defer all.Done()
			sums[i] = body(i)
		}()
	}
	all.Wait()
	var sum uint64
	for _, each := range sums {
		sum += each
	}
	return sum
}

// leastGap is what counts as one, in ns, in all languages alike: below it a gap is the clock itself.
const leastGap = 1000

// spinForJitter returns the gaps that a thread sees which does nothing but read the clock. It runs before the measured
// part, because collector and mutators together may use every core.
func spinForJitter(seconds float64) *Histogram {
	gaps := new(Histogram)
	last := Now()
	for end := last + int64(seconds*1e9); last < end; {
		now := Now()
		if now-last >= leastGap {
			gaps.Record(now - last)
		}
		last = now
	}
	return gaps
}
