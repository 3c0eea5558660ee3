package harness

import (
	"fmt"
	"strconv"
)

// Params is what the command line chose, as bench/run.md lists it.
type Params struct {
	Threads  int
	Scale    float64
	Depth    int     // sizes what lives
	Rate     float64 // operations a second; 0: as fast as it can
	Seconds  float64
	Random   bool
	Survival float64
	Percent  int
	Limit    int64   // bytes; 0: none
	Jitter   float64 // seconds for which the machine's own is looked at
}

// Defaults are those of a workload that has none of its own.
var Defaults = Params{Threads: 1, Scale: 1, Seconds: 10, Survival: 0.1, Percent: 100, Jitter: 0.1}

// Scaled returns count times the scale, at least 1.
func (p *Params) Scaled(count int) int {
	return max(int(float64(count)*p.Scale), 1)
}

// Parse reads the options after the workload's name, over what the workload has for those that are absent.
func (p Params) Parse(arguments []string) (*Params, error) {
	for i := 0; i < len(arguments); i++ {
		name := arguments[i]
		if name == "--random" {
			p.Random = true
			continue
		}
		if i++; i == len(arguments) {
			return nil, fmt.Errorf("%s needs a value", name)
		}
		number, err := strconv.ParseFloat(arguments[i], 64)
		if err != nil || !(number >= 0 && number < 1e15) {
			return nil, fmt.Errorf("%s takes a number, not '%s'", name, arguments[i])
		}
		if !p.set(name, number) {
			return nil, fmt.Errorf("no option is called %s, or it cannot be %s", name, arguments[i])
		}
	}
	return &p, nil
}

func (p *Params) set(name string, number float64) bool {
	switch name {
	case "--threads":
		p.Threads = int(number)
	case "--scale":
		p.Scale = number
	case "--depth":
		p.Depth = int(number)
	case "--rate":
		p.Rate = number
	case "--seconds":
		p.Seconds = number
	case "--survival":
		p.Survival = number
	case "--percent":
		p.Percent = int(number)
	case "--limit":
		p.Limit = int64(number)
	case "--jitter":
		p.Jitter = number
	default:
		return false
	}
	return p.Threads > 0 && p.Threads <= 10000 && p.Depth < 30 && p.Survival <= 1 && p.Jitter <= 60
}

func (p *Params) export() map[string]any {
	out := map[string]any{"threads": p.Threads, "scale": p.Scale, "percent": p.Percent, "rate": p.Rate,
		"seconds": p.Seconds, "random": p.Random, "survival": p.Survival, "depth": p.Depth}
	if p.Limit != 0 {
		out["limit"] = p.Limit
	}
	return out
}
