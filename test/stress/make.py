"""Makes models, with MLflow's answers. Runs in the virtualenv of the models.

python make.py FOLDER NAME=REQUESTS... writes FOLDER/NAME/model and FOLDER/NAME/answers.json, one answer for each
request, and prints a line for each model. NAME is the path of a file in models/ without `.py`, such as
`files/file_offset`.
MLflow is imported once. Each model is then made and queried in its own process, so that no model affects another.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
import traceback
from pathlib import Path

from questions import COLUMNS, make_rows

SOURCES = Path(__file__).resolve().parent / "models"


def main(folder: Path, wanted: list[str]) -> int:
    import mlflow.pyfunc  # noqa: F401  # not at the top, because processes that a model spawns import this file

    failed = 0
    for name, _, count in (argument.partition("=") for argument in wanted):
        child = os.fork()
        if not child:
            make(folder / name, name, int(count))
        started = time.monotonic()
        is_failed = os.waitpid(child, 0)[1] != 0
        failed += is_failed
        outcome = "cannot be made" if is_failed else f"made, with MLflow's answers to {count} requests"
        print(f"{name}: {outcome} ({time.monotonic() - started:.1f} s)", file=sys.stderr)
    return 1 if failed else 0


def make(folder: Path, name: str, count: int) -> None:
    """Makes one model. Ends the process at once, because threads or timers of the model could make its exit fail."""
    import mlflow.pyfunc

    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_model(SOURCES / f"{name}.py", str(folder / "model"), folder)
        model = mlflow.pyfunc.load_model(str(folder / "model"))
        answers = [list_values(model.predict(make_frame(number))) for number in range(count)]
        (folder / "answers.json").write_text(json.dumps(answers))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def save_model(source: Path, path: str, folder: Path) -> None:
    """Saves the model of a file that calls `set_model`, or has a function `make` for one of MLflow's flavors."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    names = runpy.run_path(str(source))
    inputs = Schema([ColSpec("long", "k"), ColSpec("double", "a")])
    saved = {"signature": ModelSignature(inputs), "input_example": make_frame(0), "pip_requirements": ["mlflow-skinny"]}
    if "make" in names:
        names["make"](path, **saved)
        return
    make_artifacts = names.get("make_artifacts")
    artifacts = make_artifacts(folder) if make_artifacts else None
    mlflow.pyfunc.save_model(path, python_model=str(source), artifacts=artifacts, **saved)


def make_frame(number: int):
    import pandas as pd

    return pd.DataFrame(make_rows(number), columns=COLUMNS).astype({"k": "int64", "a": "float64"})


def list_values(answer) -> list:
    """Returns the answer's values in the form in which MLflow's server writes them."""
    if hasattr(answer, "to_dict"):
        return json.loads(answer.to_json(orient="records", double_precision=15))
    return answer.tolist() if hasattr(answer, "tolist") else list(answer)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
