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
		{"--survival", "1.5"}, {"--depth", "30"}, {"--depth", "3"}, {"--hlog", ""},
	} {
		if _, err := (Own{}).Parse(each); err == nil {
			t.Errorf("%q is taken", each)
		}
	}
	all := []string{"--random", "--rate", "5e4", "--depth", "20", "--threads", "3"}
	p, err := Own{Depth: 10, Random: true, Paced: true, Threaded: true}.Parse(all)
	if err != nil || !p.Random || p.Rate != 50000 || p.Depth != 20 || p.Scale != 1 || p.Threads != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = Own{}.Parse(all)
	if err != nil || p.Random || p.Paced() || p.Depth != 0 || p.Threads != 1 {
		t.Errorf("what a workload has no use for is not ignored: %+v, %v", p, err)
	}
}
