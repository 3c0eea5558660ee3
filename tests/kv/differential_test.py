#!/usr/bin/env python3
"""The same random commands to redis-server and to umber-kv: the same replies, to the byte.

    differential_test.py PATH/umber-kv [--seed N] [--commands N] [--torture N] [--threads N]

What redis replies in an order of its own (members of sets, fields of hashes, KEYS, SCAN) is compared as a set. The seed
is printed when a reply differs, along with the commands that led there on the same key.
"""
import argparse
import random
import re
import sys
import time

import servers

UNORDERED = {b"SMEMBERS", b"HKEYS", b"HVALS", b"KEYS"}
LENGTH_OF_BATCH = 200
PATIENCE_WITH_CLOCKS = 200  # seconds; the servers read their clocks one after the other
INTEGERS = [b"0", b"1", b"-1", b"7", b"100", b"-9", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808",
            b"+1", b"01", b" 1", b"1.5", b"", b"x", b"-0"]
# None that is soon: which server is the first to see a key end is chance.
NO_TIMES = [b"0", b"-1", b"-9223372036854775808", b"9223372036854775808", b"9223372036854775", b"x", b"", b"1.5"]
REALS = [b"0", b"1", b"-1.5", b"3.14159", b"1e10", b"inf", b"-inf", b"nan", b"x", b"", b"1e-7", b"0.1", b" 1", b"2"]
BOUNDS = [b"-inf", b"+inf", b"(1", b"1", b"(2", b"0.1", b"10", b"x", b"(", b"(inf", b"-1.5"]
VALUES = [b"", b"a", b"b", b"hello", b"12", b"-3", b"9223372036854775807", b"\x00\xff\r\n", b"v" * 70, b"w" * 3000]
PATTERNS = [b"*", b"k?", b"k[1-3]*", b"*1*", b"[^k]*", b"k\\1", b"", b"k", b"k[", b"k**", b"k[2-", b"?2"]


class generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        r = self.random
        keys = [b"k%d" % i for i in range(12)] + [b"", b"key with \r\n in it"]
        self.keys = keys
        key = lambda: r.choice(keys)
        value = lambda: r.choice(VALUES)
        word = lambda: r.choice([b"a", b"b", b"c", b"d", b"e%d" % r.randrange(40), b""])
        integer = lambda: r.choice(INTEGERS[:6]) if r.random() < 0.8 else r.choice(INTEGERS)
        place = lambda: b"%d" % r.randrange(-45, 45) if r.random() < 0.9 else integer()
        real = lambda: b"%d" % r.randrange(-5, 6) if r.random() < 0.7 else r.choice(REALS)
        bound = lambda: b"%d" % r.randrange(-5, 6) if r.random() < 0.6 else r.choice(BOUNDS)
        many = lambda f, most=4: [f() for _ in range(r.randrange(1, most + 1))]
        few = lambda *options: [w for o in options if r.random() < 0.25 for w in o()]
        fixed = lambda *words: (lambda: list(words))
        pairs = lambda f, g, most=3: [w for _ in range(r.randrange(1, most + 1)) for w in (f(), g())]
        far = lambda: b"%d" % r.randrange(100000, 200000) if r.random() < 0.7 else r.choice(NO_TIMES)
        case = lambda w: w.lower() if r.random() < 0.2 else w
        self.templates = [
            lambda: [b"SET", key(), value(), *few(fixed(b"NX"), fixed(case(b"xx")), fixed(b"GET"), fixed(b"KEEPTTL"),
                                                 lambda: [r.choice([b"EX", b"PX", b"px"]), far()], fixed(b"BAD"))],
            lambda: [b"SET", key(), value()],
            lambda: [r.choice([b"GET", b"STRLEN", b"TYPE", b"LLEN", b"SCARD", b"HLEN", b"ZCARD", b"PERSIST"]), key()],
            lambda: [b"GETSET", key(), value()], lambda: [b"SETNX", key(), value()], lambda: [b"GETDEL", key()],
            lambda: [r.choice([b"SETEX", b"PSETEX"]), key(), far(), value()],
            lambda: [b"MGET", *many(key)], lambda: [b"MSET", *pairs(key, value)],
            lambda: [b"MSET", key(), value(), key()],
            lambda: [r.choice([b"DEL", b"EXISTS", b"UNLINK"]), *many(key, 2)],
            lambda: [b"APPEND", key(), value()], lambda: [b"GETRANGE", key(), place(), place()],
            lambda: [r.choice([b"INCR", b"DECR"]), key()],
            lambda: [r.choice([b"INCRBY", b"DECRBY"]), key(), integer()],
            lambda: [r.choice([b"EXPIRE", b"PEXPIRE"]), key(), far(), *few(fixed(b"NX"), fixed(b"XX"), fixed(b"GT"), fixed(b"LT"),
                                                                          fixed(b"BAD"))],
            lambda: [b"EXPIRE", key(), r.choice([b"0", b"-1", b"-100"])],
            lambda: [b"EXPIREAT", key(), b"%d" % (4000000000 + r.randrange(1000))],
            lambda: [b"TTL", key()],
            lambda: [r.choice([b"LPUSH", b"RPUSH", b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX"]), key(), *many(value, 8)],
            lambda: [r.choice([b"LPOP", b"RPOP"]), key(), *few(place)],
            lambda: [b"LRANGE", key(), place(), place()], lambda: [b"LINDEX", key(), place()],
            lambda: [b"SADD", key(), *many(word, 6)], lambda: [b"SREM", key(), *many(word, 3)],
            lambda: [b"SMEMBERS", key()], lambda: [b"SISMEMBER", key(), word()],
            lambda: [b"SPOP", key(), r.choice([b"0", b"-1", b"1000", b"x"])],
            lambda: [b"HSET", key(), *pairs(word, value)], lambda: [b"HMSET", key(), *pairs(word, value)],
            lambda: [b"HSET", key(), word(), value(), word()],
            lambda: [r.choice([b"HGET", b"HEXISTS"]), key(), word()],
            lambda: [r.choice([b"HDEL", b"HMGET"]), key(), *many(word)],
            lambda: [r.choice([b"HGETALL", b"HKEYS", b"HVALS"]), key()], lambda: [b"HINCRBY", key(), word(), integer()],
            lambda: [b"ZADD", key(), *few(fixed(b"NX"), fixed(b"XX"), fixed(b"GT"), fixed(b"LT"), fixed(b"CH"), fixed(b"INCR")),
                     *pairs(real, word)],
            lambda: [b"ZADD", key(), *pairs(real, word, 8)],
            lambda: [b"ZINCRBY", key(), real(), word()], lambda: [b"ZREM", key(), *many(word)],
            lambda: [r.choice([b"ZSCORE", b"ZRANK", b"ZREVRANK"]), key(), word()],
            lambda: [b"ZRANGE", key(), place(), place(), *few(fixed(b"WITHSCORES"), fixed(b"REV"), fixed(b"BAD"))],
            lambda: [b"ZRANGE", key(), bound(), bound(), b"BYSCORE", *few(fixed(b"WITHSCORES"), fixed(b"REV")),
                     *few(lambda: [b"LIMIT", place(), place()])],
            lambda: [r.choice([b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE"]), key(), bound(), bound(), *few(fixed(b"WITHSCORES")),
                     *few(lambda: [b"LIMIT", place(), place()])],
            lambda: [b"ZREVRANGE", key(), place(), place(), *few(fixed(b"WITHSCORES"), lambda: [b"LIMIT", b"0", b"1"])],
            lambda: [b"ZCOUNT", key(), bound(), bound()],
            lambda: [r.choice([b"ZPOPMIN", b"ZPOPMAX"]), key(), *few(place)],
            lambda: [b"DBSIZE"], lambda: [b"KEYS", r.choice(PATTERNS)],
            lambda: [b"SCAN", b"0", b"COUNT", b"100000", *few(lambda: [b"MATCH", r.choice(PATTERNS)],
                                                             lambda: [b"TYPE", r.choice([b"string", b"zset", b"LIST"])])],
            lambda: [b"SCAN", *few(fixed(b"x")), b"COUNT", integer()],
            lambda: [b"PING", *few(value)], lambda: [b"ECHO", *few(value)], lambda: [b"SELECT", r.choice([b"0", b"99", b"x"])],
            lambda: [r.choice([b"NOSUCH", b"get ", b"", b"G" * 150]), *many(lambda: value().replace(b"\0", b""))],
            lambda: [r.choice([b"GET", b"SET", b"HSET", b"ZADD", b"LPOP", b"FLUSHALL", b"HLEN"]), *many(key, 5)],
            lambda: [r.choice([b"CLIENT", b"CONFIG"]), b"nosuch"],
            lambda: [b"CLIENT", b"SETNAME", value()], lambda: [b"CLIENT", b"GETNAME"], lambda: [b"AUTH", word(), *few(value)],
        ]

    def command(self):
        # Without this no key would live long enough to have a rich value.
        return self.random.choice(self.templates)() if self.random.random() > 0.0005 else [b"FLUSHALL"]


def comparable(words, reply):
    name = words[0].upper()
    if isinstance(reply, list):
        if name in UNORDERED or (name == b"SPOP" and len(words) == 3):
            return sorted(reply)
        if name == b"HGETALL":
            return sorted(zip(reply[::2], reply[1::2]))
        if name == b"SCAN" and len(reply) == 2:
            return [reply[0], sorted(reply[1])]
    return type(reply), reply


def agree(words, expected, found):
    if words[0] == b"TTL" and isinstance(expected, int) and isinstance(found, int) and expected > 0:
        return abs(expected - found) <= PATIENCE_WITH_CLOCKS
    return comparable(words, expected) == comparable(words, found)


def shown(what):
    text = repr(what)
    return text if len(text) < 300 else text[:150] + " ... " + text[-150:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--commands", type=int, default=30000)
    parser.add_argument("--torture", default="0")
    parser.add_argument("--threads", default="2")
    chosen = parser.parse_args()
    began = time.monotonic()
    with servers.redis() as redis_port:
        if redis_port is None:
            print("skipped: there is no redis-server; tools/setup installs it")
            return 77
        with servers.running(chosen.program, "--torture", chosen.torture, "--threads", chosen.threads,
                             env={"UMBER_GC_CHECK": "marks"} if chosen.torture != "0" else {}) as port:
            status = compare(chosen, servers.client(redis_port), servers.client(port))
    print(f"{chosen.commands} commands, seed {chosen.seed}, {time.monotonic() - began:.1f} s")
    return status


def as_sent(words, r):
    """As clients send it, or now and then, where it can be, as one types it."""
    plain = all(isinstance(word, bytes) and re.fullmatch(rb"[\w+.:()-]+", word) for word in words)
    return b" ".join(words) + b"\r\n" if plain and r.random() < 0.1 else servers.client.packed(*words)


def compare(chosen, theirs, ours):
    commands = generator(chosen.seed)
    history = []
    for done in range(0, chosen.commands, LENGTH_OF_BATCH):
        batch = [commands.command() for _ in range(LENGTH_OF_BATCH)]
        data = b"".join(as_sent(words, commands.random) for words in batch)
        for side in (theirs, ours):
            side.send(data)
        for words in batch:
            expected, found = theirs.reply(), ours.reply()
            history.append(words)
            if not agree(words, expected, found):
                print(f"seed {chosen.seed}, command {len(history)}: {shown(words)}")
                print(f"  redis: {shown(expected)}\n  umber: {shown(found)}")
                print("before it, on this key:")
                for each in [h for h in history[:-1] if len(words) > 1 and len(h) > 1 and words[1] in h[1:]][-8:]:
                    print("  ", shown(each))
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
