#!/usr/bin/env python3
"""`umber-kv` from outside: many clients, bad input, passwords, signals.

    server_test.py PATH/umber-kv
"""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

import servers

PROGRAM = None
client = servers.client


def running(*options, **more):
    return servers.running(PROGRAM, *options, **more)


class protocol(unittest.TestCase):
    def test_the_connection_survives_what_is_malformed(self):
        with running() as port:
            c = client(port)
            for broken in (b"*x\r\n", b"*1\r\n$-1\r\n", b"*2\r\n$3\r\nGET\r\n:1\r\n", b"*1\r\n$600000000\r\n", b"*9999999\r\n",
                           b"get 'a\r\n", b"*1\r\n$4\r\nPINGPONG\r\n"):
                c.send(broken)
                self.assertTrue(c.reply().startswith(b"ERR Protocol error: "), broken)
                self.assertEqual(c("PING"), b"PONG", broken)
            c.send(b"PING\r\n")
            self.assertEqual(c.reply(), b"PONG")

    def test_fuzzed_input_never_ends_the_server(self):
        seed = random.SystemRandom().randrange(1 << 32)
        r = random.Random(seed)
        good = client.packed("SET", "k", "value") + client.packed("LRANGE", "l", "0", "-1") + client.packed("PING")
        with running("--threads", "2") as port, self.subTest(seed=seed):
            for _ in range(300):
                data = bytearray(good * 3)
                for _ in range(r.randrange(1, 12)):
                    at = r.randrange(len(data))
                    if r.random() < 0.5:
                        data[at] = r.randrange(256)
                    else:
                        del data[at:at + r.randrange(1, 20)]
                c = client(port)
                c.send(bytes(data))
                c.socket.shutdown(1)
                while c.file.read(65536):
                    pass
                c.close()
            self.assertEqual(client(port)("PING"), b"PONG")

    def test_a_browser_is_not_answered(self):
        with running() as port:
            c = client(port)
            c.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nFLUSHALL\r\n")
            self.assertTrue(c.is_closed())

    def test_requests_and_replies_of_many_megabytes(self):
        with running() as port:
            c = client(port)
            value = os.urandom(1 << 20) * 24
            writer = threading.Thread(target=c.send, args=(c.packed("SET", "k", value) + c.packed("GET", "k") * 4,))
            writer.start()
            self.assertEqual(c.reply(), b"OK")
            for _ in range(4):
                self.assertTrue(c.reply() == value)
            writer.join()

    def test_ten_thousand_requests_under_way_are_replied_in_their_order(self):
        with running("--threads", "2") as port:
            c = client(port)
            count = 10000
            writer = threading.Thread(target=c.send, args=(c.packed("INCR", "n") * count + b"get n\r\n" * count,))
            writer.start()
            self.assertEqual([c.reply() for _ in range(count)], list(range(1, count + 1)))
            self.assertEqual({c.reply() for _ in range(count)}, {b"%d" % count})
            writer.join()

    def test_a_client_that_does_not_read_holds_up_nobody(self):
        with running() as port:
            slow, other = client(port), client(port)
            self.assertEqual(slow("SET", "k", b"v" * 100000), b"OK")
            requests = 500
            writer = threading.Thread(target=slow.send, args=(slow.packed("GET", "k") * requests,))
            writer.start()
            for _ in range(100):
                self.assertEqual(other("PING"), b"PONG")
            for _ in range(requests):
                self.assertEqual(len(slow.reply()), 100000)
            writer.join()


