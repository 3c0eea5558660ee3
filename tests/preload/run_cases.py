#!/usr/bin/env python3
"""Runs every case of a black-box program in a process of its own, with a library preloaded.

    run_cases.py [--preload LIBRARY] [--timeout SECONDS] [--skip CASE] PROGRAM [CASE...]

A case passes when it exits with 0 and nothing on stderr begins with "umber: ". A case named `abort CALL: ...` must
instead end by SIGABRT with exactly one line on stderr, which begins with "umber: CALL(): " and tells an address.
"""
import argparse
import os
import re
import resource
import signal
import subprocess
import sys


def verdict(case, done):
    """None when the case passed, or what was wrong."""
    errors = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    lines = errors.splitlines()
    expected = re.match(r"abort (\w+):", case)
    if not expected:
        if done.returncode != 0:
            return f"exit status {done.returncode}\n{errors}"
        if any(line.startswith("umber: ") for line in lines):
            return errors
        return None
    if done.returncode != -signal.SIGABRT:
        return f"exit status {done.returncode}, not SIGABRT\n{errors}"
    if len(lines) != 1:
        return f"{len(lines)} lines on stderr, not one\n{errors}"
    # The operators are thin names for free and its sized form, and a message may name either.
    calls = "operator delete|free|sized free" if expected.group(1) == "operator_delete" else expected.group(1)
    if not re.match(rf"umber: ({calls})\(\): 0x[0-9a-f]+ \S", lines[0]):
        return f"the line does not begin with 'umber: {calls}(): 0x...'\n{errors}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preload", default="")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--skip", action="append", default=[])
    parser.add_argument("program")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    listing = subprocess.run([arguments.program], stdout=subprocess.PIPE, check=True)
    cases = arguments.cases or listing.stdout.decode().splitlines()
    cases = [case for case in cases if case not in arguments.skip]
    environment = dict(os.environ, LC_ALL="C")
    if arguments.preload:
        environment["LD_PRELOAD"] = os.path.abspath(arguments.preload)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = 0
    for case in cases:
        try:
            done = subprocess.run([arguments.program, case], env=environment, timeout=arguments.timeout,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wrong = verdict(case, done)
        except subprocess.TimeoutExpired:
            wrong = f"still running after {arguments.timeout:g} s"
        if wrong is not None:
            failed += 1
            print(f"FAILED {case}: {wrong.rstrip()}")
        else:
            shown = done.stdout.decode(errors="replace").strip()
            print(f"passed {case}" + (f": {shown}" if shown else ""))
        sys.stdout.flush()
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
