#!/usr/bin/env python3
"""Every workload runs at a tiny scale, prints one line of JSON, and computes the same each time and under each allocator.

    workloads_test.py PATH/umber-workloads
"""
import concurrent.futures
import ctypes.util
import json
import os
import subprocess
import sys
import unittest

PROGRAM = None
SCALE = "0.002"
FIELDS = {"name", "seconds", "operations", "ns_per_op", "checksum", "baseline_rss_kb", "peak_rss_kb"}


def run(*arguments, preload=None):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = preload
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment, timeout=60)


def names():
    return [line.split("\t")[0] for line in run("--list").stdout.splitlines()]


class workloads(unittest.TestCase):
    def outcome(self, name, preload=None):
        done = run(name, "--scale", SCALE, preload=preload)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")
        self.assertEqual(done.stdout.count("\n"), 1, name)
        result = json.loads(done.stdout)
        self.assertEqual(result["name"], name)
        self.assertLessEqual(FIELDS, set(result), name)
        self.assertGreaterEqual(result["peak_rss_kb"], result["baseline_rss_kb"], name)
        return result["checksum"]

    def test_every_workload_computes_the_same_twice_and_under_another_allocator(self):
        preloads = [None, None] + [ctypes.util.find_library("mimalloc")][:1]
        rows = names()
        self.assertGreater(len(rows), 35)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pending = {name: [pool.submit(self.outcome, name, each) for each in preloads] for name in rows}
            for name, runs in pending.items():
                self.assertEqual(len({each.result() for each in runs}), 1, f"{name}: the checksum varies")

    def test_the_checksum_depends_on_the_amount_of_work(self):
        self.assertNotEqual(self.outcome("pair-64"), json.loads(run("pair-64", "--scale", "0.004").stdout)["checksum"])

    def test_names_are_distinct_and_described(self):
        rows = [line.split("\t") for line in run("--list").stdout.splitlines()]
        self.assertEqual(len({row[0] for row in rows}), len(rows))
        self.assertTrue(all(len(row) == 4 and row[3] for row in rows))

    def test_wrong_arguments_are_refused_with_one_line(self):
        for arguments in ([], ["nosuch"], ["pair-64", "--scale"], ["pair-64", "--scale", "nan"], ["pair-64", "--scale", "-1"],
                          ["pair-64", "--threads", "0"], ["pair-64", "--threads", "-1"], ["pair-64", "--frob", "1"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stderr.count("\n"), 1, arguments)
            self.assertEqual(done.stdout, "", arguments)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
