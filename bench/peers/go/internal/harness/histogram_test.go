package harness

import (
	"math"
	"slices"
	"testing"
)

func TestEveryValueFallsIntoABucketOfAtMostOnePercent(t *testing.T) {
	random := NewRandom(1)
	for range 100000 {
		value := int64(random.Next() >> (1 + random.Below(63)))
		highest := highestIn(bucketOf(value))
		if highest < value || float64(highest-value) > 0.01*float64(value) {
			t.Fatalf("%d is counted as %d", value, highest)
		}
		if bucketOf(highest) != bucketOf(value) || highest != math.MaxInt64 && bucketOf(highest+1) == bucketOf(value) {
			t.Fatalf("%d is not the highest of its bucket", highest)
		}
	}
}

func TestPercentilesAgreeWithASort(t *testing.T) {
	random := NewRandom(2)
	var all []int64
	h := new(Histogram)
	for range 12345 {
		value := int64(random.Next() >> (20 + random.Below(43)))
		all = append(all, value)
		h.Record(value)
	}
	slices.Sort(all)
	for _, percent := range []float64{0, 1, 50, 90, 99, 99.9, 99.99, 99.999, 100} {
		exact := all[max(int(math.Ceil(percent/100*float64(len(all)))), 1)-1]
		if got := h.Percentile(percent); got < exact || float64(got-exact) > 0.01*float64(exact) {
			t.Errorf("p%v is %d, and should be %d", percent, got, exact)
		}
	}
}

func TestAHistogramOfTwoCountsWhatBothCounted(t *testing.T) {
	var a, b, both Histogram
	for i := range int64(1000) {
		a.Record(i * i)
		b.Record(i + 7)
		both.Record(i * i)
		both.Record(i + 7)
	}
	a.Add(&b)
	if a != both {
		t.Error("they differ")
	}
}