class many_clients(unittest.TestCase):
    def test_what_threads_do_to_the_same_keys_is_one_after_the_other(self):
        with running("--threads", "4", "--torture", "40", env={"UMBER_GC_CHECK": "marks"}) as port:
            rounds, count = 400, 6

            def work(index):
                c = client(port)
                for n in range(rounds):
                    c.send(c.packed("INCR", "n") + c.packed("MSET", *[w for k in range(4) for w in (f"m{k}", f"{index}.{n}")]) +
                           c.packed("MGET", *[f"m{k}" for k in range(4)]) + c.packed("RPUSH", "l", n) + c.packed("SADD", "s", n) +
                           c.packed("ZADD", "z", n, n) + c.packed("HINCRBY", "h", "f", 1) + c.packed("LPOP", "l"))
                    replies = [c.reply() for _ in range(8)]
                    if len(set(replies[2])) != 1:
                        torn.append(replies[2])

            torn = []
            threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            c = client(port)
            self.assertEqual(torn, [])
            self.assertEqual(c("GET", "n"), b"%d" % (rounds * count))
            self.assertEqual(c("HGET", "h", "f"), b"%d" % (rounds * count))
            self.assertEqual((c("SCARD", "s"), c("ZCARD", "z"), c("LLEN", "l")), (rounds, rounds, 0))

    def test_scan_meets_every_key_that_stays_while_others_come_and_go(self):
        with running("--threads", "2") as port:
            c = client(port)
            staying = {b"stays%d" % i for i in range(20000)}
            c.send(b"".join(c.packed("SET", key, "v") for key in staying))
            self.assertTrue(all(c.reply() == b"OK" for _ in staying))
            cursor, met, steps = b"0", [], 0
            while steps == 0 or cursor != b"0":
                cursor, keys = c("SCAN", cursor, "COUNT", "50", "MATCH", "stays*")
                met += keys
                steps += 1
                c.send(b"".join(c.packed("SET", f"other{steps}.{i}", "v") + c.packed("DEL", f"other{steps - 1}.{i}") for i in range(20)))
                for _ in range(40):
                    c.reply()
            self.assertGreater(steps, 20)
            self.assertEqual(len(met), len(staying))
            self.assertEqual(set(met), staying)

    def test_keys_end_by_themselves(self):
        with running("--threads", "2") as port:
            c = client(port)
            for i in range(500):
                c("SET", f"k{i}", "v", "PX", 1 + i % 50)
            c("SET", "stays", "v")
            for _ in range(1000):
                if c("DBSIZE") == 1:
                    break
                time.sleep(0.05)
            self.assertEqual(c("KEYS", "*"), [b"stays"])


