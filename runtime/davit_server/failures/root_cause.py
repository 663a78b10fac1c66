"""Finds the exception to report: the last one that the model raised and did not handle, not MLflow's wrapper."""

from __future__ import annotations

import os
import sysconfig
import traceback
from types import TracebackType

SERVER_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
MOST_LINKS = 100


def find_root_cause(error: BaseException, model: str) -> BaseException:
    """Returns the last exception that the model raised, or the missing module behind MLflow's exception.

    `model` is the model's directory.
    """
    current = select_member(error)
    for _ in range(MOST_LINKS):
        inner = find_wrapped_exception(current, model)
        if inner is None:
            return current
        current = select_member(inner)
    return current


def find_wrapped_exception(error: BaseException, model: str) -> BaseException | None:
    """Returns the exception inside MLflow's own; None when the model raised `error` or MLflow's says more.

    MLflow's message names the column and the type, so only a missing module or an exception from the model's code is
    more useful.
    """
    if not is_raised_by_mlflow(error):
        return None
    inner = error.__cause__ or error.__context__
    for _ in range(MOST_LINKS):
        if inner is None or isinstance(inner, ModuleNotFoundError) or is_from_model(inner, model):
            return inner
        inner = inner.__cause__ or inner.__context__
    return None


def find_missing_module(error: BaseException, model: str) -> str | None:
    """Returns the name of a missing module, also when a library or the model has raised another exception from it."""
    for _ in range(MOST_LINKS):
        if isinstance(error, ModuleNotFoundError):
            return error.name
        files = list_traceback_files(error.__traceback__)
        restated = isinstance(error, ImportError) or (files and not is_of_model(files[-1], model))
        if error.__cause__ is None or not restated:
            return None
        error = error.__cause__
    return None


def select_member(error: BaseException) -> BaseException:
    """Returns the only exception in an ExceptionGroup, through nested groups; any other exception itself.

    Groups come from Python 3.11 or the package exceptiongroup. Of several members, a missing module is returned,
    because it usually is the cause of the others.
    """
    found = flatten_group(error)
    missing = [member for member in found if isinstance(member, ModuleNotFoundError)]
    if len(found) == 1:
        return found[0]
    return missing[0] if missing else error


def describe_members(error: BaseException) -> str:
    """Returns the messages of a group's members; empty for any other exception."""
    found = flatten_group(error)
    return "" if found == [error] else "; ".join(f"{type(member).__name__}: {member}" for member in found)


def flatten_group(error: BaseException) -> list[BaseException]:
    """Returns the exceptions in a group that are not groups; for any other exception, a list with itself."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        members = getattr(one, "exceptions", None)
        is_group = isinstance(members, tuple) and members and all(isinstance(m, BaseException) for m in members)
        if is_group and type(one).__name__.endswith("Group"):
            waiting.extend(reversed(members))
        else:
            found.append(one)
    return found


def is_raised_by_mlflow(error: BaseException) -> bool:
    """Says whether MLflow's code raised the exception."""
    files = list_traceback_files(error.__traceback__)
    return bool(files) and is_mlflow(files[-1])


def is_mlflow(file: str) -> bool:
    path = os.path.realpath(file)
    return any(path.startswith(root + "mlflow" + os.sep) for root in list_installed_roots())


def is_from_model(error: BaseException, model: str) -> bool:
    """Says whether the traceback has code of the model: from its folder, or from the notebook that pickled it."""
    return any(is_of_model(file, model) for file in list_traceback_files(error.__traceback__))


def is_of_model(file: str, model: str) -> bool:
    if file.startswith((SERVER_FOLDER, "<frozen ")):
        return False
    path = os.path.realpath(file)
    if path.startswith(os.path.realpath(model) + os.sep):
        return True
    return not any(path.startswith(root) for root in list_installed_roots())


def list_installed_roots() -> list[str]:
    """Returns the folders of installed packages and of the standard library, each with a trailing slash."""
    paths = sysconfig.get_paths()
    return [os.path.realpath(paths[name]) + os.sep for name in ("purelib", "platlib", "stdlib")]


def list_traceback_files(trace: TracebackType | None) -> list[str]:
    return [frame.f_code.co_filename for frame, _ in traceback.walk_tb(trace)]
