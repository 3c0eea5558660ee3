package harness

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// statusBytes returns a field of /proc/self/status such as VmRSS or VmHWM in bytes, or zero.
func statusBytes(field string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, found := strings.Cut(string(text), field+":")
	if !found {
		return 0
	}
	kib, _ := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	return kib << 10
}

// residentBytes is the same as VmRSS from a file that is cheaper to read often.
func residentBytes(buffer []byte) int64 {
	file, err := os.Open("/proc/self/statm")
	if err != nil {
		return 0
	}
	defer file.Close()
	n, _ := file.Read(buffer)
	fields := strings.Fields(string(buffer[:n]))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// Resident returns the memory that the process has.
func Resident() int64 { return statusBytes("VmRSS") }

// used is what the kernel has counted of this process.
type used struct {
	cpu                      int64
	minorFaults, majorFaults int64
}

func readUsed() used {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return used{}
	}
	return used{cpu: u.Utime.Nano() + u.Stime.Nano(), minorFaults: u.Minflt, majorFaults: u.Majflt}
}
