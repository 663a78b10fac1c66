"""What the programs share that run a model once and write one JSON document: prove, predict and answer."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
from typing import Any, Callable

from .failures.stages import Stages
from .failures.watch_network import NETWORK
from .files.own_folder import MODEL, OwnFolder, enter_folder
from .processes.process_state import list_children
from .processes.threads import QUIET_LIBRARIES
from .scoring.import_scorer import import_scorer


class Output:
    """Writes lines of JSON to stdout. What the model prints goes to stderr. `folder` is that of this process."""

    def __init__(self, folder: OwnFolder) -> None:
        self.folder = folder
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

    def end(self, document: dict) -> None:
        """Writes the document and ends the process, from any thread."""
        self.folder.remove()
        self.write_line(document)
        for stream in (sys.stdout, sys.stderr):  # os._exit would lose buffered output of the model
            stream.flush()
        end_children()
        os._exit(1 if document["failed"] else 0)  # a thread of the model must not keep this process alive


def run_once(run: Callable[[str, Output], dict]) -> None:
    """Calls `run` with a temporary folder, writes the document that it returns as the last line, and ends the process.

    The exit code is 1 if the document has a failure, else 0.
    """
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    os.environ.update({**QUIET_LIBRARIES, **os.environ})  # as the server does, before libraries are loaded
    output = Output(OwnFolder())
    NETWORK.start()
    faulthandler.enable()
    try:
        document = run(output.folder.path, output)
    except BaseException:
        output.folder.remove()
        raise
    output.end(document)


def run_document(options: argparse.Namespace, make: Callable[..., dict]) -> None:
    """Writes the document of `make(options, folder, on_stage)` and the modules that it has imported. See `run_once`."""

    def run(folder: str, output: Output) -> dict:
        document = make(options, folder, output.begin_stage)
        output.write_imports()
        return document

    run_once(run)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="the model's directory (with MLmodel)")
    parser.add_argument("--nan", choices=("error", "null"), default="error", help="what NaN in an answer becomes")


def parse_options(parser: argparse.ArgumentParser, *paths: str) -> argparse.Namespace:
    """Returns the options; the given paths are absolute, because the working directory changes."""
    options = parser.parse_args()
    for name in paths:
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    return options


def load_scorer(options: argparse.Namespace, folder: str, stages: Stages, cases: str = "") -> Any:
    """Enters the temporary folder and loads the model, in the stages "import" and "load"."""
    enter_folder(folder, MODEL)
    with stages("import"):
        Scorer = import_scorer()
    with stages("load"):
        return Scorer(options.model, options.nan, cases)


def describe_run(stages: Stages) -> dict:
    """Returns the fields that each document has: stages with their seconds, peak memory, and services asked for."""
    times = [{"name": name, "seconds": seconds} for name, seconds in stages.seconds.items()]
    return {"stages": times, "peak_memory_bytes": read_peak_bytes(), "network": NETWORK.list_asked()}


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
