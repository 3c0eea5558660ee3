#!/usr/bin/env python3
"""The workloads in Go and Java do the same work as umber's, and what they print is what bench/run.md says.

    peers_test.py PATH/umber-gc-workloads PATH/bench/peers/run

Skipped, with status 77 and the reason, where neither Go nor Java is installed.
"""
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

REFERENCE = None
RUN = None
# Some of each, all of them small; two threads, where a workload can have them.
ARGUMENTS = {
    "binary_trees": ["--depth", "8", "--threads", "2"],
    "gcbench": ["--depth", "10"],
    "message_ring": ["--depth", "10", "--rate", "200000", "--seconds", "0.2", "--random"],
    "graph_mutate": ["--depth", "10"],
    "lru_cache": ["--depth", "9", "--threads", "2"],
    "large_arrays": ["--depth", "4", "--threads", "2"],
    "ast": ["--depth", "5", "--threads", "2"],
    "threads": ["--depth", "5", "--threads", "3"],
    "churn_survive": ["--depth", "10", "--threads", "2"],
    "leak_slow": ["--threads", "2"],
    "finalizer_storm": ["--depth", "6", "--threads", "2"],
    "weak_cache": ["--depth", "10", "--threads", "2"],
    "full_collection": ["--depth", "10", "--random"],
    "linked_list": [],
    "allocate": [],
    "idle_return": ["--depth", "10", "--seconds", "0.1"],
    "barrier": [],
}
FIELDS = {"workload", "system", "version", "parameters", "checksum", "operations", "wall_ns", "cpu_ns", "allocated_bytes",
          "cycles", "stalls", "pauses", "mmu", "timeline", "jitter_ns", "memory", "figures"}


