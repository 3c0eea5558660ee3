#!/usr/bin/env python3
"""Runs a real program with and without the replacement preloaded and compares what it says, byte for byte.

    run_host.py LIBRARY HOST

Exits with 77 (skipped) where the host is not installed.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


class Failed(Exception):
    pass


def run(command, environment, folder, text=None):
    done = subprocess.run(command, env=environment, cwd=folder, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=200)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout + done.stderr


def python3(environment, folder):
    return run(["/usr/bin/python3", str(HERE / "host.py")], dict(environment, PYTHONMALLOC="malloc", PYTHONHASHSEED="1"),
               folder)


def lua(environment, folder):
    return run([shutil.which("lua5.4") or "lua", str(HERE / "host.lua")], environment, folder)


def perl(environment, folder):
    return run(["perl", str(HERE / "host.pl")], dict(environment, PERL_HASH_SEED="1", PERL_PERTURB_KEYS="0"), folder)


def sqlite3(environment, folder):
    return run(["sqlite3", ":memory:"], environment, folder, (HERE / "host.sql").read_bytes())


def compiler(environment, folder):
    source = folder / "host.cc"
    source.write_text("#include <map>\n#include <regex>\n#include <string>\n"
                      "bool f(const std::string& s) { return std::regex_match(s, std::regex(\"a.*b\")); }\n"
                      "std::map<std::string, int> m;\nint g(const std::string& s) { return ++m[s]; }\n")
    return run(["g++", "-O1", "-S", "-o", "-", "host.cc"], environment, folder)


def git(environment, folder):
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
           "GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000",
           "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    environment = dict(environment, **who)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    said = run(["git", "init", "-q", "-b", "main", "."], environment, folder)
    for commit in range(5):
        for file in range(50):
            text = "".join(f"line {line} of {file}, {commit * line}\n" for line in range(200))
            (folder / f"file{file}").write_text(text)
        said += run(["git", "add", "."], environment, folder)
        said += run(["git", "commit", "-q", "-m", f"commit {commit}"], environment, folder)
    said += run(["git", "log", "--stat", "-p"], environment, folder)
    said += run(["git", "gc", "-q"], environment, folder)
    said += run(["git", "fsck", "--full"], environment, folder)
    return said + run(["git", "blame", "file7"], environment, folder)


def redis(environment, folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    server = subprocess.Popen(["redis-server", "--port", port, "--save", "", "--appendonly", "no", "--dir", str(folder)],
                              env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    plain = {key: value for key, value in environment.items() if key != "LD_PRELOAD"}
    client = ["redis-cli", "-p", port]
    try:
        for _ in range(100):
            if subprocess.run(client + ["ping"], env=plain, stdout=subprocess.PIPE).stdout == b"PONG\n":
                break
            time.sleep(0.1)
        run(["redis-benchmark", "-p", port, "-q", "-n", "20000", "-c", "20", "-d", "100", "-r", "5000",
             "-t", "set,get,lpush,lpop,sadd,hset,zadd,mset"], environment, folder)
        said = run(client + ["flushall"], plain, folder)
        commands = "".join(f"set key{i} value{i * i}\nhset hash{i % 10} field{i} {i}\nrpush list{i % 7} {'x' * (i % 300)}\n"
                           for i in range(3000))
        said += run(client, plain, folder, commands.encode())
        for query in (["get", "key77"], ["hlen", "hash3"], ["lrange", "list2", "0", "-1"], ["dbsize"], ["memory", "doctor"]):
            said += run(client + query, plain, folder)
        run(client + ["bgsave"], plain, folder)
        for _ in range(100):
            if b"rdb_bgsave_in_progress:0" in run(client + ["info", "persistence"], plain, folder):
                break
            time.sleep(0.1)
        if b"rdb_last_bgsave_status:ok" not in run(client + ["info", "persistence"], plain, folder):
            raise Failed("bgsave failed")
        run(client + ["flushall"], plain, folder)
        return said
    finally:
        server.terminate()
        server.wait()


HOSTS = {"python3": (python3, "/usr/bin/python3"), "lua": (lua, "lua5.4"), "perl": (perl, "perl"),
         "sqlite3": (sqlite3, "sqlite3"), "g++": (compiler, "g++"), "git": (git, "git"),
         "redis": (redis, "redis-server")}


def main():
    library, host = os.path.abspath(sys.argv[1]), sys.argv[2]
    function, program = HOSTS[host]
    if shutil.which(program) is None:
        print(f"{program} is not installed")
        return 77
    plain = dict(os.environ, LC_ALL="C", TZ="UTC")
    said = []
    for environment in (plain, dict(plain, LD_PRELOAD=library)):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "host"
            folder.mkdir()
            try:
                said.append(function(environment, folder).replace(scratch.encode(), b"SCRATCH"))
            except Failed as failure:
                print(f"{'with the replacement' if said else 'without the replacement'}: {failure}")
                return 1
    if said[0] == said[1]:
        print(f"{host}: {len(said[0])} bytes of output, identical")
        return 0
    for number, (one, other) in enumerate(zip(said[0].splitlines(), said[1].splitlines()), 1):
        if one != other:
            print(f"{host}: line {number} differs:\n< {one[:500]!r}\n> {other[:500]!r}")
            return 1
    print(f"{host}: {len(said[0])} bytes of output without, {len(said[1])} with the replacement")
    return 1


if __name__ == "__main__":
    sys.exit(main())
