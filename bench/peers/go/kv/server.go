package main

import (
	"bufio"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A server carries out what clients ask, each on a goroutine of its own.
type server struct {
	store    *store
	password string
	listener net.Listener
	watch    watch
	began    time.Time
	stopping atomic.Bool

	mutex   sync.Mutex
	clients map[*client]struct{}
	all     sync.WaitGroup

	connections, commands, protocolErrors atomic.Uint64
}

// A client is one connection.
type client struct {
	net.Conn
	known, leaving bool
	id             uint64
	name           string
}

func (s *server) serve() {
	go s.store.sweep()
	for {
		connection, err := s.listener.Accept()
		if err != nil {
			break
		}
		c := &client{Conn: connection, known: s.password == "", id: s.connections.Add(1)}
		s.mutex.Lock()
		if s.stopping.Load() {
			c.Close()
		} else {
			s.clients[c] = struct{}{}
			s.all.Add(1)
			go s.attend(c)
		}
		s.mutex.Unlock()
	}
	s.all.Wait()
}

// stop ends serve: who is served gets the reply to what has arrived.
func (s *server) stop() {
	if s.stopping.Swap(true) {
		return
	}
	s.listener.Close()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for c := range s.clients {
		c.SetReadDeadline(time.Now())
	}
}

func (s *server) attend(c *client) {
	defer s.all.Done()
	defer func() {
		s.mutex.Lock()
		delete(s.clients, c)
		s.mutex.Unlock()
		c.Close()
	}()
	in := &reader{in: bufio.NewReaderSize(c, longestLine)}
	out := reply{bufio.NewWriterSize(c, repliesBuffered)}
	defer out.Flush()
	each := &call{reply: out, server: s, client: c}
	for !c.leaving {
		if in.in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		in.known = c.known
		words, err := in.next()
		if err != nil {
			var protocol errProtocol
			if errors.As(err, &protocol) {
				s.protocolErrors.Add(1)
				out.fail("ERR " + err.Error())
			}
			return
		}
		if len(words) > 0 {
			each.words = words
			each.carryOut()
			s.commands.Add(1)
		}
	}
}

var serverCommands = map[string]command{
	"ping":     {-1, 0, 0, 0, ping},
	"echo":     {2, 0, 0, 0, func(c *call) { c.bulk(string(c.words[1])) }},
	"quit":     {-1, 0, 0, 0, quit},
	"auth":     {-2, 0, 0, 0, authenticate},
	"select":   {2, 0, 0, 0, selectDatabase},
	"client":   {-2, 0, 0, 0, clientCommand},
	"config":   {-2, 0, 0, 0, configuration},
	"debug":    {-2, 0, 0, 0, debugCommand},
	"command":  {-1, 0, 0, 0, func(c *call) { c.array(0) }},
	"info":     {-1, 0, 0, 0, information},
	"shutdown": {-1, 0, 0, 0, func(c *call) { go c.server.stop() }},
}

func ping(c *call) {
	switch len(c.words) {
	case 1:
		c.simple("PONG")
	case 2:
		c.bulk(string(c.words[1]))
	default:
		c.fail("ERR wrong number of arguments for 'ping' command")
	}
}

func quit(c *call) {
	c.ok()
	c.client.leaving = true
}

func authenticate(c *call) {
	given := c.words[len(c.words)-1]
	switch {
	case len(c.words) > 3:
		c.syntaxError()
	case c.server.password == "" && len(c.words) == 2:
		c.fail("ERR AUTH <password> called without any password configured for the default user. " +
			"Are you sure your configuration is correct?")
	case len(c.words) == 3 && string(c.words[1]) != "default",
		c.server.password != "" && subtle.ConstantTimeCompare(given, []byte(c.server.password)) != 1:
		c.fail("WRONGPASS invalid username-password pair or user is disabled.")
	default:
		c.client.known = true
		c.ok()
	}
}

func selectDatabase(c *call) {
	n, good := c.integerAt(1)
	if good && n == 0 {
		c.ok()
	} else if good {
		c.fail("ERR DB index is out of range")
	}
}

func clientCommand(c *call) {
	switch {
	case c.is(1, "setname") && len(c.words) == 3:
		c.client.name = string(c.words[2])
		c.ok()
	case c.is(1, "getname") && len(c.words) == 2:
		c.text(text(c.client.name), c.client.name != "")
	case c.is(1, "id") && len(c.words) == 2:
		c.integer64(int64(c.client.id))
	case c.is(1, "setinfo"):
		c.ok()
	default:
		c.fail("ERR unknown subcommand '" + string(c.words[1]) + "'. Try CLIENT HELP.")
	}
}

// configuration answers redis-benchmark, which asks how the server saves: it does not.
func configuration(c *call) {
	if !c.is(1, "get") || len(c.words) < 3 {
		c.fail("ERR unknown subcommand '" + string(c.words[1]) + "'. Try CONFIG HELP.")
		return
	}
	known := map[string]string{"save": "", "appendonly": "no", "maxmemory": "0"}
	var found []string
	for _, name := range c.words[2:] {
		if value, is := known[lower(name)]; is {
			found = append(found, lower(name), value)
		}
	}
	c.array(len(found))
	for _, each := range found {
		c.bulk(each)
	}
}

func lower(word []byte) string { return strings.ToLower(string(word)) }

func information(c *call) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(samples)
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	keys, ending := c.store().sizes()
	c.server.mutex.Lock()
	clients := len(c.server.clients)
	c.server.mutex.Unlock()
	var out strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&out, "%s:%v\r\n", name, value) }
	out.WriteString("# Server\r\n")
	line("server", "umber-peers-kv")
	line("go_version", runtime.Version())
	line("process_id", os.Getpid())
	line("tcp_port", c.server.listener.Addr().(*net.TCPAddr).Port)
	line("uptime_in_seconds", int(time.Since(c.server.began).Seconds()))
	out.WriteString("\r\n# Clients\r\n")
	line("connected_clients", clients)
	out.WriteString("\r\n# Memory\r\n")
	line("used_memory", samples[0].Value.Uint64())
	line("gc_live_bytes", samples[1].Value.Uint64())
	line("gc_goal_bytes", samples[2].Value.Uint64())
	line("gc_cycles", samples[3].Value.Uint64())
	line("gc_stopped_ns", int64(gc.PauseTotal))
	out.WriteString("\r\n# Stats\r\n")
	line("total_connections_received", c.server.connections.Load())
	line("total_commands_processed", c.server.commands.Load())
	line("protocol_errors", c.server.protocolErrors.Load())
	out.WriteString("\r\n# Keyspace\r\n")
	if keys > 0 {
		fmt.Fprintf(&out, "db0:keys=%d,expires=%d,avg_ttl=0\r\n", keys, ending)
	}
	c.bulk(out.String())
}
