#!/usr/bin/env python3
"""The program `umber` from outside: its commands, the files it writes, and what it says to wrong input.

    umber_test.py PATH/umber PATH/umber-workloads
"""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

UMBER = None
TINY = ["--only", "pair-64", "--scale", "0.001", "--allocators", "glibc"]


def umber(*arguments, env=None, preexec=None):
    environment = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "UMBER_OPTIONS")}
    environment.update(env or {})
    return subprocess.run([UMBER, *arguments], capture_output=True, text=True, env=environment, preexec_fn=preexec, timeout=120)


def libc():
    """A library that can be preloaded wherever these tests run."""
    maps = pathlib.Path("/proc/self/maps").read_text()
    return next(line.split()[-1] for line in maps.splitlines() if "/libc.so" in line or "/libc-2" in line)


class base(unittest.TestCase):
    def refused(self, status, *arguments, saying="", env=None):
        done = umber(*arguments, env=env)
        self.assertEqual(done.returncode, status, (arguments, done.stderr))
        self.assertEqual(done.stderr.count("\n"), 1, (arguments, done.stderr))
        self.assertIn(saying, done.stderr, arguments)
        return done


class bench_malloc(base):
    def test_the_json_file_says_what_was_measured(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "result.json"
            done = umber("bench", "malloc", "--quick", *TINY, "--json", str(path))
            self.assertEqual(done.returncode, 0, done.stderr)
            document = json.loads(path.read_text())
            self.assertEqual(os.listdir(folder), ["result.json"])
        row = document["rows"][0]
        self.assertEqual(row["name"], "pair-64")
        self.assertEqual(len(row["results"]["glibc"]["runs"]), 3)
        self.assertGreater(row["results"]["glibc"]["seconds"], 0)
        self.assertFalse(document["failed"])

    def test_a_printed_command_reproduces_its_row(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "result.json"
            umber("bench", "malloc", "--runs", "1", *TINY, "--json", str(path))
            row = json.loads(path.read_text())["rows"][0]
        done = subprocess.run(row["commands"]["glibc"], shell=True, capture_output=True, text=True)
        self.assertEqual(json.loads(done.stdout)["checksum"], row["results"]["glibc"]["runs"][0]["checksum"])

    def test_a_full_disk_is_one_line_and_leaves_no_file(self):
        def little_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "result.json"
            path.write_text("old")
            done = umber("bench", "malloc", "--runs", "1", *TINY, "--json", str(path), preexec=little_room)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertEqual((os.listdir(folder), path.read_text()), (["result.json"], "old"))
        self.refused(1, "bench", "malloc", "--runs", "1", *TINY, "--json", "/dev/full", saying="No space left")
        self.refused(1, "bench", "malloc", "--runs", "1", *TINY, "--json", "/no/such/folder/x", saying="cannot write")

    def test_a_row_that_fails_is_shown_and_sets_the_exit_status(self):
        done = umber("bench", "malloc", "--only", "hoarding", "--allocators", "glibc", "--timeout", "0.2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("hoarding under glibc: stopped after", done.stdout)
        with tempfile.NamedTemporaryFile(suffix=".so") as broken:
            done = umber("bench", "malloc", *TINY, "--runs", "1", "--with", "broken=" + broken.name)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be preloaded", done.stdout)

    def test_a_disagreement_of_checksums_is_shown_and_sets_the_exit_status(self):
        with tempfile.TemporaryDirectory() as folder:
            liar = pathlib.Path(folder) / "liar"
            liar.write_text('#!/bin/sh\nif [ "$1" = --list ]; then printf "w\\tfast\\t1\\td\\n"; exit; fi\n'
                            'echo "{\\"seconds\\":1,\\"peak_rss_kb\\":1,\\"checksum\\":\\"$$\\"}"\n')
            liar.chmod(0o755)
            done = umber("bench", "malloc", "--only", "w", "--allocators", "glibc", env={"UMBER_WORKLOADS": str(liar)})
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("w: the checksums differ", done.stdout)

    def test_wrong_input_names_what_is_valid(self):
        self.refused(2, "bench", "malloc", "--only", "nosuch", saying="there are: pair-64")
        self.refused(2, "bench", "malloc", "--allocators", "nosuch", saying="glibc")
        self.refused(2, "bench", "malloc", "--allocators", "glibc,glibc", saying="twice")
        self.refused(2, "bench", "malloc", *TINY, "--baseline", "nosuch", saying="glibc")
        self.refused(2, "bench", "malloc", "--with", "nosuch", saying="NAME=")
        self.refused(2, "bench", "malloc", "--runs", "0", saying="1 to 1000")
        self.refused(2, "bench", "nosuch", saying="malloc")
        self.refused(2, "nosuch", saying="run, doctor")
        self.refused(2, saying="is followed by a command: run, doctor")
        self.refused(2, "heap", "x", "--nosuch", saying="see umber heap --help")

    def test_an_allocator_that_is_missing_is_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = pathlib.Path(folder) / "umber"
            shutil.copy(UMBER, alone)
            done = subprocess.run([alone, "bench", "malloc", "--allocators", "umber"], capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        self.assertIn("libumber_malloc.so is not beside this program; set UMBER_LIBRARY", done.stderr)

    def test_the_list_names_every_workload(self):
        listing = umber("bench", "malloc", "--list").stdout
        for name in ("pair-64", "larson", "hoarding", "idle-return-foreign"):
            self.assertIn(name, listing)


class evolution(base):
    def test_every_step_is_told_in_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "result.json"
            done = umber("bench", "malloc", "--evolution", "--runs", "1", "--scale", "0.02", "--json", str(path))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            document = json.loads(path.read_text())
        order = ["bump", "first_fit", "next_fit", "best_fit", "segregated", "arenas", "central", "mcache", "umber"]
        self.assertEqual([each["from"] for each in document["evolution"]["steps"]], order[:-1])
        self.assertEqual([each["to"] for each in document["evolution"]["steps"]], order[1:])
        for each in document["evolution"]["steps"]:
            self.assertIn(each["why"], done.stdout)
            for figure in each["figures"]:
                row = next(row for row in document["rows"] if row["name"] == figure["row"])
                self.assertEqual(row["results"][each["to"]][figure["figure"]], figure["to"])
        command = document["rows"][0]["commands"]["best_fit"]
        self.assertIn("UMBER_EVOLUTION=best_fit", command)
        again = json.loads(subprocess.run(command, shell=True, capture_output=True, text=True).stdout)
        self.assertEqual(again["checksum"], document["rows"][0]["results"]["umber"]["runs"][0]["checksum"])

    def test_only_those_named_are_measured_beside_umber(self):
        usual = ["bench", "malloc", "--evolution", "--runs", "1", "--scale", "0.02", "--only", "churn"]
        done = umber(*usual, "--allocators", "next_fit,best_fit")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("next_fit -> best_fit", done.stdout)
        self.assertNotIn("mcache", done.stdout)
        self.refused(2, *usual, "--allocators", "nosuch", saying="first_fit")


class run(base):
    def run_program(self, *arguments, **options):
        return umber("run", *options.pop("flags", []), "--library", libc(), "--", *arguments, **options)

    def test_the_program_gets_the_library_and_its_own_arguments(self):
        done = self.run_program("sh", "-c", 'echo "$LD_PRELOAD" "$@"', "sh", "--json", "-x")
        self.assertEqual(done.stdout.split(), [libc(), "--json", "-x"])

    def test_what_is_preloaded_already_stays(self):
        done = self.run_program("sh", "-c", 'echo "$LD_PRELOAD"', env={"LD_PRELOAD": libc()})
        self.assertEqual(done.stdout.strip(), f"{libc()}:{libc()}")

    def test_the_exit_status_and_the_signal_are_the_programs(self):
        for flags in ([], ["--stats"]):
            self.assertEqual(self.run_program("sh", "-c", "exit 7", flags=flags).returncode, 7)
            self.assertEqual(self.run_program("sh", "-c", "kill -TERM $$", flags=flags).returncode, -signal.SIGTERM)

    def test_statistics_are_asked_of_the_library_and_the_time_is_added(self):
        done = self.run_program("sh", "-c", 'echo "$UMBER_OPTIONS"', flags=["--stats"], env={"UMBER_OPTIONS": "decay_ms=5"})
        self.assertEqual(done.stdout.strip(), "stats=exit,decay_ms=5")
        self.assertIn("peak resident", done.stderr)
        done = self.run_program("true", flags=["--stats", "--json"])
        self.assertGreater(json.loads(done.stderr)["peak_rss_kb"], 0)

    def test_what_is_missing_is_one_line_with_the_remedy(self):
        for flags in ([], ["--stats"]):
            done = self.run_program("/no/such/program", flags=flags)
            self.assertEqual(done.returncode, 127)
            self.assertIn("no such program", done.stderr)
        self.refused(126, "run", "--library", "/no/such/library.so", "--", "true", saying="--library")
        self.refused(126, "run", "--library", "/etc/passwd", "--", "true", saying="not a shared library")
        self.refused(126, "run", "--", "true", saying="no such file", env={"UMBER_LIBRARY": "/no/such/library.so"})
        self.refused(2, "run", saying="program")


class doctor(base):
    def test_every_finding_has_an_advice_or_is_ok(self):
        done = umber("doctor", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        findings = json.loads(done.stdout)
        self.assertLessEqual({"kernel", "huge pages", "overcommit", "page size", "cgroup memory limit", "peers"},
                             {each["what"] for each in findings})
        self.assertTrue(all(each["found"] and each["advice"] for each in findings))
        self.assertEqual(len(umber("doctor").stdout.splitlines()), len(findings))


if __name__ == "__main__":
    UMBER = sys.argv.pop(1)
    os.environ["UMBER_WORKLOADS"] = sys.argv.pop(1)
    unittest.main()
