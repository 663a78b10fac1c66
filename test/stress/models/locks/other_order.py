"""Files with fixed names, which requests write in different orders: two of them would wait for each other forever."""

from pathlib import Path

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        first = int(model_input["k"].iloc[0])
        if first < 100:
            return (2.0 * model_input["k"]).tolist()
        files = [Path(f"/var/tmp/stress-order-{first // 10 % modulus}.txt") for modulus in (7, 5, 3)]
        for file in files:
            file.write_text(str(first))
        return [sum(float(file.read_text()) for file in files) + k for k in model_input["k"].tolist()]


mlflow.models.set_model(Model())
