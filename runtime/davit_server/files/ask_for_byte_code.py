"""Lets the caller of a program compile the modules that the program imports."""

from __future__ import annotations

import importlib.util
import os
import threading
from importlib.machinery import SourceFileLoader
from typing import Callable


class ByteCodeRequests:
    """Names each module without byte code before it is imported, and waits until the caller has compiled it.

    The caller writes the byte code, because nothing that a model's process writes may run in another process. Without
    waiting, both would compile each module.
    """

    def __init__(self, name_file: Callable[[str], None], answers: int) -> None:
        """`answers`: a descriptor with one byte for each named file, once it is compiled or refused."""
        self.name_file = name_file
        self.answers = answers
        self.pid = os.getpid()
        self.lock = threading.RLock()  # a handler of a signal may import too

    def start(self) -> None:
        """From now on, the loader of Python files asks before it looks for a file's byte code."""
        read_stats = SourceFileLoader.path_stats

        def path_stats(loader: SourceFileLoader, path: str):
            self.ask(path)
            return read_stats(loader, path)

        SourceFileLoader.path_stats = path_stats

    def ask(self, path: str) -> None:
        """Does nothing in a forked process, which would take answers of this one, or when the caller has ended."""
        if os.getpid() != self.pid or os.path.exists(importlib.util.cache_from_source(path)):
            return
        with self.lock:
            if self.answers >= 0:
                self.name_file(path)
                if not os.read(self.answers, 1):
                    self.answers = -1
