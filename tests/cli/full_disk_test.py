#!/usr/bin/env python3
"""A disk that is really full, a small tmpfs: one line, exit status 1, and on it is what was there before.

    full_disk_test.py UMBER KNOWN SAMPLE.json          (KNOWN: writes a snapshot of a heap into the file it is given)
"""
import errno
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

UMBER = KNOWN = SAMPLE = DISK = None
RUN = ["--runs", "1", "--scale", "0.01"]


class full_disk(unittest.TestCase):
    def setUp(self):
        self.old = DISK / "old.json"
        self.old.write_text("old")
        filler = (DISK / "filler").open("wb", buffering=0)
        try:
            while True:
                filler.write(bytes(4096))
        except OSError as problem:
            self.assertEqual(problem.errno, errno.ENOSPC)
        filler.close()

    def tearDown(self):
        for path in DISK.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)

    def refused(self, *command, saying, env=None):
        before = sorted(os.listdir(DISK))
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=120)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn(saying, done.stderr)
        self.assertIn("No space left on device", done.stderr)
        self.assertEqual(sorted(os.listdir(DISK)), before, "something was left behind")
        self.assertEqual(self.old.read_text(), "old")

    def test_a_report(self):
        for output in (DISK / "report.html", self.old):
            self.refused(UMBER, "report", SAMPLE, "-o", output, saying=f"cannot write {output}")

    def test_the_results_of_a_bench(self):
        gc = [UMBER, "bench", "gc", "binary_trees", "--systems", "umber", "--arguments", "--depth 8", *RUN]
        malloc = [UMBER, "bench", "malloc", "--only", "pair-64", "--allocators", "glibc", *RUN]
        for output in (DISK / "new.json", self.old):
            self.refused(*gc, "--json", output, saying=f"cannot write {output}")
            self.refused(*malloc, "--json", output, saying=f"cannot write {output}")
        self.refused(*gc, "--hlog", DISK, saying=f"cannot write {DISK}")

    def test_a_snapshot(self):
        for output in (DISK / "new.heapsnapshot", self.old):
            self.refused(KNOWN, output, saying="known: ")

    def test_a_disk_with_room_takes_them(self):
        (DISK / "filler").unlink()
        subprocess.run([KNOWN, DISK / "heap"], check=True)
        self.assertGreater((DISK / "heap").stat().st_size, 10_000)
        subprocess.run([UMBER, "report", SAMPLE, "-o", DISK / "report.html"], check=True, stdout=subprocess.DEVNULL)
        self.assertGreater((DISK / "report.html").stat().st_size, 10_000)


def in_a_namespace_of_its_own():
    """Starts this again where it may mount what only it sees."""
    inside = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        print("skipped: this system lets nobody mount a tmpfs of his own")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([*inside, sys.executable, *sys.argv, "--mounted-at", folder]).returncode


if __name__ == "__main__":
    if "--mounted-at" not in sys.argv:
        sys.exit(in_a_namespace_of_its_own())
    UMBER, KNOWN, SAMPLE, _, folder = sys.argv[1:6]
    DISK = pathlib.Path(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    unittest.main(argv=sys.argv[:1])
