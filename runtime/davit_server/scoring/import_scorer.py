"""Imports MLflow, pandas and their dependencies, which takes most of a start."""

from __future__ import annotations

import gc

from .lazy_import import import_lazily

UNUSED = ("mlflow.genai", "mlflow.gateway")
"""A ninth of all modules. The server needs none of them; a model that does loads them at their first use."""


def import_scorer():
    """Returns the class Scorer. Raises what the import raises; the garbage collector is on again in any case.

    The collector is off during the import and ignores its objects afterwards, because an import makes no garbage.
    Collecting would take a tenth of the time.
    """
    import_lazily(*UNUSED)
    gc.disable()
    try:
        from .scorer import Scorer
    finally:
        gc.freeze()
        gc.enable()
    return Scorer
