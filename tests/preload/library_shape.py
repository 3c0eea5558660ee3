#!/usr/bin/env python3
"""What the dynamic linker is told of a library that stands in for malloc. Arguments: shared libraries.

It needs libc alone; it is never unloaded; nothing in its text is relocated; all is bound at load, so that no call of
malloc enters the linker; its thread-local block is small, since dlopen finds it a place in what the loader set aside.
"""
import re
import subprocess
import sys

MALLOC_TLS = 16  # bytes
MOST_TLS = MALLOC_TLS + 16  # and the mutator and the time line of the managed heap


def readelf(option, library):
    return subprocess.run(["readelf", "-W", option, library], stdout=subprocess.PIPE, check=True).stdout.decode()


def faults(library):
    dynamic = readelf("-d", library)
    for needed in re.findall(r"\(NEEDED\).*\[(.*?)\]", dynamic):
        if not re.match(r"(libc|ld-linux[-\w]*)\.so", needed):
            yield f"needs {needed}"
    if "NODELETE" not in dynamic:
        yield "may be unloaded (no NODELETE)"
    if "BIND_NOW" not in dynamic and not re.search(r"\bNOW\b", dynamic):
        yield "binds lazily"
    if "TEXTREL" in dynamic:
        yield "relocates its text"
    for segment in re.findall(r"^\s*TLS\s+(.*)$", readelf("-l", library), re.M):
        size = int(segment.split()[4], 16)
        most = MALLOC_TLS if "malloc" in library else MOST_TLS
        if size > most:
            yield f"{size} bytes of thread-local storage, at most {most} wanted"
    if re.search(r"^\s*GNU_STACK.*RWE", readelf("-l", library), re.M):
        yield "wants an executable stack"


def main():
    failed = 0
    for library in sys.argv[1:]:
        for fault in faults(library):
            failed += 1
            print(f"{library}: {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
