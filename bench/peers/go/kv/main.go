// The server of `umber kv` in Go: what redis does, with its data in maps and slices.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"umber/peers/internal/harness"
)

func main() {
	address := flag.String("bind", "127.0.0.1", "the `address` to listen at")
	port := flag.Uint("port", 6379, "the port; 0 for any that is free")
	threads := flag.Int("threads", 0, "how many may run at once; 0 for all cores")
	password := flag.String("requirepass", "", "what clients have to give before all else")
	percent := flag.Int("percent", 100, "how much the heap may grow beyond what lives: GOGC")
	limit := flag.Int64("limit", 0, "how many `bytes` the heap may have: GOMEMLIMIT")
	flag.Parse()
	if err := harness.TraceCycles(); err != nil {
		fmt.Fprintf(os.Stderr, "umber-peers-kv: %v; set TMPDIR to a folder that can be written\n", err)
		os.Exit(1)
	}
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "umber-peers-kv: what is '%s'? see --help\n", flag.Arg(0))
		os.Exit(2)
	}
	runtime.GOMAXPROCS(*threads)
	debug.SetGCPercent(*percent)
	if *limit > 0 {
		debug.SetMemoryLimit(*limit)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(*address, strconv.FormatUint(uint64(*port), 10)))
	if err != nil {
		fmt.Fprintf(os.Stderr, "umber-peers-kv: %v; choose another --bind or --port\n", err)
		os.Exit(1)
	}
	s := &server{store: newStore(), password: *password, listener: listener, began: time.Now()}
	s.watch.params = harness.Params{Threads: 1, Percent: *percent, Limit: *limit}
	s.clients = map[*client]struct{}{}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		s.stop()
	}()
	fmt.Printf("listening on %s\n", listener.Addr())
	s.serve()
}
