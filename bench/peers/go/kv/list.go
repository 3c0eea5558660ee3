package main

// A list is a ring of texts in one slice, which grows to twice its size when it is full.
type list struct {
	ring  []string
	first int
	size  int
}

func (l *list) at(i int) *string { return &l.ring[(l.first+i)&(len(l.ring)-1)] }

func (l *list) grow() {
	if l.size < len(l.ring) {
		return
	}
	larger := make([]string, max(2*len(l.ring), 8))
	for i := range l.size {
		larger[i] = *l.at(i)
	}
	l.ring, l.first = larger, 0
}

func (l *list) pushFront(text string) {
	l.grow()
	l.first = (l.first - 1) & (len(l.ring) - 1)
	l.ring[l.first] = text
	l.size++
}

func (l *list) pushBack(text string) {
	l.grow()
	l.size++
	*l.at(l.size - 1) = text
}

func (l *list) popFront() string {
	taken := *l.at(0)
	*l.at(0) = ""
	l.first = (l.first + 1) & (len(l.ring) - 1)
	l.size--
	return taken
}

func (l *list) popBack() string {
	taken := *l.at(l.size - 1)
	*l.at(l.size - 1) = ""
	l.size--
	return taken
}
