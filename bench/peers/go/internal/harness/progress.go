package harness

const mostMarks = 1000

// Progress is the sum of the times of a lane's operations so far, at even numbers of them: where there is no room for
// more marks, every second goes.
type progress struct {
	sum, count int64
	every      int64
	marks      []int64
}

func (p *progress) add(ns int64) {
	p.sum += ns
	p.count++
	if p.count%p.every != 0 {
		return
	}
	p.marks = append(p.marks, p.sum)
	if len(p.marks) < mostMarks {
		return
	}
	for i := range mostMarks / 2 {
		p.marks[i] = p.marks[2*i+1]
	}
	p.marks = p.marks[:mostMarks/2]
	p.every *= 2
}

const parts = 10

// tenths adds to `into` what each tenth of the operations took.
func (p *progress) tenths(into []int64) {
	before := int64(0)
	for i := range parts {
		at := p.sum
		if mark := len(p.marks) * (i + 1) / parts; i+1 < parts && mark > 0 {
			at = p.marks[mark-1]
		}
		into[i] += at - before
		before = at
	}
}

// tenths returns what each tenth of the operations of all lanes took; nothing where they differ, or are few.
func (r *Run) tenths() []int64 {
	const least = 100
	sums := make([]int64, parts)
	operations := int64(0)
	for _, l := range r.lanes {
		l.progress.tenths(sums)
		operations += l.begun
	}
	if !r.own.Paced || operations < least {
		return nil
	}
	return sums
}
