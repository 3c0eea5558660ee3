"""A Python program that lives by its heap: dicts, lists, strings, tuples and objects, made and dropped in rounds.

Run with PYTHONMALLOC=malloc, so that Python's own pools stay out of the way, and PYTHONHASHSEED=0. The argument is the
number of rounds. What it prints depends on nothing but that.
"""
import sys


class Node:
    def __init__(self, key, children):
        self.key = key
        self.children = children
        self.attributes = {"name": "node-%d" % key, "weight": key * 1.5}

    def total(self):
        return self.attributes["weight"] + sum(child.total() for child in self.children)


def tree(depth, key):
    return Node(key, [tree(depth - 1, key * 3 + i) for i in range(3)] if depth else [])


def words(count, state):
    result = []
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        result.append("w%d" % (state % 5000) + "x" * (state % 17))
    return result, state


def main():
    state = 1
    kept = {}
    for turn in range(int(sys.argv[1])):
        text, state = words(60000, state)
        counts = {}
        for word in text:
            counts[word] = counts.get(word, 0) + 1
        lines = [" ".join(text[i:i + 12]) for i in range(0, len(text), 12)]
        index = {}
        for number, line in enumerate(lines):
            for word in line.split():
                index.setdefault(word, []).append((number, len(word)))
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        kept[turn] = [list(pair) for pair in ranked[:500]]
        joined = "\n".join(line.upper().replace("W", "-") for line in lines)
        print(turn, len(index), ranked[0], len(joined), tree(7, 1).total())
    print(sum(count for rows in kept.values() for _, count in rows))


main()
