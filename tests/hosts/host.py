"""What a Python program does to a heap: objects of all sizes, threads, subprocesses, compression, JSON."""
import collections
import hashlib
import json
import re
import subprocess
import threading
import zlib


class Node:
    def __init__(self, depth):
        self.children = [Node(depth - 1) for _ in range(3)] if depth else []

    def count(self):
        return 1 + sum(child.count() for child in self.children)


print(Node(8).count())
words = collections.Counter(re.findall(r"\w+", " ".join(f"w{i * i % 997} x{i % 31}" for i in range(100000))))
print(words.most_common(5))
document = json.dumps({str(i): list(range(i % 50)) for i in range(3000)})
print(hashlib.sha256(document.encode()).hexdigest(), len(json.loads(document)))
print(len(zlib.decompress(zlib.compress(b"abc" * 3000000))))
results = [0] * 8


def work(index):
    parts = [str(i) * (i % 40) for i in range(20000)]
    results[index] = len("".join(parts))


threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)
grown = bytearray()
for i in range(300000):
    grown += b"0123456789"
print(len(grown))
print(subprocess.run(["/bin/echo", "child"], stdout=subprocess.PIPE, check=True).stdout)
