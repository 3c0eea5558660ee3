package harness

// Random is Marsaglia's xorshift64*, seeded as bench/basics.h seeds it, so that every language draws the same numbers.
type Random struct{ state uint64 }

// NewRandom returns the generator that the C++ harness calls random_source(seed).
func NewRandom(seed uint64) *Random {
	return &Random{state: seed*0x9E3779B97F4A7C15 + 0x1234567}
}

// Next returns 64 random bits.
func (r *Random) Next() uint64 {
	r.state ^= r.state >> 12
	r.state ^= r.state << 25
	r.state ^= r.state >> 27
	return r.state * 0x2545F4914F6CDD1D
}

// Below returns a number in [0, bound).
func (r *Random) Below(bound int) int {
	return int(((r.Next() >> 32) * uint64(bound)) >> 32)
}

// Between returns a number in [low, high].
func (r *Random) Between(low, high int) int {
	return low + r.Below(high-low+1)
}
