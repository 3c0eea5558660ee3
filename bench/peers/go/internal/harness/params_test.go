package harness

import "testing"

func TestOperationsAreSharedOutWithoutRest(t *testing.T) {
	for _, p := range []Params{
		{Threads: 1, Scale: 1}, {Threads: 3, Scale: 0.001}, {Threads: 7, Scale: 1},
		{Threads: 4, Scale: 1, Rate: 333, Seconds: 1.5},
	} {
		sum := 0
		for thread := range p.Threads {
			sum += p.Operations(1000, thread)
		}
		want := p.Scaled(1000)
		if p.Paced() {
			want = 499
		}
		if sum != want {
			t.Errorf("%+v: %d operations, and should be %d", p, sum, want)
		}
	}
}

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	for _, each := range [][]string{
		{"--threads"}, {"--threads", "0"}, {"--threads", "-1"}, {"--scale", "nan"}, {"--scale", "x"}, {"--frob", "1"},
		{"--survival", "1.5"}, {"--depth", "30"},
	} {
		if _, err := Defaults.Parse(each); err == nil {
			t.Errorf("%q is taken", each)
		}
	}
	p, err := Defaults.Parse([]string{"--random", "--rate", "5e4", "--depth", "20"})
	if err != nil || !p.Random || p.Rate != 50000 || p.Depth != 20 || p.Scale != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}
