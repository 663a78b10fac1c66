"""Tests of davit_server.scoring.import_scorer, in a virtualenv with MLflow."""

import sys
import unittest

from davit_server.scoring.import_scorer import import_scorer

SCORER = import_scorer()


class LazyMlflowTest(unittest.TestCase):
    """In the order of their names: what is loaded stays so."""

    def test_1_they_are_not_loaded_with_mlflow(self):
        import mlflow

        self.assertIn("mlflow.genai", sys.modules)
        self.assertNotIn("mlflow.genai.judges", sys.modules)
        self.assertNotIn("fastapi", sys.modules)
        self.assertTrue(callable(mlflow.pyfunc.load_model))
        self.assertEqual(SCORER.__name__, "Scorer")

    def test_2_they_are_whole_when_they_are_used(self):
        import mlflow
        from mlflow.genai import scorer
        from mlflow.genai.judges import make_judge

        self.assertTrue(callable(scorer) and callable(make_judge))
        self.assertIs(mlflow.genai.scorer, scorer)
        self.assertTrue(hasattr(mlflow.gateway, "__path__"))
        self.assertIn("fastapi", sys.modules)


if __name__ == "__main__":
    unittest.main()
