"""The stages a model goes through before it serves (import, load, predict, signature), and a failure in one of them."""

from __future__ import annotations

import contextlib
import linecache
import os
import sysconfig
import time
import traceback
from collections.abc import Iterator
from typing import Callable

from .without_data import without_data

FRAMES = 8
OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
MESSAGE_CHARACTERS = 2000


class Stages:
    """Knows which stage runs and how long each took, in seconds."""

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
            self.seconds[name] = round(time.perf_counter() - started, 3)


def describe_failure(stage: str, error: BaseException, model: str, trace: bool = True) -> dict:
    """`{stage, kind|cause, message, module, trace}`: a sentence that a person understands, and where it happened."""
    cause = root_cause(error)
    kind = type(cause).__name__
    text = (without_data(str(cause)) if kind == "MlflowException" else str(cause)).strip()[:MESSAGE_CHARACTERS]
    named = kind not in ("SignatureMismatch", "InvalidOutput", "Refused")  # ours: the sentence says it all
    message = f"{kind}: {text}" if named and text else text or kind
    if not trace:
        return {"stage": stage, "cause": kind, "message": message}
    module = cause.name if isinstance(cause, ModuleNotFoundError) else None
    return {"stage": stage, "kind": kind, "message": message, "module": module, "trace": model_trace(cause, model)}


def root_cause(error: BaseException) -> BaseException:
    """MLflow wraps a missing module in a hint of many lines; the missing module is the news."""
    seen = error
    while seen is not None:
        if isinstance(seen, ModuleNotFoundError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def model_trace(error: BaseException, model: str) -> str:
    """The last frames, the model's own ones with their line of code; no path of this machine, no frame of ours."""
    lines = []
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(OURS)]
    for frame in frames[-FRAMES:]:
        place, own = shown_path(frame.filename, model)
        lines.append(f"{place}:{frame.lineno} in {frame.name}")
        code = linecache.getline(frame.filename, frame.lineno or 0).strip()
        if own and code:
            lines.append(f"    {code}")
    return "\n".join(lines)


def shown_path(path: str, model: str) -> tuple[str, bool]:
    """A path relative to the model, to the packages or to the standard library; and whether it is the model's."""
    path, model = os.path.realpath(path), os.path.realpath(model)
    if path.startswith(model + os.sep):
        return os.path.relpath(path, model), True
    for name in ("purelib", "platlib", "stdlib"):
        root = os.path.realpath(sysconfig.get_paths()[name])
        if path.startswith(root + os.sep):
            return os.path.relpath(path, root), False
    return os.path.basename(path), False  # where the author's notebook or script was
