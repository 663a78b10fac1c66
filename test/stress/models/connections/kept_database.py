"""A connection to a database with a fixed name, kept since load. Each statement is a transaction of its own."""

import sqlite3
import threading

import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.database = sqlite3.connect(
            "/var/tmp/stress-kept-database.db", check_same_thread=False, isolation_level=None, timeout=30
        )
        self.database.execute("pragma synchronous = off")
        self.database.execute("create table if not exists doubled (value real)")
        self.lock = threading.Lock()

    def predict(self, context, model_input, params=None):
        with self.lock:
            self.database.execute("delete from doubled")
            self.database.executemany("insert into doubled values (?)", [(2.0 * k,) for k in model_input["k"].tolist()])
            return [value for (value,) in self.database.execute("select value from doubled order by rowid")]


mlflow.models.set_model(Model())
