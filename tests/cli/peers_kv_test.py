#!/usr/bin/env python3
"""The server in Go replies what redis-server replies, whatever it is asked.

    peers_kv_test.py PATH/bench/peers/run

Skipped, with status 77 and the reason, without Go or redis-server.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

RUN = None
# What has no order is compared sorted.
UNORDERED = {"SMEMBERS", "HGETALL", "HKEYS", "HVALS", "KEYS"}


class connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))

    def reply(self):
        line = self.file.readline()
        if not line:
            return None
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return line if rest == b"-1" else line + self.file.read(int(rest) + 2)
        if kind == b"*" and rest != b"-1":
            return [self.reply() for _ in range(int(rest))]
        return line

    def ask(self, *words):
        self.send(*words)
        return self.reply()


class server:
    """A process that listens at a port of 127.0.0.1 after a moment."""

    def __init__(self, *command, port):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.port = port
        for _ in range(1200):
            try:
                connection(port).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(self.process.stderr.read())
                time.sleep(0.05)
        raise RuntimeError(f"{command[0]} does not listen")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stderr.close()
        return self.process.wait(timeout=60)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def twin(*options):
    port = free_port()
    return server(RUN, "kv", "--port", str(port), *options, port=port)


def any_request(r):
    """Something that clients ask, now and then with a mistake in it."""
    key = f"k{r.randrange(12)}"
    word = r.choice(["a", "b", "c", "", "x y", "7", "-3", "1.5", "9223372036854775807"])
    number = r.choice(["0", "1", "-1", "2", "-2", "5", "100", "-100", "1.5", "word", "9223372036854775807"])
    score = r.choice(["0", "1", "-1", "2.5", "0.1", "1e300", "inf", "-inf", "(1", "3", "word"])
    return r.choice([
        ["GET", key], ["SET", key, word], ["SETNX", key, word], ["GETSET", key, word], ["GETDEL", key], ["APPEND", key, word],
        ["SET", key, word, r.choice(["NX", "XX", "GET", "KEEPTTL", "EX", "nonsense"])], ["SET", key, word, "EX", number],
        ["STRLEN", key], ["MGET", key, "k1", "k2"], ["MSET", key, word, "k3", word], ["MSET", key], ["INCR", key], ["DECR", key],
        ["INCRBY", key, number], ["DECRBY", key, number], ["GETRANGE", key, number, number], ["SETEX", key, number, word],
        ["DEL", key, "k1"], ["EXISTS", key, key, "k1"], ["TYPE", key], ["EXPIRE", key, number], ["PERSIST", key], ["DBSIZE"],
        ["EXPIRE", key, "1000", r.choice(["NX", "XX", "GT", "LT", "other"])], ["KEYS", "*"], ["KEYS", "k?"], ["TTL", key],
        ["LPUSH", key, word, "l"], ["RPUSH", key, word], ["LPUSHX", key, word], ["RPUSHX", key, word], ["LPOP", key], ["RPOP", key],
        ["LPOP", key, number], ["LLEN", key], ["LRANGE", key, number, number], ["LINDEX", key, number],
        ["SADD", key, word, "m"], ["SREM", key, word], ["SMEMBERS", key], ["SISMEMBER", key, word], ["SCARD", key], ["SPOP", key, "100"],
        ["HSET", key, word, word], ["HSET", key, word], ["HGET", key, word], ["HMGET", key, word, "a"], ["HDEL", key, word], ["HGETALL", key],
        ["HKEYS", key], ["HVALS", key], ["HLEN", key], ["HEXISTS", key, word], ["HINCRBY", key, word, number],
        ["ZADD", key, score, word], ["ZADD", key, score, word, score, "m"], ["ZADD", key, "1", "a", "2"], ["ZINCRBY", key, score, word],
        ["ZADD", key, r.choice(["NX", "XX", "GT", "LT", "CH", "INCR"]), score, word],
        ["ZADD", key, "INCR", r.choice(["NX", "XX", "GT", "LT"]), score, word], ["ZADD", key, "NX", "XX", "1", "a"],
        ["ZREM", key, word], ["ZSCORE", key, word], ["ZCARD", key], ["ZRANK", key, word], ["ZREVRANK", key, word],
        ["ZRANGE", key, number, number], ["ZRANGE", key, number, number, r.choice(["WITHSCORES", "REV", "BYSCORE", "what"])],
        ["ZREVRANGE", key, number, number, "WITHSCORES"], ["ZRANGEBYSCORE", key, score, score],
        ["ZRANGEBYSCORE", key, score, score, "LIMIT", number, number], ["ZREVRANGEBYSCORE", key, score, score, "WITHSCORES"],
        ["ZCOUNT", key, score, score], ["ZPOPMIN", key], ["ZPOPMAX", key, number], ["ZRANGE", key, score, score, "BYSCORE", "REV"],
        ["PING"], ["PING", word], ["ECHO", word], ["SELECT", "0"], ["SELECT", "word"], ["NOSUCH", key, word], ["GET"], ["GET", key, key],
    ])


def comparable(request, reply):
    if isinstance(reply, list) and request[0] in UNORDERED | {"SPOP"}:
        return sorted(reply) if request[0] != "HGETALL" else sorted(zip(reply[::2], reply[1::2]))
    return reply


class kv(unittest.TestCase):
    def setUp(self):
        self.servers = []

    def tearDown(self):
        for each in self.servers:
            self.assertEqual(each.end(), 0)

    def started(self, *options):
        self.servers.append(twin(*options))
        return connection(self.servers[-1].port)

    def redis(self):
        port = free_port()
        self.servers.append(server("redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1",
                                   "--dir", tempfile.gettempdir(), port=port))
        return connection(self.servers[-1].port)

    def test_random_requests_are_replied_as_redis_replies_them(self):
        seed = random.randrange(1 << 32)
        r = random.Random(seed)
        ours, theirs = self.started(), self.redis()
        for i in range(6000):
            request = any_request(r)
            expected, got = (comparable(request, each.ask(*request)) for each in (theirs, ours))
            self.assertEqual(got, expected, f"seed {seed}, request {i}: {request}")
        ours.close()
        theirs.close()

    def test_pipelined_requests_of_many_clients_are_all_carried_out(self):
        clients = [self.started()]
        clients += [connection(self.servers[-1].port) for _ in range(7)]
        for c in clients:
            for _ in range(500):
                c.send("INCR", "n")
                c.send("RPUSH", "l", "x" * 100)
        for c in clients:
            for _ in range(1000):
                self.assertEqual(c.reply()[:1], b":")
        self.assertEqual(clients[0].ask("GET", "n"), b"$4\r\n4000\r\n")
        self.assertEqual(clients[0].ask("LLEN", "l"), b":4000\r\n")
        for c in clients:
            c.close()

    def test_keys_end(self):
        c = self.started()
        c.ask("SET", "short", "1", "PX", "30")
        c.ask("SET", "long", "1", "EX", "100")
        time.sleep(0.3)
        self.assertEqual(c.ask("GET", "short"), b"$-1\r\n")
        self.assertEqual(c.ask("DBSIZE"), b":1\r\n")
        self.assertEqual(c.ask("TTL", "long"), b":100\r\n")
        c.close()

    def test_what_is_no_request_gets_an_error(self):
        first = self.started()
        for text in (b"*1\r\n:1\r\n", b"*2000000\r\n", b"*1\r\n$-5\r\n", b"*1\r\n$999999999999\r\n", b"x" * 70000):
            c = connection(self.servers[-1].port)
            c.socket.sendall(text)
            self.assertTrue(c.reply().startswith(b"-ERR Protocol error"), text[:20])
            c.close()
        self.assertEqual(first.ask("PING"), b"+PONG\r\n")
        first.close()

    def test_a_password_is_asked_for(self):
        c = self.started("--requirepass", "secret")
        self.assertEqual(c.ask("GET", "a"), b"-NOAUTH Authentication required.\r\n")
        self.assertTrue(c.ask("AUTH", "wrong").startswith(b"-WRONGPASS"))
        self.assertEqual(c.ask("AUTH", "secret"), b"+OK\r\n")
        self.assertEqual(c.ask("GET", "a"), b"$-1\r\n")
        c.close()

    def test_a_watch_tells_what_the_collector_did(self):
        with unittest.mock.patch.dict(os.environ, {"GODEBUG": "gctrace=1"}):
            c = self.started()
        self.assertIn(b"DEBUG WATCH comes first", c.ask("DEBUG", "REPORT"))
        self.assertEqual(c.ask("DEBUG", "WATCH"), b"+OK\r\n")
        for i in range(20000):
            c.send("SET", f"k{i % 100}", "x" * 1000)
            self.assertEqual(c.reply(), b"+OK\r\n")
        told = json.loads(c.ask("DEBUG", "REPORT").split(b"\r\n", 1)[1])
        self.assertLess(abs(told["began_ns"] + told["wall_ns"] - time.monotonic_ns()), 10e9)
        self.assertGreater(told["cycles"], 0)
        self.assertLessEqual(abs(len(told["marking"]) - told["cycles"]), 1)
        self.assertTrue(all(each["at_ns"] >= 0 and each["ns"] > 0 for each in told["marking"]))
        self.assertGreater(told["stalls"]["stop"]["count"], 0)
        c.close()

    def test_info_tells_what_there_is(self):
        c = self.started()
        c.ask("SET", "a", "1")
        lines = c.ask("INFO").decode().split("\r\n")
        self.assertIn("db0:keys=1,expires=0,avg_ttl=0", lines)
        self.assertIn(f"tcp_port:{self.servers[-1].port}", lines)
        c.close()


if __name__ == "__main__":
    RUN = sys.argv.pop()
    rows = [line.split("\t") for line in subprocess.run([RUN, "--list"], capture_output=True, text=True).stdout.splitlines()]
    remedy = next((row[2] for row in rows if row[:2] == ["go", "missing"]), None)
    if remedy or not shutil.which("redis-server"):
        print("skipped:", remedy or "install redis-server: tools/setup")
        sys.exit(77)
    built = subprocess.run([RUN, "kv", "--help"], capture_output=True, text=True)
    if built.returncode:
        sys.exit(built.stderr)
    unittest.main()
