#!/usr/bin/env python3
"""`umber heap` from outside: retained sizes against a naive computation, paths, and files that are none.

    heap_test.py PATH/umber [SEED]
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

UMBER = None
SEED = random.SystemRandom().randrange(1 << 32)
META = {
    "node_fields": ["type", "name", "id", "self_size", "edge_count"],
    "node_types": [["object", "string", "synthetic"], "string", "number", "number", "number"],
    "edge_fields": ["type", "name_or_index", "to_node"],
    "edge_types": [["element", "property", "weak"], "string_or_number", "node"],
}
ELEMENT, PROPERTY, WEAK = range(3)


def snapshot(names, sizes, edges):
    """Node i is an object with an id of 10 i; edges[i] are (type, name or index, to). Node 0 is the root."""
    strings = []
    def string(text):
        if text not in strings:
            strings.append(text)
        return strings.index(text)
    nodes, numbers = [], []
    for i, name in enumerate(names):
        nodes += [2 if i == 0 else 0, string(name), 10 * i, sizes[i], len(edges[i])]
        for kind, label, to in edges[i]:
            numbers += [kind, label if kind == ELEMENT else string(label), to * 5]
    return {"snapshot": {"meta": META, "node_count": len(names), "edge_count": len(numbers) // 3},
            "nodes": nodes, "edges": numbers, "strings": strings}


def reached(edges, without=None):
    seen, waiting = {0}, [0]
    while waiting:
        for kind, _, to in edges[waiting.pop()]:
            if kind != WEAK and to != without and to not in seen:
                seen.add(to)
                waiting.append(to)
    return seen


class heap(unittest.TestCase):
    def run_on(self, contents, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.heapsnapshot"
            path.write_bytes(contents if isinstance(contents, bytes) else json.dumps(contents).encode())
            return subprocess.run([UMBER, "heap", str(path), *arguments], capture_output=True, text=True, timeout=120)

    def json_of(self, contents, *arguments):
        done = self.run_on(contents, "--json", "--top", "1000", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def refused(self, contents, saying, *arguments):
        done = self.run_on(contents, *arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(saying, done.stderr)

    def test_what_an_object_retains_is_what_would_go_with_it(self):
        chance = random.Random(SEED)
        for round in range(40):
            count = chance.randrange(2, 60)
            sizes = [0] + [chance.randrange(1, 100) for _ in range(count - 1)]
            edges = [[(chance.choice((ELEMENT, PROPERTY, PROPERTY, WEAK)), chance.randrange(9), chance.randrange(count))
                      for _ in range(chance.choice((0, 1, 1, 2, 3)))] for _ in range(count)]
            edges = [[(kind, label if kind == ELEMENT else f"f{label}", to) for kind, label, to in each] for each in edges]
            edges[0] += [(ELEMENT, i, chance.randrange(1, count)) for i in range(2)]
            found = self.json_of(snapshot([""] + [f"t{i}" for i in range(1, count)], sizes, edges))
            everything = reached(edges)
            expected = {f"t{i}": sum(sizes[k] for k in everything - reached(edges, i)) for i in everything if i != 0}
            self.assertEqual({t["type"]: t["retained"] for t in found["types"]}, expected, f"seed {SEED}, round {round}")

    def test_a_type_retains_what_its_objects_do_together(self):
        # root -> list -> list -> text, and list -> text
        edges = [[(ELEMENT, 0, 1)], [(PROPERTY, "next", 2), (PROPERTY, "text", 3)], [(PROPERTY, "text", 4)], [], []]
        found = self.json_of(snapshot(["", "list", "list", "text", "text"], [0, 16, 16, 100, 200], edges))
        figures = {t["type"]: (t["objects"], t["bytes"], t["retained"]) for t in found["types"]}
        self.assertEqual(figures, {"list": (2, 32, 332), "text": (2, 300, 300)})
        self.assertEqual((found["objects"], found["bytes"]), (4, 332))

    def test_the_path_is_a_shortest_one_of_strong_edges(self):
        edges = [[(ELEMENT, 7, 1), (WEAK, "weak", 3)], [(PROPERTY, "next", 2)], [(ELEMENT, 4, 3), (PROPERTY, "up", 1)], []]
        graph = snapshot(["", "a", "b", "c"], [0, 8, 8, 8], edges)
        for wanted in ("c", "30", "@30"):
            path = self.json_of(graph, "--path", wanted)["path"]
            self.assertEqual([(step["edge"], step["type"], step["id"]) for step in path],
                             [("[7]", "a", 10), (".next", "b", 20), ("[4]", "c", 30)])
        text = self.run_on(graph, "--path", "c").stdout
        self.assertIn(".next b @20, 8 B, retains 16 B\n", text)
        self.refused(graph, "no object of type 'd'", "--path", "d")
        self.refused(graph, "no object @31", "--path", "31")

    def test_a_long_list_is_no_trouble(self):
        count = 200_000
        edges = [[(PROPERTY, "next", i + 1)] for i in range(count - 1)] + [[(PROPERTY, "first", 1)]]
        done = self.run_on(snapshot([""] + ["item"] * (count - 1), [0] + [8] * (count - 1), edges), "--path", str(10 * count - 10))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"... {count - 1 - 24} more ...", done.stdout)

    def test_a_file_that_is_cut_off_or_something_else_is_one_line(self):
        graph = snapshot(["", "a", "b"], [0, 8, 8], [[(ELEMENT, 0, 1)], [(PROPERTY, "next", 2)], []])
        whole = json.dumps(graph).encode()
        for length in range(0, len(whole), 41):
            self.refused(whole[:length], "not a whole heap snapshot")
        for wrong in (b"\x7fELF", b"[]", b"{}", b'"text"', b"[" * 5000):
            self.refused(wrong, "not a whole heap snapshot")
        for part, value in (("nodes", graph["nodes"][:-5]), ("edges", graph["edges"] + [0, 0, 0]), ("strings", []),
                            ("edges", [0, 0, 4] + graph["edges"][3:]), ("nodes", [-1] + graph["nodes"][1:]),
                            ("nodes", ["x"]), ("edges", 5)):
            self.refused({**graph, part: value}, "not a whole heap snapshot")
        for path, saying in (("/nowhere", "cannot read /nowhere: No such file or directory"), ("/tmp", "/tmp: is a folder")):
            done = subprocess.run([UMBER, "heap", path], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (1, f"umber: {saying}\n"))

    def test_a_full_disk_is_one_line(self):
        graph = snapshot(["", "a"], [0, 8], [[(ELEMENT, 0, 1)], []])
        with tempfile.NamedTemporaryFile("w", suffix=".heapsnapshot") as file, open("/dev/full", "w") as full:
            json.dump(graph, file)
            file.flush()
            for options in ([], ["--json"]):
                done = subprocess.run([UMBER, "heap", file.name, *options], stdout=full, stderr=subprocess.PIPE, text=True)
                self.assertEqual((done.returncode, done.stderr), (1, "umber: cannot write the report\n"))


if __name__ == "__main__":
    UMBER = sys.argv.pop(1)
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        SEED = int(sys.argv.pop(1))
    unittest.main()
