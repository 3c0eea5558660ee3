#!/usr/bin/env python3
"""What `umber heap` says of the snapshot that a program with a known heap (known.cc) wrote.

    known_test.py UMBER KNOWN
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

UMBER = KNOWN = None
ARRAY = 832  # 100 pointers and a length, in a slot of this size
TREE = 1023 * (32 + 48)
# Objects, bytes, and what they retain together; worked out by hand from the graph.
TYPES = {"registry": (1, 16, 16 + TREE + ARRAY), "branch": (1023, 1023 * 32, TREE), "leaf": (1023, 1023 * 48, 1023 * 48),
         "note": (100, 6400, 6400), "ledger": (1, 16, 16 + ARRAY), "hop": (50, 800, 800 + 1024), "treasure": (1, 1024, 1024),
         "umber::field<note>[]": (2, 2 * ARRAY, 2 * ARRAY)}


class known(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = pathlib.Path(cls.folder.name) / "known.heapsnapshot"
        subprocess.run([KNOWN, cls.file], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def heap(self, *arguments):
        return subprocess.run([UMBER, "heap", self.file, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout

    def path_to(self, wanted):
        path = json.loads(self.heap("--json", "--path", wanted))["path"]
        return [(step["edge"], re.sub(r" of thread.*", "", step["type"]), step["retained"]) for step in path]

    def test_types_retain_what_the_graph_says(self):
        told = json.loads(self.heap("--json"))
        self.assertEqual({t["type"]: (t["objects"], t["bytes"], t["retained"]) for t in told["types"]}, TYPES)
        self.assertEqual(told["bytes"], sum(own for _, own, _ in TYPES.values()))
        roots = {re.sub(r" of thread.*", "", root["type"]): root["retained"] for root in told["roots"]}
        # The notes are held by two, and retained only by what holds both.
        self.assertEqual(roots["persistent handles"], sum(TYPES[name][2] for name in ("registry", "ledger", "note")))
        self.assertEqual(roots["locals"], TYPES["hop"][2])

    def test_the_table_begins_with_what_retains_most(self):
        lines = self.heap("--top", "2").splitlines()
        self.assertEqual(lines[2].split(), ["retained", "shallow", "objects", "type"])
        self.assertEqual(lines[3].split(), ["80.8", "KiB", "16", "B", "1", "registry"])
        self.assertEqual(lines[4].split(), ["79.9", "KiB", "32.0", "KiB", "1023", "branch"])

    def test_the_path_to_the_treasure_is_the_chain(self):
        chain = [(".next", "hop", 1024 + 16 * left) for left in range(49, 0, -1)]
        self.assertEqual([step[1:] for step in self.path_to("treasure")[:2]], [("locals", 1824), ("hop", 1824)])
        self.assertEqual(self.path_to("treasure")[2:], chain + [(".cargo", "treasure", 1024)])

    def test_the_path_to_the_tree_goes_by_the_persistent_handle(self):
        self.assertEqual([step[:2] for step in self.path_to("branch")][0][1], "persistent handles")
        self.assertEqual(self.path_to("branch")[1:], [("[1]", "registry", TYPES["registry"][2]), (".tree", "branch", TREE)])
        path = self.path_to("note")
        self.assertEqual((path[-2][1], path[-2][2], path[-1][1:]), ("umber::field<note>[]", ARRAY, ("note", 64)))


if __name__ == "__main__":
    UMBER, KNOWN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
