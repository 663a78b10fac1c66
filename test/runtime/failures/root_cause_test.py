"""Tests of davit_server.failures.root_cause: which exception is reported. Standard library only."""

import importlib
import os
import sys
import sysconfig
import tempfile
import unittest

from davit_server.failures.root_cause import find_missing_module, find_root_cause

MODEL = os.path.realpath(tempfile.gettempdir()) + "/davit-model"
PURELIB = sysconfig.get_paths()["purelib"]
PLACES = {
    "model": f"{MODEL}/code/model.py",
    "mlflow": f"{PURELIB}/mlflow/pyfunc/__init__.py",
    "lib": f"{PURELIB}/x/y.py",
}


class Wrapped(Exception):
    """In the place of MlflowException."""


def made(place, source):
    """A function `run(inner)` that seems to come from a file of the model, of MLflow or of a library."""
    names = {"Wrapped": Wrapped}
    lines = "".join(f"    {line}\n" for line in source.splitlines())
    exec(compile(f"def run(inner=None):\n{lines}", PLACES[place], "exec"), names)
    return names["run"]


def raised(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


IMPORT = "import no_such_module_at_all"
WRAP = "try:\n    inner()\nexcept Exception as error:\n    raise Wrapped('hint of many lines')"


class RootCause(unittest.TestCase):
    def check(self, error, kind, words, module=None):
        cause = find_root_cause(error, MODEL)
        self.assertEqual((type(cause).__name__, find_missing_module(cause, MODEL)), (kind, module))
        self.assertIn(words, str(cause))

    def test_what_the_model_handled_is_not_the_cause(self):
        handled = f"try:\n    {IMPORT}\nexcept ImportError:\n    "
        for source, kind in [
            (handled + "raise ValueError('too small')", "ValueError"),
            (handled + "pass\nraise ValueError('too small')", "ValueError"),
            (
                f"try:\n    {IMPORT}\nexcept ImportError as error:\n    raise ValueError('too small') from error",
                "ValueError",
            ),
            (handled + "raise ValueError('too small') from None", "ValueError"),
            (handled + "try:\n        [][0]\n    except IndexError:\n        raise KeyError('too small')", "KeyError"),
            (handled + "raise SystemExit('too small')", "SystemExit"),
        ]:
            with self.subTest(source=source):
                self.check(raised(made("model", source)), kind, "too small")
                self.check(raised(made("mlflow", "inner()"), made("model", source)), kind, "too small")

    def test_a_missing_module_is_found_behind_what_mlflow_raises(self):
        for wrap in (WRAP, WRAP + " from error", WRAP + " from None"):
            for place in ("model", "lib", "mlflow"):
                with self.subTest(wrap=wrap, place=place):
                    error = raised(made("mlflow", wrap), made(place, IMPORT))
                    self.check(error, "ModuleNotFoundError", "no_such_module", "no_such_module_at_all")
        twice = raised(made("mlflow", WRAP), lambda: made("mlflow", WRAP)(made("lib", IMPORT)))
        self.check(twice, "ModuleNotFoundError", "no_such_module", "no_such_module_at_all")

    def test_what_the_model_raised_is_found_behind_what_mlflow_raises(self):
        error = raised(made("mlflow", WRAP + " from error"), made("model", "raise ValueError('too small')"))
        self.check(error, "ValueError", "too small")

    def test_what_mlflow_says_of_a_librarys_error_is_kept(self):
        error = raised(made("mlflow", WRAP), made("lib", "raise ValueError('bad value')"))
        self.check(error, "Wrapped", "hint of many lines")

    def test_the_model_may_raise_mlflows_exception(self):
        source = f"try:\n    {IMPORT}\nexcept ImportError:\n    raise Wrapped('unknown customer')"
        self.check(raised(made("model", source)), "Wrapped", "unknown customer")

    def test_a_missing_module_that_is_said_otherwise_keeps_its_name(self):
        said = f"try:\n    {IMPORT}\nexcept ImportError as error:\n    raise "
        name = "no_such_module_at_all"
        self.check(raised(made("model", said + "ImportError('install it') from error")), "ImportError", "install", name)
        self.check(raised(made("lib", said + "RuntimeError('install it') from error")), "RuntimeError", "install", name)
        self.check(raised(made("model", said + "RuntimeError('no data') from error")), "RuntimeError", "no data")

    def test_a_chain_that_never_ends_is_left(self):
        first, second = Wrapped("a"), Wrapped("b")
        first.__cause__, second.__cause__ = second, first
        self.assertIn(find_root_cause(first, MODEL), (first, second))

    @unittest.skipIf(sys.version_info < (3, 11), "exception groups are of Python 3.11")
    def test_groups(self):
        group = "import builtins\nraise builtins.ExceptionGroup('in tasks', [{}])"
        one = raised(made("model", group.format("ValueError('too small')")))
        self.check(one, "ValueError", "too small")
        nested = raised(made("model", group.format("builtins.ExceptionGroup('deeper', [ValueError('too small')])")))
        self.check(nested, "ValueError", "too small")
        several = raised(made("model", group.format("ValueError('a'), KeyError('b')")))
        self.check(several, "ExceptionGroup", "in tasks")
        missing = raised(made("model", group.format("ValueError('a'), ModuleNotFoundError('no x', name='x')")))
        self.check(missing, "ModuleNotFoundError", "no x", "x")


class Failure(unittest.TestCase):
    def test_the_members_of_a_group_are_named(self):
        stages = importlib.import_module("davit_server.failures.stages")
        if sys.version_info >= (3, 11):
            group = __builtins__.ExceptionGroup("in tasks", [ValueError("a"), KeyError("b")])
            failure = stages.describe_failure("predict", group, MODEL)
            self.assertIn("ValueError: a; KeyError: 'b'", failure["message"])
        failure = stages.describe_failure("predict", ValueError("a"), MODEL)
        self.assertEqual(
            (failure["kind"], failure["message"], failure["module"]), ("ValueError", "ValueError: a", None)
        )


if __name__ == "__main__":
    unittest.main()
