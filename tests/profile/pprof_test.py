#!/usr/bin/env python3
"""What `go tool pprof` makes of a profile: pprof_test.py SITES LIBUMBER_MALLOC. Status 77 without Go."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

UNITS = {"B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30}


def pprof(*arguments):
    return subprocess.run(["go", "tool", "pprof", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def flat(top):
    """The table of -top: the bytes of each function itself, and of it and what it calls."""
    rows = {}
    for row in re.finditer(r"^ *([\d.]+)(B|kB|MB|GB)? +\S+ +\S+ +([\d.]+)(B|kB|MB|GB)? +\S+  (\S+)", top, re.M):
        rows[row[5]] = float(row[1]) * UNITS[row[2] or "B"], float(row[3]) * UNITS[row[4] or "B"]
    return rows


def expect(condition, what, shown=""):
    if not condition:
        sys.exit(f"{what}\n{shown}")


def near(value, wanted):
    # A sample each 16 KiB of 8 MB and more: 500, so five standard deviations are 22 %.
    return abs(value - wanted) < 0.22 * wanted


def main():
    sites, library = sys.argv[1:]
    if shutil.which("go") is None:
        print("skipped: Go is not installed (tools/setup --peers)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        at_exit, managed = pathlib.Path(folder) / "malloc.pb.gz", pathlib.Path(folder) / "managed.pb.gz"
        environment = {**os.environ, "LD_PRELOAD": library, "UMBER_PROFILE": f"{at_exit},every=16KiB", "SITES_PROFILE": str(managed)}
        subprocess.run([sites], env=environment, check=True)
        second = pathlib.Path(f"{at_exit}.2")
        expect(sorted(p.name for p in pathlib.Path(folder).iterdir()) == ["malloc.pb.gz", "malloc.pb.gz.2", "managed.pb.gz"],
               "there should be a file of each engine, and that which the program wrote", os.listdir(folder))

        text = pprof("-top", "-sample_index=alloc_space", at_exit)
        rows = flat(text)
        for site in ("site_that_keeps", "site_that_frees"):
            expect(site in rows and near(rows[site][0], 250000 * 96), f"{site} should have allocated 24 MB", text)
        expect("main" in rows and rows["main"][1] > 40e6, "main should have called them", text)
        expect(not any("umber::alloc" in name or name == "malloc" for name in rows), "the allocator should not be seen", text)
        text = pprof("-top", "-sample_index=inuse_space", at_exit)
        expect("site_that" not in text, "nothing of them should be in use at exit", text)

        text = pprof("-top", managed)
        rows = flat(text)
        expect(near(rows["site_of_nodes"][0], 500000 * 16), "half of the nodes should be in use", text)
        expect("umber::" not in text, "the collector should not be seen", text)
        text = pprof("-tags", "-sample_index=alloc_space", managed)
        expect("sites_node" in text and "managed" in text, "objects should have labels", text)
        text = pprof("-peek", "site_that_frees|site_of_nodes", "-sample_index=alloc_space", at_exit, second)
        expect("site_that_frees" in text and "site_of_nodes" in text, "two files should add up", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
