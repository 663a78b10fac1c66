"""Times the stages before a model serves (import, load, predict, signature, workers) and describes their failures."""

from __future__ import annotations

import contextlib
import linecache
import os
import sysconfig
import time
import traceback
from collections.abc import Iterator
from typing import Callable

from .mlflow_reason import extract_reason
from .network_failure import has_lost_connection, needs_network
from .root_cause import SERVER_FOLDER, describe_members, find_missing_module, find_root_cause, is_raised_by_mlflow

FRAMES = 8
OWN_ERRORS = ("SignatureMismatch", "InvalidOutput", "Refused", "ForkFailed", "LoadedOnce", "UnexpectedAnswer")
MESSAGE_CHARACTERS = 2000


class Stages:
    """Records the current stage and the seconds that each took together; `entered` is called with each that begins."""

    def __init__(self, entered: Callable[[str], object] = lambda name: None) -> None:
        self.entered = entered
        self.name = ""
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.name = name
        self.entered(name)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)


def describe_failure(stage: str, error: BaseException, model: str, trace: bool = True) -> dict:
    """Describes a failure for people.

    Returns `{"stage", "kind", "message", "module", "needs_network", "lost_connection", "trace"}`; without a trace
    `{"stage", "cause", "message"}`. `kind` and `cause` are the class of the exception, `module` is a missing module or
    None.
    """
    cause = find_root_cause(error, model)
    kind = type(cause).__name__
    members = describe_members(cause)
    mlflows = extract_reason(cause) if is_raised_by_mlflow(cause) else ""  # MLflow's text quotes the whole example
    text = (mlflows or (f"{cause} ({members})" if members else str(cause))).strip()[:MESSAGE_CHARACTERS]
    named = kind not in OWN_ERRORS  # for these exceptions the sentence is enough
    message = f"{kind}: {text}" if named and text else text or kind
    if not trace:
        return {"stage": stage, "cause": kind, "message": message}
    module = find_missing_module(cause, model)
    found = {"module": module, "trace": format_trace(cause, model)}
    found["needs_network"] = needs_network(error, model)
    found["lost_connection"] = has_lost_connection(error, model)
    return {"stage": stage, "kind": kind, "message": message, **found}


def format_trace(error: BaseException, model: str) -> str:
    """Returns the last frames, the model's own with their line of code, without frames of this server.

    Paths are relative, so that no path of this machine is shown.
    """
    lines = []
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(SERVER_FOLDER)
    ]
    for frame in frames[-FRAMES:]:
        place, own = shorten_path(frame.filename, model)
        lines.append(f"{place}:{frame.lineno} in {frame.name}")
        code = linecache.getline(frame.filename, frame.lineno or 0).strip()
        if own and code:
            lines.append(f"    {code}")
    return "\n".join(lines)


def shorten_path(path: str, model: str) -> tuple[str, bool]:
    """Returns a path relative to the model, the packages or the standard library, and whether it is the model's."""
    path, model = os.path.realpath(path), os.path.realpath(model)
    if path.startswith(model + os.sep):
        return os.path.relpath(path, model), True
    for name in ("purelib", "platlib", "stdlib"):
        root = os.path.realpath(sysconfig.get_paths()[name])
        if path.startswith(root + os.sep):
            return os.path.relpath(path, root), False
    return os.path.basename(path), False  # a notebook or script of the author's
