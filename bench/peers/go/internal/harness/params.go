package harness

import (
	"fmt"
	"strconv"
)

// Params is what the command line chose, as bench/run.md lists it.
type Params struct {
	own      Own
	Threads  int
	Scale    float64
	Depth    int     // sizes what lives
	Rate     float64 // operations a second; 0: as fast as it can
	Seconds  float64
	Random   bool
	Survival float64
	Beside   float64 // objects a second that are made beside the operations; 0: as fast as it can
	Percent  int
	Limit    int64   // bytes; 0: none
	Jitter   float64 // seconds for which the machine's own is looked at
	Log      string  // the file for histograms in HdrHistogram's format; empty: none
}

// Own is what a workload has for what the command line leaves out, and which of it the workload has a use for: the rest
// is ignored.
type Own struct {
	Depth, Threads                            int
	Rate                                      float64
	Threaded, Random, Survival, Beside, Paced bool
	Idles                                     bool // for --seconds
}

// Scaled returns count times the scale, at least 1.
func (p *Params) Scaled(count int) int {
	return max(int(float64(count)*p.Scale), 1)
}

// Parse reads the options after the workload's name.
func (own Own) Parse(arguments []string) (*Params, error) {
	p := Params{own: own, Threads: max(own.Threads, 1), Depth: own.Depth, Rate: own.Rate,
		Scale: 1, Seconds: 10, Survival: 0.1, Percent: 100, Jitter: 0.1}
	for i := 0; i < len(arguments); i++ {
		name := arguments[i]
		if name == "--random" {
			p.Random = true
			continue
		}
		if i++; i == len(arguments) {
			return nil, fmt.Errorf("%s needs a value", name)
		}
		if name == "--hlog" && arguments[i] != "" {
			p.Log = arguments[i]
			continue
		}
		number, err := strconv.ParseFloat(arguments[i], 64)
		if err != nil || !(number >= 0 && number < 1e15) {
			return nil, fmt.Errorf("%s takes a number, not '%s'", name, arguments[i])
		}
		if !p.set(name, number) {
			return nil, fmt.Errorf("no option is called %s, or it cannot be %s", name, arguments[i])
		}
	}
	p.ignoreTheRest()
	return &p, nil
}

func (p *Params) ignoreTheRest() {
	if !p.own.Threaded {
		p.Threads = 1
	}
	if p.own.Depth == 0 {
		p.Depth = 0
	}
	if !p.own.Paced {
		p.Rate = 0
	}
	p.Random = p.Random && p.own.Random
}

func (p *Params) set(name string, number float64) bool {
	switch name {
	case "--threads":
		p.Threads = int(number)
	case "--scale":
		p.Scale = number
	case "--depth":
		p.Depth = int(number)
		return p.Depth >= 4 && p.Depth < 30
	case "--rate":
		p.Rate = number
	case "--seconds":
		p.Seconds = number
	case "--survival":
		p.Survival = number
	case "--beside":
		p.Beside = number
	case "--percent":
		p.Percent = int(number)
	case "--limit":
		p.Limit = int64(number)
	case "--jitter":
		p.Jitter = number
	default:
		return false
	}
	return p.Threads > 0 && p.Threads <= 10000 && p.Survival <= 1 && p.Jitter <= 60
}

// export returns what the command line came to, as far as the workload has a use for it.
func (p *Params) export() map[string]any {
	out := map[string]any{"scale": p.Scale, "percent": p.Percent}
	add := func(name string, value any, has bool) {
		if has {
			out[name] = value
		}
	}
	add("threads", p.Threads, p.own.Threaded)
	add("depth", p.Depth, p.Depth != 0)
	add("random", p.Random, p.own.Random)
	add("survival", p.Survival, p.own.Survival)
	add("beside", p.Beside, p.own.Beside)
	add("rate", p.Rate, p.own.Paced)
	add("seconds", p.Seconds, p.Paced() || p.own.Idles)
	add("limit", p.Limit, p.Limit != 0)
	return out
}
