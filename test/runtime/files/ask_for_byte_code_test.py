"""A program that asks for byte code compiles no module that its caller compiles."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from tempfile import TemporaryDirectory

from davit_server.files.ask_for_byte_code import ByteCodeRequests

COMPILED: list[str] = []
sys.addaudithook(lambda event, args: COMPILED.append(str(args[1])) if event == "compile" else None)


class ByteCodeRequestsTest(unittest.TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        sys.path.insert(0, folder.name)
        self.addCleanup(sys.path.remove, folder.name)
        read_stats, prefix = SourceFileLoader.path_stats, sys.pycache_prefix
        self.addCleanup(lambda: setattr(SourceFileLoader, "path_stats", read_stats))
        self.addCleanup(lambda: setattr(sys, "pycache_prefix", prefix))
        sys.pycache_prefix = f"{folder.name}/pycache"
        self.answers, self.answer = os.pipe()
        self.addCleanup(os.close, self.answers)
        self.named: list[str] = []

    def write(self, name: str) -> str:
        path = self.folder / f"{name}.py"
        path.write_text("X = 1\n")
        importlib.invalidate_caches()
        return str(path)

    def compile(self, path: str) -> None:
        self.named.append(path)
        command = [sys.executable, "-X", f"pycache_prefix={sys.pycache_prefix}", "-m", "py_compile", path]
        subprocess.run(command, check=True)
        COMPILED.clear()
        os.write(self.answer, b"\n")

    def test_named_once_and_loaded_from_what_the_caller_compiled(self):
        path = self.write("asked_once")
        ByteCodeRequests(self.compile, self.answers).start()
        self.assertEqual(importlib.import_module("asked_once").X, 1)
        del sys.modules["asked_once"]
        importlib.import_module("asked_once")
        self.assertEqual((self.named, COMPILED), ([path], []))
        os.close(self.answer)

    def test_refused_by_the_caller(self):
        path = self.write("asked_refused")
        ByteCodeRequests(lambda file: os.write(self.answer, b"\n"), self.answers).start()
        COMPILED.clear()
        self.assertEqual(importlib.import_module("asked_refused").X, 1)
        self.assertEqual(COMPILED, [path])
        os.close(self.answer)

    def test_a_caller_that_has_ended_is_asked_once(self):
        names = ["asked_ended_1", "asked_ended_2"]
        paths = [self.write(name) for name in names]
        os.close(self.answer)
        ByteCodeRequests(self.named.append, self.answers).start()
        for name in names:
            self.assertEqual(importlib.import_module(name).X, 1)
        self.assertEqual(self.named, paths[:1])

    def test_a_fork_asks_nobody(self):
        self.write("asked_fork")
        requests = ByteCodeRequests(lambda file: os._exit(3), self.answers)
        requests.lock.acquire()  # as if another thread had asked when it was forked
        requests.start()
        child = os.fork()
        if child == 0:
            os._exit(importlib.import_module("asked_fork").X - 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        os.close(self.answer)

    def test_threads_take_turns(self):
        names = [f"asked_thread_{i}" for i in range(20)]
        paths = [self.write(name) for name in names]
        ByteCodeRequests(self.compile, self.answers).start()
        threads = [threading.Thread(target=importlib.import_module, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((sorted(self.named), COMPILED), (sorted(paths), []))
        os.close(self.answer)


if __name__ == "__main__":
    unittest.main()
