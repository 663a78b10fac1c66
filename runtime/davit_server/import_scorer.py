"""Imports MLflow, pandas and what goes with them: most of a start's time."""

from __future__ import annotations

import gc

from .lazy_import import import_lazily

UNUSED = ("mlflow.genai", "mlflow.gateway")
"""A ninth of all modules. A server needs none of them; a model whose code does has them at their first use."""


def import_scorer():
    """The class Scorer. Nothing that an import makes is garbage: the collector waits, and never looks at it again.

    A tenth of the import's time would go into looking. An import that fails leaves the collector on.
    """
    import_lazily(*UNUSED)
    gc.disable()
    try:
        from .scoring import Scorer
    finally:
        gc.freeze()
        gc.enable()
    return Scorer
