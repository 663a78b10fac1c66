"""A DuckDB connection with its threads, made at load. Each prediction writes rows and reads them back."""

import tempfile

import duckdb
import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.database = duckdb.connect(f"{tempfile.mkdtemp()}/features.duckdb", config={"threads": 2})
        self.database.execute("CREATE TABLE features (k BIGINT, doubled DOUBLE)")

    def predict(self, context, model_input, params=None):
        self.database.execute("DELETE FROM features")
        self.database.register("given", model_input)
        self.database.execute("INSERT INTO features SELECT k, k * 2.0 FROM given")
        rows = self.database.execute("SELECT doubled FROM features ORDER BY k").fetchall()
        return [doubled for (doubled,) in rows]


mlflow.models.set_model(Model())
