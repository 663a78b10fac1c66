"""Ends a process that the model forks where the model's code ends in it, instead of letting it answer requests.

A forked child that raises SystemExit or returns would otherwise continue as a second worker on the same connection: the
next client would get the answer to another request.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator


@contextlib.contextmanager
def end_forked_children() -> Iterator[None]:
    """Around code of the model. Only the process that enters it leaves it."""
    process = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != process:
            end(error)
        raise
    if os.getpid() != process:
        end(None)


def end(error: BaseException | None) -> None:
    """Ends this process with the exit code that Python would give it."""
    code = 0 if error is None else 1
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code & 0xFF)
