"""Predicts the model's example, for the loading process and for the proof alike."""

from __future__ import annotations

from ..failures.stages import Stages
from .try_forks import Prediction
from .worker_mode import WorkerMode


def predict_example(scorer, stages: Stages, mode: WorkerMode, kind: str, body: bytes) -> Prediction:
    """Predicts in the stage `predict`. For the model's own example it also verifies the fast path."""
    with stages("predict"):
        answer, seconds = mode.predict(lambda: scorer.predict(kind, body))
        if body is scorer.example:
            scorer.verify_fast_path(answer)
    return Prediction(kind, body, answer, seconds)
