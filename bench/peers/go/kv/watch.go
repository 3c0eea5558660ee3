package main

import (
	"bytes"
	"sync"

	"umber/peers/internal/harness"
)

// A watch is what the collector does while somebody loads the server: DEBUG WATCH begins to look, DEBUG REPORT replies
// what was seen as JSON, as in umber kv.
type watch struct {
	mutex  sync.Mutex
	params harness.Params
	run    *harness.Run // nil: nobody looks
}

func (w *watch) begin() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.run != nil {
		w.run.End()
	}
	w.run = harness.NewRun("kv", &w.params)
	w.run.BeginWatched()
}

// report ends it. Not good: nobody has begun.
func (w *watch) report() (text string, good bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.run == nil {
		return "", false
	}
	w.run.End()
	var out bytes.Buffer
	err := w.run.Report(&out)
	w.run = nil
	return out.String(), err == nil
}

func debugCommand(c *call) {
	switch {
	case c.is(1, "watch") && len(c.words) == 2:
		c.server.watch.begin()
		c.ok()
	case c.is(1, "report") && len(c.words) == 2:
		if text, good := c.server.watch.report(); good {
			c.bulk(text)
		} else {
			c.fail("ERR nothing to report; DEBUG WATCH comes first")
		}
	default:
		c.fail("ERR unknown subcommand '" + string(c.words[1]) + "'. Try DEBUG HELP.")
	}
}
