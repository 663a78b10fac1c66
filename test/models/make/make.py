"""Makes models as their owners log them. Runs in the virtualenv of the models, in Python 3.8 and later.

python make.py FOLDER MODULE.FUNCTION... calls FUNCTION("FOLDER/FUNCTION") of MODULE.py in this folder. Each model has a
process of its own, because a library of one model may affect another. Prints one JSON object: the error of each model
that could not be made.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path


def main(folder: Path, wanted: list[str]) -> None:
    import mlflow.pyfunc  # noqa: F401  # once for all models

    errors = {}
    for name in wanted:
        module, _, function = name.partition(".")
        with tempfile.TemporaryFile("w+") as said:
            child = os.fork()
            if not child:
                make(module, function, folder / function, said)
            if os.waitpid(child, 0)[1]:
                said.seek(0)
                errors[function] = said.read().strip()[-2000:] or "the process died"
    print(json.dumps(errors))


def make(module: str, function: str, path: Path, said) -> None:
    """Makes one model and ends the process."""
    warnings.simplefilter("ignore")
    os.dup2(2, 1)  # libraries print on stdout
    try:
        getattr(importlib.import_module(module), function)(str(path))
        os._exit(0)
    except BaseException:
        traceback.print_exc(file=said)
        said.flush()
        os._exit(1)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
