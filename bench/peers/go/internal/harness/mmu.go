package harness

import (
	"math"
	"sort"
)

// A Pause is a stretch in which one mutator could not get on. At counts from the start of the measured part.
type Pause struct {
	At    int64  `json:"at_ns"`
	Ns    int64  `json:"ns"`
	Cause string `json:"cause"`
}

// Windows returns 1 us to 1 s, four a decade.
func Windows() []int64 {
	var out []int64
	for i := 12; i <= 36; i++ {
		out = append(out, int64(math.Round(math.Pow(10, float64(i)/4))))
	}
	return out
}

// MMU returns the least share of any window of that length, within [0, wall), in which the mutator ran. The pauses are
// one mutator's: sorted, without overlap. The worst window begins where a pause begins, or ends where one ends.
func MMU(pauses []Pause, wall, window int64) float64 {
	if window > wall || window <= 0 {
		return math.NaN()
	}
	before := make([]int64, len(pauses)+1)
	for i, p := range pauses {
		before[i+1] = before[i] + p.Ns
	}
	// paused returns how long the mutator had been held up by then.
	paused := func(at int64) int64 {
		i := sort.Search(len(pauses), func(i int) bool { return pauses[i].At >= at })
		if i == 0 {
			return 0
		}
		last := pauses[i-1]
		return before[i-1] + min(last.Ns, at-last.At)
	}
	var worst int64
	for _, p := range pauses {
		for _, from := range [2]int64{p.At, p.At + p.Ns - window} {
			from = min(max(from, 0), wall-window)
			worst = max(worst, paused(from+window)-paused(from))
		}
	}
	return 1 - float64(worst)/float64(window)
}

// mmuCurve takes the worst of all mutators in each window. Windows longer than the run are left out.
func mmuCurve(mutators [][]Pause, wall int64) [][2]float64 {
	var out [][2]float64
	for _, window := range Windows() {
		if window > wall {
			break
		}
		least := 1.0
		for _, pauses := range mutators {
			least = min(least, MMU(pauses, wall, window))
		}
		out = append(out, [2]float64{float64(window), least})
	}
	return out
}
