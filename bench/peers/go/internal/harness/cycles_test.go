package harness

import "testing"

func TestDurationsAreThoseOfTheTrace(t *testing.T) {
	text := "gc 3 @0.021s 1%: 0.5+12+0.25 ms clock, 0.1+0.2/0.3/0.4+0.5 ms cpu, 4->4->0 MB, 5 MB goal, 0 MB stacks, 2 P\n" +
		"something else\n" +
		"gc 12 @1.5s 0%: 0.010+0.42+0.012 ms clock, 0.020+0/0.4/0+0.024 ms cpu, 4->4->0 MB, 5 MB goal, 2 P (forced)\n"
	found := durations(text)
	if len(found) != 2 || found[3] != 12750000 || found[12] != 442000 {
		t.Fatalf("found %v", found)
	}
}
