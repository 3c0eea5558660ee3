package harness

import (
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	firstInterval = 10 * time.Millisecond
	mostMoments   = 1000
)

// A moment is what the heap was like at one instant.
type moment struct {
	At   int64 `json:"at_ns"`
	RSS  int64 `json:"rss"`
	Live int64 `json:"live"`
	Goal int64 `json:"goal"`
	Heap int64 `json:"heap"`
}

// A sampler looks at the heap every 10 ms; once it has a thousand moments it drops every other and looks half as often.
type sampler struct {
	from    atomic.Int64 // when the measured part began; zero before
	ending  chan struct{}
	ended   chan struct{}
	moments []moment
	cycles  cycleLog
}

func startSampler() *sampler {
	s := &sampler{ending: make(chan struct{}), ended: make(chan struct{}), moments: make([]moment, 0, mostMoments)}
	s.cycles.look(0)
	go s.watch()
	return s
}

func (s *sampler) stop() {
	close(s.ending)
	<-s.ended
	s.cycles.look(s.from.Load())
}

func (s *sampler) watch() {
	defer close(s.ended)
	interval := firstInterval
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	samples := []metrics.Sample{{Name: liveBytes}, {Name: goalBytes}, {Name: objectBytes}, {Name: cycleCount}}
	buffer := make([]byte, 128)
	for {
		select {
		case <-s.ending:
			return
		case <-ticker.C:
		}
		began := s.from.Load()
		if began == 0 {
			continue
		}
		metrics.Read(samples)
		s.moments = append(s.moments, moment{At: Now() - began, RSS: residentBytes(buffer),
			Live: int64(samples[0].Value.Uint64()), Goal: int64(samples[1].Value.Uint64()),
			Heap: int64(samples[2].Value.Uint64())})
		if int64(samples[3].Value.Uint64())-s.cycles.seen > 100 {
			s.cycles.look(began)
		}
		if len(s.moments) == mostMoments {
			for i := range mostMoments / 2 {
				s.moments[i] = s.moments[2*i+1]
			}
			s.moments = s.moments[:mostMoments/2]
			interval *= 2
			ticker.Reset(interval)
		}
	}
}
