package harness

import (
	"math"
	"testing"
)

func TestUtilisationOfATraceDoneByHand(t *testing.T) {
	// Of 1000: 100 to 150 and 200 to 230 are lost.
	pauses := []Pause{{At: 100, Ns: 50}, {At: 200, Ns: 30}}
	for _, each := range []struct {
		window int64
		least  float64
	}{
		{10, 0}, {50, 0}, {100, 0.5}, {130, 1 - 80.0/130}, {150, 1 - 80.0/150}, {1000, 0.92},
	} {
		if got := MMU(pauses, 1000, each.window); math.Abs(got-each.least) > 1e-9 {
			t.Errorf("in windows of %d it is %v, and should be %v", each.window, got, each.least)
		}
	}
	if !math.IsNaN(MMU(pauses, 1000, 1001)) {
		t.Error("a window that is longer than the run has a utilisation")
	}
}

func TestUtilisationAgreesWithTryingEveryWindow(t *testing.T) {
	random := NewRandom(3)
	for range 200 {
		var pauses []Pause
		lost := make([]int64, 401)
		at := int64(random.Below(20))
		for at < 380 {
			p := Pause{At: at, Ns: int64(1 + random.Below(15))}
			pauses = append(pauses, p)
			for i := p.At; i < p.At+p.Ns; i++ {
				lost[i+1] = 1
			}
			at += p.Ns + int64(1+random.Below(40))
		}
		for i := range 400 {
			lost[i+1] += lost[i]
		}
		for _, window := range []int64{1, 7, 50, 399, 400} {
			var worst int64
			for from := int64(0); from+window <= 400; from++ {
				worst = max(worst, lost[from+window]-lost[from])
			}
			if got, least := MMU(pauses, 400, window), 1-float64(worst)/float64(window); math.Abs(got-least) > 1e-9 {
				t.Fatalf("window %d of %v: %v, and should be %v", window, pauses, got, least)
			}
		}
	}
}
