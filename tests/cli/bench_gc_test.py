#!/usr/bin/env python3
"""`umber bench gc` from outside, with programs whose figures are made up (fake_collector.py).

    bench_gc_test.py PATH/umber
"""
import base64
import json
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

UMBER = None
HERE = pathlib.Path(__file__).resolve().parent
FAKE = str(HERE / "fake_collector.py")
PROGRAMS = {name: FAKE for name in ("UMBER_GC_WORKLOADS", "UMBER_GC_MALLOC", "UMBER_GC_BOEHM", "UMBER_PEERS")}


def environment(more=None):
    kept = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "UMBER_OPTIONS")}
    return {**kept, **PROGRAMS, **(more or {})}


def bench(*arguments, env=None, preexec=None):
    return subprocess.run([UMBER, "bench", "gc", *arguments], capture_output=True, text=True, env=environment(env), preexec_fn=preexec, timeout=120)


def measured(*arguments, env=None, status=0):
    """Runs it and returns the document it wrote, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "result.json"
        done = bench(*arguments, "--json", str(path), env=env)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        assert os.listdir(folder) == ["result.json"]
        return json.loads(path.read_text()), done.stdout


def row_of(document, system, workload=None):
    return next(row for row in document["rows"] if row["system"] == system and workload in (None, row["workload"]))


def decoded(text):
    """Value to count, of an encoded histogram of two digits."""
    raw = base64.b64decode(text)
    cookie, length = struct.unpack(">II", raw[:8])
    plain = zlib.decompress(raw[8:8 + length])
    inner, size, _, digits, lowest, _, ratio = struct.unpack(">IIiIqqd", plain[:40])
    assert (cookie, inner, digits, lowest, ratio, len(plain)) == (0x1c849314, 0x1c849313, 2, 1, 1.0, 40 + size)
    counts, index, at = {}, 0, 40
    while at < len(plain):
        number = shift = 0
        while True:
            byte = plain[at]
            at += 1
            number |= byte << shift if shift == 56 else (byte & 0x7F) << shift
            shift += 7
            if shift > 56 or not byte & 0x80:
                break
        value = (number >> 1) ^ -(number & 1)
        if value > 0:
            octave, within = (0, index) if index < 256 else (index // 128 - 1, index % 128 + 128)
            counts[within << octave] = value
        index += -value if value < 0 else 1
    return counts


class figures(unittest.TestCase):
    def test_the_document_says_what_was_measured(self):
        document, text = measured("steady", "paced", "--systems", "umber,go,malloc:glibc", "--runs", "3")
        self.assertEqual((document["bench"], document["runs"], document["failed"]), ("gc", 3, False))
        self.assertEqual([each["name"] for each in document["systems"]], ["umber", "go", "malloc:glibc"])
        self.assertEqual(document["systems"][1]["version"], "go 1.0")
        self.assertIn("kernel", document["environment"])
        row = row_of(document, "go", "steady")
        self.assertEqual((row["row"], row["part"], len(row["runs"]), row["paced"]), ("steady", "main", 3, False))
        self.assertEqual(row["median"]["wall_ns"], 100e6)
        self.assertEqual(row["spread"]["wall_ns"], [100e6, 100e6])
        self.assertEqual((row["time_ratio"], row["lower_bound"]["cpu"]), (2, 2))
        self.assertEqual((row["median"]["stall_max_ns"], row["median"]["mmu_10ms"], row["median"]["swap_ns"]), (100000, 0.75, 4.5))
        self.assertEqual((row["median"]["warm_up"], row["median"]["held_bytes"], row["median"]["cycles"]), (3, 6 << 17, 7))
        self.assertAlmostEqual(row["median"]["garbage_bytes_per_cpu_s"], (1 << 20) / 0.1)
        self.assertGreater(row["runs"][0]["outside"]["peak_rss"], 1 << 20)
        paced = row_of(document, "umber", "paced")
        self.assertTrue(paced["paced"])
        self.assertEqual(paced["median"]["response_p99.9_ns"], 100000)
        self.assertNotIn("time_ratio", paced)
        self.assertIn("machine max", text)

    def test_fragmentation_is_what_is_held_for_each_byte_that_the_program_holds(self):
        document, text = measured("full_collection", "--systems", "umber,go,g1", "--runs", "2", "--arguments", "--depth 14")
        held = {row["system"]: row["median"]["fragmentation"] for row in document["rows"]}
        self.assertEqual(held, {"umber": 3, "go": 6, "g1": 9})
        self.assertIn("held/live", text)
        document, _ = measured("full_collection", "--systems", "umber,go", "--runs", "1", "--arguments", "--depth 8")
        self.assertNotIn("fragmentation", document["rows"][0]["median"])

    def test_a_row_with_fewer_runs_than_asked_says_so(self):
        document, text = measured("steady", "paced", "--systems", "umber", "--runs", "3", "--row-seconds", "0")
        self.assertEqual([(len(row["runs"]), row["runs_asked"]) for row in document["rows"]], [(1, 3)] * 2)
        self.assertRegex(text, r"steady: .* \(1 of 3 runs: it takes long\)")
        self.assertIn("2 of 2 rows have fewer runs than the others", text)
        _, text = measured("steady", "--systems", "umber", "--runs", "2")
        self.assertNotIn("fewer runs", text)

    def test_one_run_of_a_row_keeps_its_details(self):
        document, _ = measured("paced", "--systems", "umber", "--runs", "3")
        row = document["rows"][0]
        for index, run in enumerate(row["runs"]):
            for part in (run, run["response_ns"], run["stalls"]["handshake"]):
                self.assertEqual("timeline" in part or "buckets" in part, index == row["shown"])

    def test_the_systems_take_turns(self):
        document, _ = measured("steady", "--systems", "umber,go", "--runs", "3")
        starts = sorted((run["outside"]["started"], row["system"]) for row in document["rows"] for run in row["runs"])
        self.assertEqual([system for _, system in starts], ["umber", "go"] * 3)

    def test_a_printed_command_reproduces_its_row(self):
        document, text = measured("steady", "--systems", "malloc:glibc", "--runs", "1", "--commands", "--cpus", "0")
        row = document["rows"][0]
        self.assertIn(row["command"], text)
        done = subprocess.run(row["command"], shell=True, capture_output=True, text=True)
        self.assertEqual(json.loads(done.stdout)["checksum"], row["runs"][0]["checksum"])

    def test_what_is_not_a_number_counts_as_absent(self):
        document, _ = measured("typeless", "--systems", "umber", "--runs", "1")
        row = document["rows"][0]
        self.assertEqual(row["median"]["peak_rss"], row["runs"][0]["outside"]["peak_rss"])
        self.assertFalse({"cycles", "mmu_1ms", "stall_max_ns"} & set(row["median"]))

    def test_every_field_is_described(self):
        document, _ = measured("steady", "message_ring", "full_collection", "binary_trees", "--systems", "umber,go", "--runs", "1",
                               "--live", "1MiB,2MiB,4MiB", "--percent", "50", "--evolution", "--quick")
        described = (HERE.parent.parent / "bench" / "results.md").read_text()
        for entry in [document, *document["rows"]]:
            for name in entry:
                self.assertIn(f"`{name}`", described)
        sample = json.loads((HERE / "bench_gc_sample.json").read_text())
        self.assertLessEqual(set(document), set(sample))
        self.assertLessEqual({name for row in document["rows"] for name in row}, {name for row in sample["rows"] for name in row} | {"live_bytes"})

    def test_histograms_are_logs_of_hdrhistogram(self):
        with tempfile.TemporaryDirectory() as folder:
            done = bench("paced", "--systems", "umber", "--runs", "2", "--hlog", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), ["main_paced_umber.hlog"])
            lines = (pathlib.Path(folder) / "main_paced_umber.hlog").read_text().splitlines()
        self.assertEqual(lines[1:3], ["#[Histogram log format version 1.3]",
                                      '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'])
        self.assertEqual([line.split(",")[0] for line in lines[3:]], ["Tag=response", "Tag=jitter", "Tag=stall-handshake"] * 2)
        start, length, longest, histogram = lines[3].split(",")[1:]
        self.assertLess(abs(float(start) - time.time()), 100)
        self.assertEqual((length, longest), ("0.050", "0.200"))
        counts = decoded(histogram)
        self.assertEqual(list(counts.values()), [9000, 900, 99, 1])
        for found, recorded in zip(counts, (100, 1000, 100000, 200000)):
            self.assertLessEqual(found, recorded)
            self.assertGreater(found, recorded * 0.99)


class studies(unittest.TestCase):
    def test_the_exponent_of_the_growth_is_fitted(self):
        document, text = measured("full_collection", "message_ring", "--systems", "umber,malloc:glibc", "--runs", "1", "--live", "1MiB,16MiB,64MiB")
        self.assertEqual({row["part"] for row in document["rows"]}, {"scaling"})
        self.assertEqual({row["system"] for row in document["rows"]}, {"umber"})
        whole = next(each for each in document["scaling"] if each["workload"] == "full_collection" and each["figure"] == "wall_ns")
        self.assertAlmostEqual(whole["exponent"], 1, places=3)
        self.assertEqual([point["live_bytes"] for point in whole["points"]], [1 << 20, 1 << 24, 1 << 26])
        self.assertEqual(document["rows"][0]["arguments"], ["--depth", "13"])
        ring = next(each for each in document["scaling"] if each["figure"] == "response_max_ns")
        self.assertAlmostEqual(ring["exponent"], 0, places=3)
        self.assertRegex(text, r"full_collection +umber +wall_ns +1\.00")

    def test_a_point_of_a_study_is_run_once_when_all_is_measured(self):
        document, _ = measured("full_collection", "--all", "--systems", "umber")
        runs = {row["part"]: len(row["runs"]) for row in document["rows"]}
        self.assertEqual((document["runs"], runs), (3, {"main": 3, "scaling": 1}))

    def test_with_everything_live_sets_grow_as_far_as_memory_allows(self):
        sizes = {}
        for memory in ("1GiB", "20GiB"):
            document, _ = measured("full_collection", "--all", "--systems", "umber,go", "--memory-limit", memory)
            for row in document["rows"]:
                if row["part"] == "scaling":
                    sizes.setdefault((memory, row["system"]), []).append(row["live_bytes"] >> 20)
        self.assertEqual(sizes, {("1GiB", "umber"): [64, 256], ("1GiB", "go"): [64, 256], ("20GiB", "umber"): [64, 256, 1024, 4096, 8192],
                                 ("20GiB", "go"): [64, 256, 1024, 4096]})

    def test_two_points_are_no_fit(self):
        document, _ = measured("full_collection", "--systems", "umber", "--runs", "1", "--live", "1MiB,2MiB")
        self.assertNotIn("exponent", document["scaling"][0])

    def test_settings_are_swept_and_what_a_system_cannot_do_is_no_failure(self):
        document, text = measured("binary_trees", "--systems", "umber,go", "--runs", "1", "--percent", "50,200", "--limit", "64MiB")
        points = {each["system"]: each["points"] for each in document["tuning"]}
        self.assertEqual([point.get("percent", point.get("limit")) for point in points["umber"]], [50, 200, 64 << 20])
        self.assertEqual([point["percent"] for point in points["go"]], [50, 200])
        self.assertIn("not possible: exit status 2: no limit here", text)
        self.assertEqual(sum("unsupported" in row for row in document["rows"]), 1)

    def test_the_evolution_has_every_step_in_figures(self):
        document, text = measured("--evolution", "--quick", "--runs", "1", "--systems", "umber")
        steps = document["evolution"]["steps"]
        self.assertEqual([step["to"] for step in steps], ["insertion", "deletion", "hybrid"])
        for step in steps:
            stall = next(each for each in step["figures"] if each["figure"] == "stall_max_ns")
            self.assertEqual(stall["from"], 4 * stall["to"])
            self.assertIn("stall_sum_ns", [each["figure"] for each in step["figures"]])
            self.assertIn(step["why"], text)
        self.assertIn("umber:stop_the_world", [each["name"] for each in document["systems"]])
        self.assertTrue(row_of(document, "umber:hybrid")["command"].endswith("--collector hybrid"))


class targets(unittest.TestCase):
    def test_a_target_is_judged_by_what_the_run_measured(self):
        document, text = measured("binary_trees", "message_ring", "steady", "--systems", "umber,go", "--runs", "1")
        judged = {(re.sub(" --d.*", "", each["row"]), each["figure"]): each for each in document["targets"]}
        self.assertEqual(judged["binary_trees", "wall_ns"], {"row": "binary_trees", "figure": "wall_ns", "at_most": 30e6, "basis": "0.3 x go",
                                                             "measured": 50e6, "met": False})
        longest, stall = judged["message_ring", "response_max_ns"], judged["message_ring", "stall_max_ns"]
        self.assertEqual((longest["at_most"], longest["measured"], longest["machine"], longest["met"]), (150e3, 200e3, 40e3, False))
        self.assertEqual((stall["at_most"], stall["measured"], stall["met"]), (200e3, 100e3, True))
        self.assertRegex(text, r"binary_trees +wall_ns +<= 30\.0 ms +50\.0 ms +MISSED +0\.3 x go")
        missed = sum(not each["met"] for each in document["targets"])
        self.assertIn(f"{missed} of {len(document['targets'])} targets missed", text)
        self.assertFalse(document["failed"])

    def test_what_was_not_measured_is_not_judged(self):
        document, text = measured("binary_trees", "--systems", "go,malloc:mimalloc", "--runs", "1")
        self.assertEqual(document["targets"], [])
        self.assertNotIn("targets of umber", text)
        document, _ = measured("binary_trees", "--systems", "umber", "--runs", "1", "--percent", "50")
        self.assertEqual(document["targets"], [])


class failures(unittest.TestCase):
    def refused(self, status, *arguments, saying, env=None):
        done = bench(*arguments, env=env)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (status, 1), (arguments, done.stderr))
        self.assertIn(saying, done.stderr)

    def test_a_run_that_fails_is_shown_and_sets_the_exit_status(self):
        told = {"die": "killed by SIGSEGV", "truncated": "not one JSON object", "nothing": "not one JSON object", "wrong": "'another'",
                "stderr": "exit status 1: the tree has a node too many"}
        document, text = measured(*told, "steady", "--systems", "umber", "--runs", "2", status=1)
        for name, problem in told.items():
            self.assertRegex(text, rf"{name} under umber: .*{re.escape(problem)}")
            row = row_of(document, "umber", name)
            self.assertIn(problem, row["problem"])
            self.assertEqual(len(row["runs"]), 1)
            self.assertNotIn("median", row)
        self.assertTrue(document["failed"])
        self.assertIn("median", row_of(document, "umber", "steady"))

    def test_time_and_memory_exceeded_are_reported(self):
        document, text = measured("hang", "--systems", "umber,go", "--timeout", "0.5", status=1)
        self.assertRegex(text, r"hang under umber: stopped after 0\.\d s \(--timeout\)")
        self.assertRegex(row_of(document, "go")["problem"], r"stopped after 0\.\d s \(--timeout\)")
        document, text = measured("grow", "--systems", "umber", "--memory-limit", "100MiB", status=1)
        self.assertIn("resident with more than 100 MiB (--memory-limit)", text)

    def test_a_disagreement_of_checksums_is_shown_and_sets_the_exit_status(self):
        document, text = measured("disagree", "--systems", "umber,go,g1", "--runs", "2", status=1)
        self.assertIn("disagree: the checksums differ: 0000000000000002 from go g1; 0000000000000005 from umber", text)
        self.assertEqual(document["disagreements"], [{"row": "disagree", "checksums": {"0000000000000002": ["go", "g1"], "0000000000000005": ["umber"]}}])

    def test_a_peer_that_is_missing_is_one_line(self):
        missing = {"FAKE_MISSING": "zgc,go"}
        document, text = measured("steady", "--runs", "1", env=missing)
        self.assertIn("not measured: zgc: exit status 1: zgc is not installed: apt-get install the-package-of-zgc", text)
        self.assertEqual([each["system"] for each in document["missing"]][-2:], ["go", "zgc"])
        self.refused(2, "steady", "--systems", "umber,go", env=missing, saying="apt-get install the-package-of-go")

    def test_wrong_input_names_what_is_valid(self):
        self.refused(2, "nosuch", "--systems", "umber", saying="steady")
        self.refused(2, "steady", "--systems", "nosuch", saying="malloc:mimalloc")
        self.refused(2, "steady", "--systems", "umber,umber", saying="twice")
        self.refused(2, "steady", "--systems", "malloc:nosuch", saying="no allocator is called 'nosuch'")
        self.refused(2, "steady", "--systems", "umber", "--evolution", saying="--list")
        self.refused(2, "steady", "--runs", "0", saying="1 to 1000")
        self.refused(2, "steady", "--systems", "umber", "--cpus", "9999", saying="--cpus 9999")
        self.refused(2, "--live", "much", saying="--live")
        self.refused(2, "steady", "--systems", "umber", env={"UMBER_GC_WORKLOADS": "/no/such/file"}, saying="no such file")

    def test_a_full_disk_is_one_line_and_leaves_no_file(self):
        def little_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

        usual = ["paced", "--systems", "umber", "--runs", "1"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "result.json"
            path.write_text("old")
            for option, target in (("--json", path), ("--hlog", pathlib.Path(folder))):
                done = bench(*usual, option, str(target), preexec=little_room)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
                self.assertEqual((os.listdir(folder), path.read_text()), (["result.json"], "old"))
        self.refused(1, *usual, "--json", "/dev/full", saying="No space left")
        for command in (["bench", "gc", "--list"], ["doctor"], ["--version"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([UMBER, *command], stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=120)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), (command, done.stderr))
            self.assertIn("cannot write", done.stderr)
        self.refused(1, *usual, "--json", "/no/such/folder/x", saying="cannot write")
        self.refused(1, *usual, "--hlog", "/dev/null/x", saying="cannot make")

    def test_an_interrupt_ends_the_run_and_leaves_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [UMBER, "bench", "gc", "hang", "--systems", "umber", "--json", folder + "/x"]
            child = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)
            time.sleep(1)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.communicate(timeout=60)[1], "umber: interrupted\n")
            self.assertEqual((child.returncode, os.listdir(folder)), (130, []))

    def test_a_row_is_there_before_the_next_one_is_done(self):
        command = [UMBER, "bench", "gc", "message_ring", "hang", "--systems", "umber", "--runs", "1"]
        child = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(child.stdout.readline().startswith("message_ring"))
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.communicate(timeout=60)[1], "umber: interrupted\n")


if __name__ == "__main__":
    UMBER = sys.argv.pop(1)
    unittest.main()
