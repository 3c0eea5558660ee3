#!/usr/bin/env python3
"""`umber bench kv` and the workload kv of `umber bench gc`, with few keys and few requests.

    bench_kv_test.py PATH/umber

Skipped, with status 77 and the reason, without redis.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

UMBER = None
TINY = ["--keys", "500", "--requests", "4000", "--bytes", "32", "--clients", "4", "--jitter", "0.01"]
POINTS = ["min", "p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"]


def start(*arguments, env=None, stdout=subprocess.PIPE):
    kept = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "UMBER_OPTIONS", "UMBER_KV")}
    return subprocess.run([UMBER, "bench", *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120,
                          env={**kept, "UMBER_PEERS": "/no/such/file", **(env or {})})


class folder_of_programs:
    """A PATH on which there is what the test puts there."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def link(self, program):
        (self.path / program).symlink_to(shutil.which(program))
        return self

    def script(self, program, text):
        (self.path / program).write_text("#!/bin/sh\n" + text)
        (self.path / program).chmod(0o755)
        return self

    @property
    def env(self):
        return {"PATH": str(self.path)}


class one_run(unittest.TestCase):
    def result(self, *arguments, load=TINY):
        done = start("kv", *load, *arguments)
        self.assertEqual((done.returncode, done.stderr, done.stdout.count("\n")), (0, "", 1))
        return json.loads(done.stdout)

    def test_it_prints_what_a_run_of_a_workload_prints(self):
        for kind in ("set", "zadd"):
            run = self.result("--kind", kind)
            self.assertEqual((run["workload"], run["system"], run["operations"]), ("kv", "umber", 4000))
            self.assertEqual((run["parameters"]["kind"], run["parameters"]["keys"]), (kind, 500))
            self.assertRegex(run["checksum"], r"^[0-9a-f]{16}$")
            self.assertGreater(run["wall_ns"], 0)
            self.assertGreater(run["memory"]["peak_rss"], 1 << 20)
            self.assertTrue({"mark", "assist", "sweep", "mutator"} <= set(run["cpu_ns"]))
            self.assertTrue(all({"rss", "live", "heap"} <= set(each) for each in run["timeline"]))
            self.assertTrue(all(0 <= share <= 1 for _, share in run["mmu"]))
            self.assertIn("stalls", run)
            self.assertGreater(run["probe_ns"]["count"], 0)
            self.assertIn("jitter_ns", run)
            self.assertGreater(run["figures"]["first_load_p99.9_us"], 0)

    def test_percentiles_ascend_and_every_request_counts(self):
        latency = self.result()["service_ns"]
        self.assertEqual(latency["count"], 4000)
        self.assertEqual(sum(count for _, count in latency["buckets"]), 4000)
        self.assertEqual([latency[point] for point in POINTS], sorted(latency[point] for point in POINTS))
        self.assertGreater(latency["min"], 0)
        self.assertLess(latency["max"], 60e9)

    # Four times the keys are written in the load, or beside it: the heap has to collect meanwhile.
    LONGER = ["--keys", "5000", "--bytes", "1000", "--clients", "4", "--jitter", "0.01", "--probe", "5000", "--requests"]

    def test_a_client_beside_the_load_tells_what_collections_cost_it(self):
        for arguments in (["40000", "--kind", "set"], ["150000", "--kind", "get", "--writers", "8"]):
            run = self.result(*arguments, load=self.LONGER)
            self.assertGreater(run["cycles"], 0, arguments)
            self.assertLessEqual(abs(len(run["marking"]) - run["cycles"]), 1)
            self.assertLessEqual(run["probe_collecting_ns"]["count"], run["probe_ns"]["count"])
            self.assertLessEqual(run["probe_collecting_ns"]["max"], run["probe_ns"]["max"])
            self.assertGreater(run["probe_collecting_ns"]["min"], 0)

    def test_who_writes_beside_a_load_that_reads_is_counted(self):
        run = self.result("100000", "--kind", "get", "--writers", "4", load=self.LONGER)
        self.assertEqual(run["service_ns"]["count"], 100000)
        self.assertGreater(run["figures"]["writes_per_s"], 0)
        self.assertGreater(run["operations"], 100000)
        self.assertIn("first_load_p99.9_us", run["figures"])
        alone = self.result("--kind", "get")
        self.assertEqual((alone["operations"], alone["figures"]), (4000, {}))

    def test_the_scale_is_of_the_requests(self):
        self.assertEqual(self.result("--scale", "0.5")["operations"], 2000)


