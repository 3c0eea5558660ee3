package harness

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The runtime's own account, by the names of package runtime/metrics. The runtime brings its CPU classes up to date at
// the end of each cycle, so they miss what a cycle under way has used.
const (
	assistCPU    = "/cpu/classes/gc/mark/assist:cpu-seconds"
	dedicatedCPU = "/cpu/classes/gc/mark/dedicated:cpu-seconds"
	idleCPU      = "/cpu/classes/gc/mark/idle:cpu-seconds"
	pauseCPU     = "/cpu/classes/gc/pause:cpu-seconds"
	scavengeCPU  = "/cpu/classes/scavenge/total:cpu-seconds"
	allocBytes   = "/gc/heap/allocs:bytes"
	allocObjects = "/gc/heap/allocs:objects"
	freeBytes    = "/gc/heap/frees:bytes"
	liveBytes    = "/gc/heap/live:bytes"
	goalBytes    = "/gc/heap/goal:bytes"
	objectBytes  = "/memory/classes/heap/objects:bytes"
	unusedBytes  = "/memory/classes/heap/unused:bytes"
	freeSpans    = "/memory/classes/heap/free:bytes"
	otherBytes   = "/memory/classes/metadata/other:bytes"
	mspanBytes   = "/memory/classes/metadata/mspan/inuse:bytes"
	mcacheBytes  = "/memory/classes/metadata/mcache/inuse:bytes"
	cycleCount   = "/gc/cycles/total:gc-cycles"
	stopTimes    = "/sched/pauses/total/gc:seconds"
)

var names = []string{assistCPU, dedicatedCPU, idleCPU, pauseCPU, scavengeCPU, allocBytes, allocObjects, freeBytes,
	liveBytes, goalBytes, objectBytes, unusedBytes, freeSpans, otherBytes, mspanBytes, mcacheBytes, cycleCount, stopTimes}

// counters is a reading of all of them, with the kernel's beside it.
type counters struct {
	used
	at      int64
	numbers map[string]int64 // seconds are nanoseconds here
	stops   *metrics.Float64Histogram
}

func readCounters() counters {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	c := counters{used: readUsed(), at: Now(), numbers: map[string]int64{}}
	for _, s := range samples {
		switch s.Value.Kind() {
		case metrics.KindUint64:
			c.numbers[s.Name] = int64(s.Value.Uint64())
		case metrics.KindFloat64:
			c.numbers[s.Name] = int64(s.Value.Float64() * 1e9)
		case metrics.KindFloat64Histogram:
			c.stops = s.Value.Float64Histogram()
		}
	}
	return c
}

// since returns what a counter has grown by; one that the runtime does not know has not.
func (c counters) since(before counters, name string) int64 {
	return c.numbers[name] - before.numbers[name]
}

// stopsSince returns the stops of the world between two readings. The runtime keeps them in buckets of its own: each
// counts here as the highest of its bucket.
func (c counters) stopsSince(before counters) *Histogram {
	if c.stops == nil {
		return nil
	}
	out := new(Histogram)
	for i, n := range c.stops.Counts {
		if before.stops != nil {
			n -= before.stops.Counts[i]
		}
		highest := c.stops.Buckets[i+1]
		if math.IsInf(highest, 1) {
			highest = c.stops.Buckets[i]
		}
		for ; n > 0; n-- {
			out.Record(int64(highest * 1e9))
		}
	}
	return out
}

// A cycleLog collects the stop of each cycle; the runtime remembers the last 256 of them.
type cycleLog struct {
	seen   int64
	stops  []Pause
	ends   []cycleEnd
	lately debug.GCStats
}

type cycleEnd struct{ number, at int64 }

// look notes what has ended since the last look. The runtime tells the instants by the calendar's clock.
func (l *cycleLog) look(began int64) {
	debug.ReadGCStats(&l.lately)
	shift := Now() - time.Now().UnixNano()
	fresh := min(l.lately.NumGC-l.seen, int64(len(l.lately.Pause)))
	for i := fresh - 1; i >= 0; i-- {
		ns := int64(l.lately.Pause[i])
		end := l.lately.PauseEnd[i].UnixNano() + shift - began
		at := end - ns
		if began != 0 && at >= 0 {
			l.stops = append(l.stops, Pause{At: at, Ns: ns, Cause: "stop"})
			l.ends = append(l.ends, cycleEnd{l.lately.NumGC - i, end})
		}
	}
	l.seen = l.lately.NumGC
}