class administration(unittest.TestCase):
    def test_without_the_password_nothing_is_done(self):
        with running("--requirepass", "secret") as port:
            c = client(port)
            self.assertEqual(c("GET", "a"), b"NOAUTH Authentication required.")
            self.assertEqual(c("NOSUCH")[:20], b"ERR unknown command ")
            self.assertTrue(c("AUTH", "wrong").startswith(b"WRONGPASS"))
            self.assertTrue(c("AUTH", "secretsecret").startswith(b"WRONGPASS"))
            self.assertTrue(c("HELLO", "2").startswith(b"NOAUTH"))
            c.send(b"*20\r\n")
            self.assertEqual(c.reply(), b"ERR Protocol error: unauthenticated multibulk length")
            self.assertEqual(c("AUTH", "default", "secret"), b"OK")
            self.assertIsNone(c("GET", "a"))
            other = client(port)
            self.assertEqual(other("HELLO", "2", "AUTH", "default", "secret")[:2], [b"server", b"redis"])
            self.assertEqual(other("SET", "a", "b"), b"OK")

    def test_beyond_maxmemory_only_what_frees_is_done(self):
        with running("--maxmemory", "16mb") as port:
            c = client(port)
            replies = set()
            for i in range(100000):
                c.send(c.packed("SET", i, b"x" * 1000))
                replies.add(c.reply())
                if len(replies) == 2:
                    break
            self.assertIn(b"OOM command not allowed when used memory > 'maxmemory'.", replies)
            self.assertEqual(c("GET", "0"), b"x" * 1000)
            self.assertEqual(c("FLUSHALL"), b"OK")
            c("DEBUG", "GC")
            for _ in range(1000):
                if c("SET", "a", "b") == b"OK":
                    break
                time.sleep(0.05)
            self.assertEqual(c("GET", "a"), b"b")

    def test_info_shows_the_collector(self):
        with running() as port:
            c = client(port)
            c("SET", "a", "b" * 100)
            c("DEBUG", "GC")
            gc = dict(line.split(b":") for line in c("INFO", "gc").split(b"\r\n") if b":" in line)
            self.assertEqual(int(gc[b"gc_cycles"]), 1)
            self.assertGreater(int(gc[b"gc_live_bytes"]), 100)
            self.assertIn(b"db0:keys=1,expires=0", c("INFO"))
            self.assertGreater(c("MEMORY", "USAGE", "a"), 100)

    def test_a_watch_tells_what_the_collector_did(self):
        with running("--threads", "2") as port:
            c = client(port)
            self.assertIn(b"DEBUG WATCH comes first", c("DEBUG", "REPORT"))
            self.assertEqual(c("DEBUG", "WATCH"), b"OK")
            began = time.monotonic_ns()
            value = b"x" * 1000
            for _ in range(40):
                c.send(b"".join(c.packed("SET", i % 100, value) for i in range(1000)))
                self.assertTrue(all(c.reply() == b"OK" for _ in range(1000)))
            c("DEBUG", "GC")
            told = json.loads(c("DEBUG", "REPORT"))
            ended = time.monotonic_ns()
            # By the same clock as this program's; the server's is read by the time stamp counter.
            self.assertLess(abs(told["began_ns"] - began), 10e9)
            self.assertLessEqual(told["wall_ns"], (ended - told["began_ns"]) * 1.001)
            self.assertGreaterEqual(told["cycles"], 1)
            # A cycle may begin or end just as the watch does.
            self.assertLessEqual(abs(len(told["marking"]) - told["cycles"]), 1)
            self.assertLessEqual(sum(each["at_ns"] > told["wall_ns"] for each in told["marking"]), 1)
            self.assertGreater(told["allocated_bytes"], 40e6)
            self.assertGreater(sum(each["count"] for each in told["stalls"].values()), 0)
            self.assertTrue({"mark", "assist", "sweep", "mutator"} <= set(told["cpu_ns"]))
            self.assertTrue(all({"rss", "live", "heap"} <= set(each) for each in told["timeline"]))
            self.assertTrue(all(0 <= share <= 1 for _, share in told["mmu"]))
            self.assertIn(b"DEBUG WATCH comes first", c("DEBUG", "REPORT"))

    def test_a_watch_that_is_begun_anew_forgets_what_was(self):
        with running() as port:
            c = client(port)
            self.assertEqual(c("DEBUG", "WATCH"), b"OK")
            c("DEBUG", "GC")
            self.assertEqual(c("DEBUG", "WATCH"), b"OK")
            told = json.loads(c("DEBUG", "REPORT"))
            self.assertEqual((told["cycles"], told.get("marking", [])), (0, []))
            # Nor does one that is never ended keep the server from ending.
            self.assertEqual(c("DEBUG", "WATCH"), b"OK")

    def test_a_signal_ends_it_when_all_that_was_asked_is_answered(self):
        for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
            process, port = servers.umber_kv(PROGRAM, "--threads", "2")
            c = client(port)
            self.assertEqual(c("SET", "k", b"v" * 50000), b"OK")
            c.send(c.packed("GET", "k") * 200)
            self.assertEqual(len(c.reply()), 50000)
            process.send_signal(number)
            for _ in range(199):
                self.assertEqual(len(c.reply()), 50000)
            self.assertTrue(c.is_closed())
            output, errors = process.communicate(timeout=servers.PATIENCE)
            errors = servers.without_watchdog(errors)
            self.assertEqual((process.returncode, output, errors), (0, f"umber kv: ended by {name}, 1 connection closed\n", ""))

    def test_shutdown_ends_it(self):
        process, port = servers.umber_kv(PROGRAM)
        c = client(port)
        c.send(c.packed("SHUTDOWN", "NOSAVE"))
        self.assertTrue(c.is_closed())
        self.assertEqual(process.communicate(timeout=servers.PATIENCE)[0], "umber kv: ended by SHUTDOWN, 0 connections closed\n")
        self.assertEqual(process.returncode, 0)

    def test_wrong_command_lines_are_one_clear_line(self):
        def refused(status, saying, *options):
            done = subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=servers.PATIENCE)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (status, "", 1), (options, done.stderr))
            self.assertIn(saying, done.stderr)

        with running() as port:
            refused(1, f"port {port} of 127.0.0.1 is in use; give another one with --port", "--port", str(port))
        refused(1, "not an IPv4 address", "--bind", "nowhere")
        refused(1, "cannot listen on 8.8.8.8", "--bind", "8.8.8.8", "--port", "0")
        refused(2, "--threads", "--threads", "0")
        refused(2, "--percent", "--percent", "x")
        refused(2, "see umber kv --help", "--nosuch")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(warnings="ignore")