def start(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def available():
    rows = [line.split("\t") for line in start(RUN, "--list").stdout.splitlines()]
    return [row[0] for row in rows if row[1] == "available"], [row[2] for row in rows if row[1] == "missing"]


def percentile(histogram, percent):
    wanted = max(math.ceil(percent / 100 * histogram["count"]), 1)
    for highest, count in histogram["buckets"]:
        wanted -= count
        if wanted <= 0:
            return min(highest, histogram["max"])


def least_utilisation(pauses, wall, window):
    """Tries every window that begins where a pause begins, or ends where one ends."""
    def lost(begin):
        begin = min(max(begin, 0), wall - window)
        return sum(max(0, min(p["at_ns"] + p["ns"], begin + window) - max(p["at_ns"], begin)) for p in pauses)
    worst = max((lost(begin) for p in pauses for begin in (p["at_ns"], p["at_ns"] + p["ns"] - window)), default=0)
    return 1 - worst / window


class peers(unittest.TestCase):
    def outcome(self, system, workload, scale="0.002"):
        done = start(RUN, system, workload, "--scale", scale, *ARGUMENTS[workload])
        self.assertEqual(done.returncode, 0, f"{system} {workload}: {done.stderr}")
        self.assertEqual(done.stdout.count("\n"), 1, f"{system} {workload}")
        result = json.loads(done.stdout)
        self.assertEqual((result["system"], result["workload"]), (system, workload))
        self.assertLessEqual(FIELDS, set(result), f"{system} {workload}")
        pauses = [pause["at_ns"] for pause in result["pauses"]]
        self.assertEqual(pauses, sorted(pauses))
        return result

    def reference(self, workload):
        done = start(REFERENCE, workload, "--scale", "0.002", *ARGUMENTS[workload])
        self.assertEqual(done.returncode, 0, f"umber {workload}: {done.stderr}")
        return json.loads(done.stdout)

    def systems_for(self, workload):
        """One Java collector for all workloads: the programs are the same under the others."""
        if workload in ("binary_trees", "finalizer_storm", "weak_cache"):
            return SYSTEMS
        return [system for system in SYSTEMS if system in ("go", "g1")]

    def test_the_work_is_the_same_as_umbers(self):
        for workload in ARGUMENTS:
            expected = self.reference(workload)
            for system in self.systems_for(workload):
                with self.subTest(system=system, workload=workload):
                    result = self.outcome(system, workload)
                    self.assertEqual(result["checksum"], expected["checksum"])
                    if "operations" in expected:
                        self.assertEqual(result["operations"], expected["operations"])

    def test_every_workload_of_umber_is_there_but_those_that_only_its_heap_can_do(self):
        umbers = {line.split("\t")[0] for line in start(REFERENCE, "--list").stdout.splitlines()}
        for system in SYSTEMS:
            rows = [line.split("\t") for line in start(RUN, system, "--list").stdout.splitlines()]
            self.assertEqual({row[0] for row in rows}, umbers - {"handshakes"}, system)
            self.assertTrue(all(len(row) == 2 and row[1] for row in rows), system)

    def test_what_is_held_at_the_end_is_looked_at_before_it_is_let_go(self):
        for system in self.systems_for("leak_slow"):
            done = start(RUN, system, "leak_slow", "--scale", "0.05", "--jitter", "0")
            result = json.loads(done.stdout)
            kept = result["operations"] * 10 * 64
            self.assertGreaterEqual(result["memory"]["live_bytes"], kept, system)
            self.assertGreater(result["memory"]["settled_rss"] - result["memory"]["baseline_rss"], kept, system)
            self.assertEqual(len(result["warm_up"]), 10, system)
            self.assertAlmostEqual(sum(result["warm_up"]) / (result["service_ns"]["mean"] * result["operations"]), 1, 1)

    def test_the_checksum_depends_on_the_amount_of_work(self):
        for system in self.systems_for("ast"):
            self.assertNotEqual(self.outcome(system, "ast")["checksum"], self.outcome(system, "ast", "0.004")["checksum"])

    def test_percentiles_and_utilisation_follow_from_what_they_summarise(self):
        for system in self.systems_for("message_ring"):
            result = self.outcome(system, "message_ring")
            self.assertEqual(result["operations"], 40000)
            for histogram in (result["service_ns"], result["response_ns"], result["jitter_ns"]):
                self.assertEqual(histogram["count"], sum(count for _, count in histogram["buckets"]))
                self.assertLessEqual(histogram["min"], histogram["mean"])
                self.assertLessEqual(histogram["mean"], histogram["max"])
                for name in ("p50", "p90", "p99", "p99.9", "p99.99", "p99.999"):
                    self.assertEqual(histogram[name], percentile(histogram, float(name[1:])), f"{system} {name}")
            own = [pause for pause in result["pauses"] if pause["cause"] == "operation"]
            if len(result["pauses"]) < 1000:
                for window, least in result["mmu"]:
                    self.assertAlmostEqual(least, least_utilisation(own, result["wall_ns"], window), 5, f"{system} {window}")

    def test_the_log_of_histograms_is_what_hdrhistograms_own_tools_read(self):
        if "g1" not in SYSTEMS:
            self.skipTest("the tool is in Java")
        for system in self.systems_for("message_ring"):
            log = pathlib.Path(os.environ["UMBER_PEERS_BUILD"]) / f"{system}.hlog"
            done = start(RUN, system, "message_ring", *ARGUMENTS["message_ring"], "--hlog", str(log))
            result = json.loads(done.stdout)
            for tag in ("service", "response"):
                read = start("java", "-cp", "/usr/share/java/hdrhistogram.jar", "org.HdrHistogram.HistogramLogProcessor",
                             "-i", str(log), "-tag", tag, "-outputValueUnitRatio", "1").stdout
                expected = result[f"{tag}_ns"]
                summary = re.search(r"\[Max += +([0-9.]+), Total count += +([0-9]+)\]", read)
                self.assertEqual(int(summary[2]), expected["count"], f"{system} {tag}")
                self.assertAlmostEqual(float(summary[1]) / expected["max"], 1, delta=0.01)

    def test_what_cannot_be_done_is_refused_with_one_line(self):
        for system in self.systems_for("ast"):
            for arguments in ([], ["nosuch"], ["ast", "--scale"], ["ast", "--scale", "nan"], ["ast", "--threads", "0"],
                              ["ast", "--frob", "1"], ["ast", "--collector", "hybrid"], ["ast", "--depth", "3"]):
                done = start(RUN, system, *arguments)
                self.assertEqual(done.returncode, 2, (system, arguments, done.stderr))
                self.assertEqual(done.stderr.count("\n"), 1, (system, arguments, done.stderr))
                self.assertEqual(done.stdout, "", (system, arguments))

    def test_a_system_that_is_not_installed_is_named_with_its_remedy(self):
        tools = ("bash", "dirname", "find", "sed", "tail")
        with_little = pathlib.Path(os.environ["UMBER_PEERS_BUILD"]) / "little"
        shutil.rmtree(with_little, ignore_errors=True)
        with_little.mkdir(parents=True)
        for tool in tools:
            (with_little / tool).symlink_to(shutil.which(tool))
        done = subprocess.run([RUN, "g1", "ast"], capture_output=True, text=True, env={"PATH": str(with_little)})
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("tools/setup --peers", done.stderr)

    def test_the_harness_of_go_by_its_own_tests(self):
        if "go" not in SYSTEMS:
            self.skipTest("go is not installed")
        build = pathlib.Path(os.environ["UMBER_PEERS_BUILD"])
        sources = pathlib.Path(RUN).parent / "go"
        environment = {**os.environ, "GOCACHE": str(build / "go-cache"), "GOFLAGS": "", "GOTOOLCHAIN": "local",
                       "GOPROXY": "off", "GOENV": "off", "CGO_ENABLED": "0"}
        for command in (["go", "test", "./..."], ["go", "vet", "./..."]):
            done = subprocess.run(command, cwd=sources, capture_output=True, text=True, env=environment, timeout=200)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = subprocess.run(["gofmt", "-l", "."], cwd=sources, capture_output=True, text=True)
        self.assertEqual(done.stdout, "", "not as gofmt has them")


if __name__ == "__main__":
    RUN = sys.argv.pop()
    REFERENCE = sys.argv.pop()
    SYSTEMS, REMEDIES = available()
    if not SYSTEMS:
        print("skipped:", "; ".join(sorted(set(REMEDIES))))
        sys.exit(77)
    unittest.main()
