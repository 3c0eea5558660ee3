#!/usr/bin/env python3
"""`umber report` from outside, with a page of one line: what it writes, and what it says to wrong input.

    command_test.py PATH/umber SAMPLE.json ...
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

UMBER = None
SAMPLES = []
PAGE = "<script type=json>{{umber-report-data}}</script>\n"


class report(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.page = self.folder / "page"
        self.page.write_text(PAGE)
        self.output = self.folder / "out.html"

    def tearDown(self):
        self.scratch.cleanup()

    def run_report(self, *arguments):
        environment = {**os.environ, "UMBER_REPORT_PAGE": str(self.page)}
        return subprocess.run([UMBER, "report", *map(str, arguments), "-o", self.output], capture_output=True, text=True,
                              env=environment, timeout=60)

    def made_of(self, *arguments):
        done = self.run_report(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = self.output.read_text()
        self.assertTrue(text.startswith(PAGE.split("{{")[0]) and text.endswith(PAGE.split("}}")[1]))
        return json.loads(text[text.index(">") + 1:text.rindex("</script>")])["files"]

    def refused(self, *arguments, saying, status=1):
        before = sorted(os.listdir(self.folder))
        done = self.run_report(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(saying, done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before, "something was left behind")

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def test_the_page_carries_every_document_unchanged(self):
        files = self.made_of(*SAMPLES)
        self.assertEqual([each["document"] for each in files], [json.loads(path.read_text()) for path in SAMPLES])

    def test_a_directory_stands_for_all_json_files_in_it(self):
        folder = self.folder / "results"
        folder.mkdir()
        for path in SAMPLES:
            (folder / path.name).write_text(path.read_text())
        (folder / "notes.txt").write_text("not JSON")
        self.assertEqual(sorted(each["file"] for each in self.made_of(folder)), sorted(path.name for path in SAMPLES))

    def test_no_text_in_the_data_ends_the_script(self):
        nasty = "</script><script>alert(1)</script><!--"
        document = {"bench": "malloc", "baseline": nasty, "rows": [{"name": nasty}]}
        path = self.write("nasty.json", document)
        self.assertEqual(self.made_of(path)[0]["document"], document)
        self.assertEqual(self.output.read_text().count("<"), PAGE.count("<"))

    def test_null_is_the_same_as_absent(self):
        path = self.write("null.json", {"bench": "gc", "rows": [], "seconds": None})
        self.assertEqual(self.made_of(path)[0]["document"], {"bench": "gc", "rows": []})

    def test_what_is_cut_off_anywhere_is_refused(self):
        text = SAMPLES[0].read_text().rstrip()
        for part in (0, 1, len(text) // 3, len(text) // 2, len(text) - 1):
            self.refused(self.write("cut.json", text[:part]), saying="cut off")

    def test_other_json_is_refused(self):
        for text in ("[]", "3", '"gc"', "{}", '{"bench": 3}', '{"bench": "tcp", "rows": []}', "null"):
            self.refused(self.write("other.json", text), saying="not written by `umber bench gc --json`")

    def test_a_field_of_another_kind_is_named(self):
        row = {"row": "a", "part": "main", "system": "umber"}
        run = {"service_ns": {"count": 1, "max": 2, "buckets": [[1, 2, 3]]}}
        for wrong, name in (({"rows": 3}, "rows is number, not list"), ({}, "rows is missing"),
                            ({"rows": [{**row, "median": {"wall_ns": "1"}}]}, "rows/0/median/wall_ns is text, not number"),
                            ({"rows": [{"row": "a", "part": "main"}]}, "rows/0/system is missing"),
                            ({"rows": [{**row, "runs": [run]}]}, "rows/0/runs/0/service_ns/buckets/0 has 3 elements, not 2"),
                            ({"rows": [], "environment": {"cores": 2}}, "environment/cores is number, not text")):
            self.refused(self.write("wrong.json", {"bench": "gc", **wrong}), saying=name)

    def test_absurd_json_is_refused(self):
        self.refused(self.write("deep.json", "[" * 1000000), saying="nested too deeply")
        self.refused(self.write("huge.json", '{"bench": "gc", "seconds": 1e999, "rows": []}'), saying="out of range")
        (self.folder / "bytes.json").write_bytes(b'{"bench": "\xff"}')
        self.refused(self.folder / "bytes.json", saying="not JSON")

    def test_what_is_not_there_is_named(self):
        self.refused(self.folder / "absent.json", saying="absent.json: no such file")
        (self.folder / "empty").mkdir()
        self.refused(self.folder / "empty", saying="holds no .json file")

    def test_what_cannot_be_read_is_named(self):
        self.refused("/proc/self/mem", saying="cannot read /proc/self/mem: Input/output error")
        folder = self.folder / "results"
        (folder / "inner.json").mkdir(parents=True)
        self.refused(folder, saying="inner.json: is a directory")
        (folder / "inner.json").rmdir()
        (folder / "gone.json").symlink_to("nowhere")
        self.refused(folder, saying="gone.json: No such file or directory")
        if os.geteuid() != 0:
            self.write("secret.json", "{}").chmod(0)
            self.refused(self.folder / "secret.json", saying="Permission denied")

    def test_a_full_stdout_is_one_line(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([UMBER, "report", SAMPLES[0], "-o", self.output], stdout=full, stderr=subprocess.PIPE, text=True,
                                  env={**os.environ, "UMBER_REPORT_PAGE": str(self.page)}, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)

    def test_one_bad_file_among_good_ones_leaves_no_report(self):
        self.refused(SAMPLES[0], self.write("bad.json", "{"), saying="bad.json")

    def test_an_older_report_survives_a_failure(self):
        self.output.write_text("the older one")
        self.refused(self.write("bad.json", "{"), saying="cut off")
        self.assertEqual(self.output.read_text(), "the older one")

    def test_an_input_is_never_replaced(self):
        self.output = self.write("in.json", SAMPLES[0].read_text())
        self.refused(self.output, saying="would replace", status=2)

    def test_where_nothing_can_be_written_nothing_is_read(self):
        self.output = self.folder / "nowhere" / "out.html"
        self.refused(SAMPLES[0], saying="nowhere")
        self.output = pathlib.Path("/dev/full")
        self.refused(SAMPLES[0], saying="No space left")

    def test_without_a_page_the_remedy_is_told(self):
        alone = self.folder / "bin" / "umber"
        alone.parent.mkdir()
        shutil.copy(UMBER, alone)
        done = subprocess.run([alone, "report", SAMPLES[0], "-o", self.output], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("install nodejs", done.stderr)
        self.page.write_text("")
        self.refused(SAMPLES[0], saying="remove it and build umber again")
        self.page.write_text("<html>")
        self.refused(SAMPLES[0], saying="no place for the data")


if __name__ == "__main__":
    UMBER = sys.argv[1]
    SAMPLES = [pathlib.Path(each) for each in sys.argv[2:]]
    unittest.main(argv=sys.argv[:1])
