package harness

import "sort"

// A pause that is shorter than this cannot be told from the machine's own.
const leastPause = 10_000

const mostPauses = 1 << 15

// A Lane times the operations of one thread, one after the other: each from the end of the one before it, or from when
// it was due if that is later. It belongs to one goroutine.
type Lane struct {
	service, response Histogram
	pauses            []Pause
	pauseAbove        int64
	origin            int64
	step              float64 // between two that are due; 0 where there is no pace
	due               int64
	last              int64
	begun             int64 // operations so far
	progress          progress
	kept              any
}

// Lane returns a lane for one more mutator. Where all operations are alike, one that takes much longer than they do was
// held up, and counts as a pause.
func (r *Run) Lane(alike bool) *Lane {
	l := newLane(r.began, 0)
	if r.Paced() {
		l.step = 1e9 * float64(r.Threads) / r.Rate
	}
	if alike {
		l.pauseAbove = leastPause
		l.pauses = make([]Pause, 0, mostPauses)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.lanes = append(r.lanes, l)
	return l
}

func newLane(origin int64, step float64) *Lane {
	return &Lane{origin: origin, last: Now(), pauseAbove: 1 << 62, step: step, progress: progress{every: 1}}
}

// PacedAlone returns a lane that belongs to no run, and keeps a pace of so many operations a second from now on.
func PacedAlone(rate float64) *Lane { return newLane(Now(), 1e9/rate) }

// MedianResponse returns the median of its response times so far.
func (l *Lane) MedianResponse() int64 { return l.response.Percentile(50) }

// Paced says whether each operation is due at an instant of its own.
func (p *Params) Paced() bool { return p.Rate > 0 }

// Operations returns how many operations a thread does of a paced workload: of `count`, scaled, or of as many as are
// due in the time, those whose number leaves `thread` when divided by the number of threads.
func (p *Params) Operations(count, thread int) int {
	total := p.Scaled(count)
	if p.Paced() {
		total = int(p.Rate * p.Seconds)
	}
	return (total - thread + p.Threads - 1) / p.Threads
}

// Wait returns when the next operation is due.
func (l *Lane) Wait() {
	if l.step == 0 {
		return
	}
	l.due = l.origin + int64(float64(l.begun)*l.step)
	for Now() < l.due {
	}
}

// Done notes the end of an operation.
func (l *Lane) Done() {
	ended := Now()
	began := l.last
	if l.step != 0 {
		began = max(began, l.due)
		l.response.Record(ended - l.due)
	}
	l.begun++
	l.last = ended
	l.service.Record(ended - began)
	l.progress.add(ended - began)
	if ended-began >= l.pauseAbove {
		l.pause(began, ended)
	}
}

// Keep holds what lives when the last operation is done, until the run has looked at its memory.
func (l *Lane) Keep(data any) { l.kept = data }

// Skip leaves the time since the last operation out of the next.
func (l *Lane) Skip() { l.last = Now() }

func (l *Lane) pause(began, ended int64) {
	if len(l.pauses) == mostPauses {
		sort.Slice(l.pauses, func(a, b int) bool { return l.pauses[a].Ns > l.pauses[b].Ns })
		l.pauses = l.pauses[:mostPauses/2]
		l.pauseAbove = l.pauses[len(l.pauses)-1].Ns
	}
	l.pauses = append(l.pauses, Pause{At: began - l.origin, Ns: ended - began, Cause: "operation"})
}
