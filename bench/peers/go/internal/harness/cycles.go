package harness

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// The runtime tells when a cycle ended, but how long it took only to who asks for GODEBUG=gctrace=1, by a line on stderr
// (package runtime documents it). TraceCycles has these lines go to a file without a name.

// A Cycle is one collection, from the stop that begins it to the one that ends its marking. At counts from the start of
// the measured part.
type Cycle struct {
	At int64 `json:"at_ns"`
	Ns int64 `json:"ns"`
}

var traced *os.File

// TraceCycles is called before all else; without that word in GODEBUG it does nothing.
func TraceCycles() error {
	if !strings.Contains(os.Getenv("GODEBUG"), "gctrace=1") {
		return nil
	}
	file, err := os.CreateTemp("", "umber-peers-gctrace")
	if err != nil {
		return err
	}
	os.Remove(file.Name())
	traced = file
	return syscall.Dup3(int(file.Fd()), 2, 0)
}

var traceLine = regexp.MustCompile(`(?m)^gc (\d+) @[\d.]+s \d+%: ([\d.]+)\+([\d.]+)\+([\d.]+) ms clock`)

// durations returns how long each cycle took that the text tells of, in ns, by its number.
func durations(text string) map[int64]int64 {
	out := map[int64]int64{}
	for _, found := range traceLine.FindAllStringSubmatch(text, -1) {
		number, _ := strconv.ParseInt(found[1], 10, 64)
		for _, part := range found[2:] {
			ms, _ := strconv.ParseFloat(part, 64)
			out[number] += int64(ms * 1e6)
		}
	}
	return out
}

// traced cycles among those that the log has seen end.
func (l *cycleLog) cycles() []Cycle {
	if traced == nil {
		return nil
	}
	info, err := traced.Stat()
	if err != nil {
		return nil
	}
	text := make([]byte, info.Size())
	n, _ := traced.ReadAt(text, 0)
	took := durations(string(text[:n]))
	var out []Cycle
	for _, end := range l.ends {
		if ns, known := took[end.number]; known {
			at := max(end.at-ns, 0)
			out = append(out, Cycle{At: at, Ns: end.at - at})
		}
	}
	return out
}

// monotonic reads the clock that all processes of the machine share.
func monotonic() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}
