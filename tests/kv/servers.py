"""What the tests of `umber kv` share: servers that are started on a free port and ended, and a plain client."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

PATIENCE = 120  # seconds; the machine may be busy with something else


class client:
    """Speaks RESP2. A reply is an int, bytes, None, a list, or `status` / `error` objects."""

    class status(bytes):
        pass

    class error(bytes):
        pass

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    @staticmethod
    def packed(*words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return self.status(rest)
        if kind == b"-":
            return self.error(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            size = int(rest)
            return None if size < 0 else [self.reply() for _ in range(size)]
        raise ValueError(line)

    def __call__(self, *words):
        self.send(self.packed(*words))
        return self.reply()

    def is_closed(self):
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.file.close()
        self.socket.close()


def umber_kv(program, *options, env=None):
    """The process, and its port, which it has printed."""
    process = subprocess.Popen([program, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    line = process.stdout.readline()
    found = re.fullmatch(r"umber kv: ready on 127\.0\.0\.1:(\d+), \d+ threads?\n", line)
    if not found:
        process.kill()
        raise AssertionError((line, process.communicate()))
    return process, int(found.group(1))


def without_watchdog(errors):
    """A busy machine may keep a thread from its next safepoint for longer than the engine finds right."""
    return "".join(line for line in errors.splitlines(True) if "has not reached a safepoint" not in line)


@contextlib.contextmanager
def running(program, *options, env=None):
    """The port. Afterwards the server must end by SIGTERM with status 0 and nothing on stderr."""
    process, port = umber_kv(program, *options, env=env)
    try:
        yield port
        process.terminate()
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and without_watchdog(errors) == "", (process.returncode, output, errors)
        assert re.fullmatch(r"umber kv: ended by \w+, \d+ connections? closed\n", output), output
    finally:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def redis():
    """The port of a redis-server without files; None where there is none installed."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        process = subprocess.Popen([program, "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(int(PATIENCE * 20)):
                try:
                    client(port).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait()


