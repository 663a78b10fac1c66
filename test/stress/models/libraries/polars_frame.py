"""polars, whose first query starts its thread pool."""

import mlflow
import polars as pl


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.table = pl.DataFrame({"k": range(25_000)}).with_columns(doubled=pl.col("k") * 2.0)

    def predict(self, context, model_input, params=None):
        given = pl.DataFrame({"k": model_input["k"].tolist()}).lazy()
        return given.join(self.table.lazy(), on="k", how="left").sort("k").collect()["doubled"].to_list()


mlflow.models.set_model(Model())