class compared(unittest.TestCase):
    def test_servers_are_compared_like_collectors(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "kv.json"
            done = start("gc", "kv", "--systems", "umber,redis", "--runs", "2", "--arguments", " ".join(TINY), "--json", str(path))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            document = json.loads(path.read_text())
        self.assertEqual([row["system"] for row in document["rows"]], ["umber", "redis"])
        self.assertEqual(document["disagreements"], [])
        figures = {row["system"]: row["median"] for row in document["rows"]}
        redis = next(each["version"] for each in document["systems"] if each["name"] == "redis")
        self.assertRegex(redis, r"^redis \d")
        judged = {(each["figure"], each["basis"]): each for each in document["targets"]}
        always = {("service_p99.9_ns", "1.2 x redis"), ("operations_per_cpu_s", "0.8 x redis")}
        self.assertIn(set(judged) - always, (set(), {("probe_collecting_p99.9_ns", "1.2 x redis")}))
        self.assertTrue(always <= set(judged))
        tail = judged["service_p99.9_ns", "1.2 x redis"]
        self.assertAlmostEqual(tail["at_most"], 1.2 * figures["redis"]["service_p99.9_ns"])
        self.assertEqual(tail["measured"], figures["umber"]["service_p99.9_ns"])
        self.assertEqual(tail["met"], tail["measured"] <= tail["at_most"])
        self.assertIn("targets of umber", done.stdout)

    def test_redis_that_is_missing_is_one_line(self):
        with folder_of_programs() as programs:
            env = programs.link("redis-benchmark").env
            done = start("gc", "kv", "--runs", "1", "--arguments", " ".join(TINY), env=env)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("not measured: redis: redis-server is not installed; tools/setup installs it", done.stdout)
            done = start("gc", "kv", "--systems", "umber,redis", env=env)
            self.assertEqual((done.returncode, done.stderr), (2, "umber: redis: redis-server is not installed; tools/setup installs it\n"))


class failures(unittest.TestCase):
    def refused(self, status, *arguments, saying, env=None):
        done = start(*arguments, env=env)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (status, "", 1), (arguments, done.stderr))
        self.assertIn(saying, done.stderr)

    def test_a_load_that_is_missing_or_fails_is_one_line(self):
        with folder_of_programs() as programs:
            for command in (["kv"], ["gc", "kv"]):
                self.refused(1, *command, env=programs.env, saying="redis-benchmark is not installed; tools/setup installs it")
            programs.script("redis-benchmark", "echo nothing")
            self.refused(1, "kv", *TINY, env=programs.env, saying="printed no latencies")
            programs.script("redis-benchmark", "echo Could not connect >&2; exit 1")
            self.refused(1, "kv", *TINY, env=programs.env, saying="redis-benchmark: exit status 1: Could not connect")

    def test_a_server_that_is_missing_or_ends_is_one_line(self):
        self.refused(2, "kv", env={"UMBER_KV": "/no/such/file"}, saying="/no/such/file")
        self.refused(1, "kv", *TINY, env={"UMBER_KV": "/bin/false"}, saying="the server ended at its start")
        self.refused(2, "kv", "--server", "go", saying="UMBER_PEERS=/no/such/file")

    def test_wrong_input_names_what_is_valid(self):
        self.refused(2, "kv", "--kind", "nosuch", saying="zadd")
        self.refused(2, "kv", "--server", "nosuch", saying="redis")
        self.refused(2, "kv", "--keys", "0", saying="--keys")
        self.refused(2, "kv", "--keys", "many", saying="--keys")

    def test_a_full_disk_is_one_line(self):
        with open("/dev/full", "w") as full:
            done = start("kv", *TINY, stdout=full)
        self.assertEqual((done.returncode, done.stderr), (1, "umber: cannot write the result to stdout\n"))


if __name__ == "__main__":
    UMBER = sys.argv.pop(1)
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        print("skipped: install redis: tools/setup")
        sys.exit(77)
    unittest.main()
