"""What the programs share that run a model once and write one JSON document: prove and predict."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
from typing import Callable

from .files.own_folder import OwnFolder
from .processes.process_state import list_children


class Output:
    """Writes lines of JSON to stdout. What the model prints goes to stderr."""

    def __init__(self) -> None:
        self.stdout = os.dup(1)
        os.dup2(2, 1)
        self.uncompiled = UncompiledModules()

    def begin_stage(self, name: str) -> None:
        """Writes the stage as it begins, because a process that the model kills writes no document."""
        self.write_line({"began": name})
        self.write_imports()

    def write_imports(self) -> None:
        if files := self.uncompiled.find_new():
            self.write_line({"imported": files})

    def write_line(self, line: dict) -> None:
        with os.fdopen(os.dup(self.stdout), "w", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")


def run_once(run: Callable[[str, Output], dict]) -> None:
    """Calls `run` with a temporary folder, writes the document that it returns as the last line, and ends the process.

    The exit code is 1 if the document has a failure, else 0.
    """
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    output = Output()
    faulthandler.enable()
    folder = OwnFolder()
    try:
        document = run(folder.path, output)
    finally:
        folder.remove()
    output.write_line(document)
    for stream in (sys.stdout, sys.stderr):  # os._exit would lose buffered output of the model
        stream.flush()
    end_children()
    os._exit(1 if document["failed"] else 0)  # a thread of the model must not keep this process alive


class UncompiledModules:
    """Finds imported modules that have no byte code yet. The caller of this program compiles them for later runs."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def find_new(self) -> list[str]:
        """Returns the source files of those that were not returned before."""
        files = []
        for module in list(sys.modules.values()):
            spec = getattr(module, "__spec__", None)
            source, compiled = getattr(spec, "origin", None), getattr(spec, "cached", None)
            if isinstance(source, str) and isinstance(compiled, str) and source not in self.seen:
                self.seen.add(source)
                if not os.path.exists(compiled):
                    files.append(source)
        return files


def end_children() -> None:
    """Kills the processes that the model started and left running."""
    for child in list_children():
        with contextlib.suppress(OSError):
            os.kill(int(child.detail), signal.SIGKILL)


def read_peak_bytes() -> int:
    """Returns the peak memory of this process in bytes; Linux reports it in kilobytes, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
