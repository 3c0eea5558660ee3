#!/usr/bin/env python3
"""Every installed host gives the same output under umber as under the C library: `umber bench malloc` compares them.

    hosts_test.py PATH/umber PATH/umber-workloads
"""
import os
import subprocess
import sys

umber, workloads = sys.argv[1:]
done = subprocess.run([umber, "bench", "malloc", "--only", "host:*", "--runs", "1", "--scale", "0.1", "--no-commands",
                       "--allocators", "umber,glibc"], env=dict(os.environ, UMBER_WORKLOADS=workloads), timeout=280)
if done.returncode == 2:
    print("no host is installed")
    sys.exit(77)
sys.exit(done.returncode)
