package harness

import (
	"math"
	"math/bits"
)

// A Histogram counts durations in nanoseconds in buckets of HdrHistogram's shape: 128 an octave, so that none is wider
// than 1 % of what it holds. It never allocates after it was made, and is not safe for concurrent use.
type Histogram struct {
	counts   [octaves * halfBuckets]uint64
	total    uint64
	sum      float64
	min, max int64
}

const (
	halfBits    = 7
	halfBuckets = 1 << halfBits
	octaves     = 64 - halfBits
)

func bucketOf(value int64) int {
	if value < 2*halfBuckets {
		return int(value)
	}
	shift := bits.Len64(uint64(value)) - halfBits - 1
	return shift*halfBuckets + int(value>>shift)
}

// highestIn returns the largest value that falls into a bucket.
func highestIn(bucket int) int64 {
	if bucket < 2*halfBuckets {
		return int64(bucket)
	}
	shift := bucket/halfBuckets - 1
	return int64(bucket-shift*halfBuckets+1)<<shift - 1
}

// Record counts one duration; a negative one counts as zero.
func (h *Histogram) Record(value int64) {
	value = max(value, 0)
	if h.total == 0 || value < h.min {
		h.min = value
	}
	h.max = max(h.max, value)
	h.total++
	h.sum += float64(value)
	h.counts[bucketOf(value)]++
}

func (h *Histogram) any() bool { return h != nil && h.total != 0 }

// Add counts all that another histogram has counted.
func (h *Histogram) Add(other *Histogram) {
	if other.total == 0 {
		return
	}
	if h.total == 0 || other.min < h.min {
		h.min = other.min
	}
	h.max = max(h.max, other.max)
	h.total += other.total
	h.sum += other.sum
	for i, n := range other.counts {
		h.counts[i] += n
	}
}

// Percentile returns the smallest recorded value, by bucket, that at least `percent` of all do not exceed.
func (h *Histogram) Percentile(percent float64) int64 {
	wanted := max(uint64(math.Ceil(percent/100*float64(h.total))), 1)
	var seen uint64
	for bucket, n := range h.counts {
		if seen += n; seen >= wanted {
			return min(highestIn(bucket), h.max)
		}
	}
	return h.max
}

type histogramJSON struct {
	Count   uint64     `json:"count"`
	Min     int64      `json:"min"`
	Max     int64      `json:"max"`
	Mean    int64      `json:"mean"`
	P50     int64      `json:"p50"`
	P90     int64      `json:"p90"`
	P99     int64      `json:"p99"`
	P999    int64      `json:"p99.9"`
	P9999   int64      `json:"p99.99"`
	P99999  int64      `json:"p99.999"`
	Buckets [][2]int64 `json:"buckets"`
}

// export returns what run.md calls a histogram, or nil for one that counted nothing.
func (h *Histogram) export() *histogramJSON {
	if !h.any() {
		return nil
	}
	out := &histogramJSON{
		Count: h.total, Min: h.min, Max: h.max, Mean: int64(h.sum / float64(h.total)),
		P50: h.Percentile(50), P90: h.Percentile(90), P99: h.Percentile(99),
		P999: h.Percentile(99.9), P9999: h.Percentile(99.99), P99999: h.Percentile(99.999),
	}
	for bucket, n := range h.counts {
		if n != 0 {
			out.Buckets = append(out.Buckets, [2]int64{highestIn(bucket), int64(n)})
		}
	}
	return out
}
