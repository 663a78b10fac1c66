"""A database with a write-ahead log, left open after load: forks share the locks of its shared memory."""

import sqlite3
import tempfile

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.folder = tempfile.TemporaryDirectory()
        path = f"{self.folder.name}/features.db"
        self.database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("CREATE TABLE features (k INTEGER PRIMARY KEY, doubled REAL)")
        self.database.execute("CREATE TABLE asked (k INTEGER)")
        self.database.executemany("INSERT INTO features VALUES (?, ?)", [(k, 2.0 * k) for k in range(25_000)])

    def predict(self, context, model_input, params=None):
        self.database.execute("DELETE FROM asked")
        self.database.executemany("INSERT INTO asked VALUES (?)", [(k,) for k in model_input["k"].tolist()])
        joined = "SELECT doubled FROM asked JOIN features USING (k) ORDER BY asked.rowid"
        return [doubled for (doubled,) in self.database.execute(joined)]


mlflow.models.set_model(Model())
