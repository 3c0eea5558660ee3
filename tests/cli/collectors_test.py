#!/usr/bin/env python3
"""Every workload of the pause bench computes the same on every system, and prints what bench/run.md says.

    collectors_test.py PATH/umber-gc-workloads PATH/umber-gc-malloc [PATH/umber-gc-boehm]
"""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zlib

PROGRAMS = []
TINY = ["--scale", "0.002", "--depth", "6", "--jitter", "0"]
FIELDS = {"workload", "system", "version", "parameters", "checksum", "wall_ns", "cpu_ns", "timeline", "memory"}
KINDS = ("hybrid", "deletion", "insertion", "stop_the_world")


def start(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=110)


def rows(program):
    return [line.split("\t")[0] for line in start(program, "--list").stdout.splitlines()]


def tiny(name):
    """What keeps a workload small: one with a pace runs without it, and few have a use for threads."""
    threads = {"handshakes": "20"}.get(name, "2")
    return [name, *TINY, "--seconds", "0.1", "--rate", "0", "--threads", threads]


class collectors(unittest.TestCase):
    def result(self, program, *arguments):
        done = start(program, *arguments)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        self.assertEqual(done.stdout.count("\n"), 1, arguments)
        result = json.loads(done.stdout)
        self.assertEqual(result["workload"], arguments[0])
        self.assertLessEqual(FIELDS, set(result), arguments)
        self.assertRegex(result["checksum"], r"^[0-9a-f]{16}$")
        self.assertGreaterEqual(result["memory"]["peak_rss"], result["memory"]["baseline_rss"], arguments)
        return result

    def test_every_workload_computes_the_same_on_every_system_and_with_every_collector(self):
        mine, others = PROGRAMS[0], PROGRAMS[1:]
        jobs = {}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name in rows(mine):
                runs = [(mine, "--collector", kind) for kind in KINDS]
                runs += [(program,) for program in others if name in rows(program)]
                jobs[name] = [pool.submit(self.result, program, *tiny(name), *more) for program, *more in runs]
            for name, pending in jobs.items():
                self.assertEqual(len({each.result()["checksum"] for each in pending}), 1, f"{name}: the checksum varies")
        self.assertGreater(len(jobs), 15)

    def test_a_paced_run_with_a_collector_says_what_it_felt_like(self):
        run = self.result(PROGRAMS[0], "churn_survive", "--rate", "20000", "--seconds", "0.3", "--depth", "16", "--jitter", "0.02")
        self.assertEqual(run["operations"], 6000)
        for name in ("service_ns", "response_ns"):
            h = run[name]
            self.assertEqual(h["count"], 6000)
            self.assertEqual(sum(count for _, count in h["buckets"]), 6000)
            self.assertLessEqual(h["p50"], h["p99"])
            self.assertLessEqual(h["p99"], h["max"])
        self.assertGreater(run["cycles"], 0)
        self.assertGreater(run["allocated_bytes"], 6000 * 100 * 64)
        self.assertAlmostEqual(run["allocated_objects"], 6000 * 100, delta=3000)
        self.assertGreater(run["memory"]["metadata_bytes"], 0)
        self.assertIn("returned_bytes", run["memory"])
        self.assertTrue(run["stalls"] and run["pauses"] and run["marking"])
        self.assertEqual([window for window, _ in run["mmu"]][:2], [1000, 1778])
        self.assertLessEqual({"process", "mutator", "mark", "sweep", "assist", "barrier", "collector"}, set(run["cpu_ns"]))
        self.assertGreater(len(run["timeline"]), 10)
        self.assertIn("live", run["timeline"][0])

    def test_what_is_held_at_the_end_is_looked_at_before_it_is_let_go(self):
        for program in PROGRAMS:
            run = self.result(program, "churn_survive", "--scale", "0.05", "--depth", "17", "--jitter", "0")
            held, payload = run["memory"]["settled_rss"] - run["memory"]["baseline_rss"], 64 << 17
            self.assertGreater(held, payload, program)
            self.assertGreaterEqual(run["memory"].get("live_bytes", payload), payload, program)
            self.assertEqual(len(run["warm_up"]), 10, program)
            self.assertAlmostEqual(sum(run["warm_up"]) / (run["service_ns"]["mean"] * run["operations"]), 1, 2)

    def test_what_measuring_costs_is_told_with_a_pace_and_without(self):
        for program in PROGRAMS:
            figures = self.result(program, "recording", *TINY)["figures"]
            for name in ("operation_ns", "paced_operation_ns", "paced_response_ns"):
                self.assertGreater(figures[name], 0, (program, name))

    def test_figures_of_rounds_are_a_median_between_two_extremes(self):
        for workload, name in (("allocate", "object"), ("full_collection", "collection"), ("handshakes", "round")):
            run = self.result(PROGRAMS[0], *tiny(workload))
            low, middle, high = (run["figures"][f"{name}{which}_ns"] for which in ("_low", "", "_high"))
            self.assertLessEqual(low, middle, workload)
            self.assertLessEqual(middle, high, workload)
            self.assertGreaterEqual(len(run["warm_up"]), 5, workload)

    def test_a_growth_in_percent_is_a_divisor_of_boehms(self):
        for program in (each for each in PROGRAMS if each.endswith("boehm")):
            run = self.result(program, "ast", *TINY, "--percent", "50")
            self.assertEqual((run["parameters"]["percent"], run["parameters"]["free_space_divisor"]), ("50", "4"))
            done = start(program, "ast", "--percent", "400")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))

    def test_the_log_holds_the_same_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "run.hlog")
            run = self.result(PROGRAMS[1], "lru_cache", *TINY, "--rate", "0", "--hlog", name)
            lines = pathlib.Path(name).read_text().splitlines()
        self.assertEqual(lines[0], "#[Histogram log format version 1.3]")
        line = next(each for each in lines if each.startswith("Tag=service,"))
        packed = base64.b64decode(line.split(",")[-1])
        self.assertEqual(packed[:4].hex(), "1c849314")
        plain = zlib.decompress(packed[8:])
        self.assertEqual(plain[:4].hex(), "1c849313")
        counts = [each for each in numbers(plain[40:]) if each > 0]
        self.assertEqual(counts, [count for _, count in run["service_ns"]["buckets"]])

    def test_the_work_follows_the_scale_and_the_rate(self):
        program = PROGRAMS[1]
        small, large = (self.result(program, "ast", "--scale", scale, "--depth", "4", "--jitter", "0") for scale in ("0.002", "0.004"))
        self.assertNotEqual(small["checksum"], large["checksum"])
        self.assertEqual((small["operations"], large["operations"]), (6, 12))

    def test_what_is_made_beside_the_swaps_is_no_more_than_was_asked_for(self):
        for program in PROGRAMS:
            run = self.result(program, "graph_mutate", "--depth", "10", "--scale", "0.1", "--beside", "10000", "--jitter", "0")
            at_once = 16384  # more than a second's
            self.assertLess(run["figures"]["beside_per_second"] * run["wall_ns"] / 1e9, 4 * at_once)
            self.assertEqual(run["parameters"]["beside"], 10000)

    def test_wrong_arguments_are_refused_with_one_line(self):
        for program in PROGRAMS:
            for arguments in ([], ["nosuch"], ["ast", "--scale"], ["ast", "--scale", "nan"], ["ast", "--scale", "-1"],
                              ["ast", "--threads", "0"], ["ast", "--depth", "60"], ["ast", "--survival", "2"],
                              ["ast", "--frob", "1"], ["ast", "--collector", "nosuch"]):
                done = start(program, *arguments)
                self.assertEqual(done.returncode, 2, arguments)
                self.assertEqual(done.stderr.count("\n"), 1, arguments)
                self.assertEqual(done.stdout, "", arguments)
        done = start(PROGRAMS[1], "ast", "--percent", "50")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))

    def test_a_log_that_cannot_be_written_is_said_in_one_line(self):
        done = start(PROGRAMS[1], "ast", *TINY, "--hlog", "/nosuch/run.hlog")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))

    def test_names_are_distinct_and_described(self):
        for program in PROGRAMS:
            lines = start(program, "--list").stdout.splitlines()
            self.assertEqual(len({line.split("\t")[0] for line in lines}), len(lines))
            self.assertTrue(all(re.fullmatch(r"[a-z_]+\t.+", line) for line in lines))


def numbers(data):
    """ZigZag LEB128, of at most nine bytes."""
    at = 0
    while at < len(data):
        value = 0
        for i in range(9):
            byte = data[at]
            at += 1
            value |= (byte if i == 8 else byte & 0x7F) << 7 * i
            if byte < 0x80:
                break
        yield value >> 1 ^ -(value & 1)


if __name__ == "__main__":
    while len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        PROGRAMS.append(sys.argv.pop(1))
    unittest.main()
