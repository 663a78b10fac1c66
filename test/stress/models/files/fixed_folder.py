"""A folder with a fixed name, which each prediction empties and a program fills."""

import shutil
import subprocess
from pathlib import Path

import mlflow

FOLDER = Path("/var/tmp/stress-fixed-folder")


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        terms = " ".join(f"$(({k} * 2))" for k in model_input["k"].tolist())
        subprocess.run(["sh", "-c", f"echo {terms} > out.txt"], check=True, cwd=FOLDER)
        return [float(word) for word in (FOLDER / "out.txt").read_text().split()]


mlflow.models.set_model(Model())
