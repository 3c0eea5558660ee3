#!/usr/bin/env python3
"""A program of the contract in bench/run.md whose figures are made up: each workload behaves as its name says.

    fake_collector.py [go|g1|zgc|shenandoah|parallel] WORKLOAD ... | --list
"""
import json
import os
import sys
import time

RUNTIMES = ("go", "g1", "zgc", "shenandoah", "parallel")
WORKLOADS = {
    "steady": "always the same figures", "paced": "keeps a rate", "binary_trees": "has a percent", "full_collection": "has a depth",
    "message_ring": "paced, and has a collector", "hang": "never ends", "grow": "takes more memory than there is", "die": "kills itself",
    "truncated": "stops in the middle of its output", "nothing": "prints nothing", "wrong": "prints another workload",
    "disagree": "every system has a checksum of its own", "stderr": "fails with a line", "typeless": "numbers are texts",
}
words = sys.argv[1:]
system = words.pop(0) if words and words[0] in RUNTIMES else "umber"
options = dict(zip(words[1::2], words[2::2]))


def histogram(longest):
    counts = [[100, 9000], [1000, 900], [longest // 2, 99], [longest, 1]]
    return {"count": 10000, "min": 90, "max": longest, "mean": 250.5, "p50": 100, "p90": 100, "p99": 1000, "p99.9": longest // 2,
            "p99.99": longest // 2, "p99.999": longest, "buckets": counts}


def result(name):
    factor = {"umber": 1, "go": 2}.get(system, 3)
    live = 128 << int(options.get("--depth", 10))
    pause = {"stop_the_world": 64, "insertion": 16, "deletion": 4}.get(options.get("--collector"), 1) * 100000
    wall = live * 10 if name == "full_collection" else 50000000 * factor
    parameters = {"threads": 1, "depth": 18, "random": False, "rate": 250000}
    run = {"workload": name, "system": system, "version": f"{system} 1.0", "parameters": parameters, "checksum": "00000000000000ff",
           "operations": 10000, "wall_ns": wall, "cpu_ns": {"process": wall * 2, "mark": wall // 2, "collector": wall},
           "freed_bytes": 1 << 20, "cycles": 7, "memory": {"peak_rss": 10 << 20, "baseline_rss": 1 << 20, "settled_rss": (1 << 20) + 3 * factor * live,
                                                           "heap_bytes": 2 * live},
           "stalls": {"handshake": histogram(pause)}, "mmu": [[1000000, 0.5], [10000000, 0.75], [100000000, 0.9]],
           "timeline": [{"at_ns": 1, "rss": 2}], "jitter_ns": histogram(40000), "warm_up": [30, 10, 10], "figures": {"swap_ns": 4.5}}
    if system != "go":
        run["memory"]["live_bytes"] = factor * live
    if name in ("paced", "message_ring") and options.get("--rate") != "0":
        run["response_ns"] = histogram(2 * pause)
    return run


def main():
    if words == ["--list"]:
        if system in os.environ.get("FAKE_MISSING", "").split(","):
            sys.exit(f"{system} is not installed: apt-get install the-package-of-{system}")
        for name, description in WORKLOADS.items():
            print(f"{name}\t{description}")
        return
    name = words[0]
    run = result(name)
    if "--limit" in options and system == "go":
        print("no limit here", file=sys.stderr)
        sys.exit(2)
    if name == "hang":
        time.sleep(600)
    elif name == "grow":
        hoard = [bytearray(64 << 20) for _ in range(8)]
        time.sleep(600)
        print(len(hoard))
    elif name == "die":
        os.kill(os.getpid(), 11)
    elif name == "truncated":
        print(json.dumps(run)[:200])
    elif name == "stderr":
        sys.exit("the tree has a node too many")
    elif name != "nothing":
        run.update({"wrong": {"workload": "another"}, "disagree": {"checksum": "%016x" % len(system)},
                    "typeless": {"memory": {"peak_rss": "10"}, "cycles": "7", "mmu": [3, ["x", 1]], "stalls": 5}}.get(name, {}))
        print(json.dumps(run))


main()
