"""Tests of davit_server.scoring.lazy_import. Standard library only."""

import importlib
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from davit_server.scoring.lazy_import import import_lazily

LATE = """
import time
import parent
from parent.late import inner
time.sleep(0.05)
VALUE = 7
parent.loaded.append("late")
"""


class LazyImportTest(unittest.TestCase):
    """With a package that tells when it is loaded."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(setattr, sys, "path", list(sys.path))
        self.addCleanup(setattr, sys, "meta_path", list(sys.meta_path))
        sys.path.insert(0, folder.name)
        for name, text in {
            "parent/__init__.py": "from parent import late\nloaded = []",
            "parent/late/__init__.py": LATE,
            "parent/late/inner.py": "import parent\nparent.loaded.append('inner')\nVALUE = 8",
            "parent/late/other.py": "import parent\nparent.loaded.append('other')\nfrom parent.late import VALUE",
            "parent/broken/__init__.py": "raise ImportError('wants more')\nVALUE = 9",
            "parent/open/__init__.py": "from parent.late import *",
        }.items():
            path = Path(folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for name in [name for name in sys.modules if name.partition(".")[0] == "parent"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        import_lazily("parent.late", "parent.broken", "parent.open", "parent.nowhere")

    def test_it_is_loaded_when_something_of_it_is_used_and_once(self):
        import parent

        self.assertEqual(parent.loaded, [])
        self.assertEqual(parent.late.VALUE, 7)
        self.assertEqual(parent.late.VALUE, 7)
        self.assertEqual(parent.loaded, ["inner", "late"])

    def test_it_is_not_loaded_by_a_search_of_all_modules_for_a_name_that_it_cannot_have(self):
        import parent

        found = [module for module in list(sys.modules.values()) if getattr(module, "nowhere_defined", None)]
        self.assertEqual((found, parent.loaded), ([], []))
        self.assertEqual(parent.late.inner.VALUE, 8)
        with self.assertRaises(AttributeError):
            _ = parent.late.nowhere_defined

    def test_it_is_loaded_for_any_name_if_its_names_are_not_all_in_its_text(self):
        import parent
        import parent.open

        self.assertFalse(hasattr(parent.open, "nowhere_defined"))
        self.assertEqual(parent.loaded, ["inner", "late"])

    def test_it_is_loaded_by_an_import_from_it(self):
        import parent
        from parent.late import VALUE

        self.assertEqual((VALUE, parent.loaded), (7, ["inner", "late"]))

    def test_it_is_loaded_by_an_import_of_what_lies_in_it_and_each_once(self):
        import parent
        import parent.late.inner
        import parent.late.other

        self.assertEqual(parent.loaded, ["inner", "late", "other"])
        self.assertIs(sys.modules["parent.late.inner"], parent.late.inner)
        self.assertEqual(parent.late.inner.__spec__.loader, parent.late.inner.__loader__)
        self.assertEqual((parent.late.inner.VALUE, parent.late.other.VALUE), (8, 7))

    def test_a_second_import_and_a_look_at_what_it_is_do_not_load_it(self):
        import parent
        import parent.late

        self.assertEqual((parent.late.__name__, parent.late.__package__), ("parent.late", "parent.late"))
        self.assertTrue(parent.late.__file__ and parent.late.__path__ and parent.late.__spec__)
        self.assertEqual(parent.loaded, [])

    def test_its_names_are_those_that_it_has(self):
        import parent

        self.assertIn("VALUE", dir(parent.late))
        self.assertNotIn("__getattr__", dir(parent.late))
        with self.assertRaises(AttributeError):
            getattr(parent.late, "nothing")  # noqa: B009

    def test_threads_that_use_it_at_once_see_it_whole(self):
        import parent

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(list(pool.map(lambda _: parent.late.VALUE, range(8))), [7] * 8)
        self.assertEqual(parent.loaded, ["inner", "late"])

    def test_what_it_raises_is_raised_at_its_use(self):
        import parent.broken

        for _ in range(2):
            with self.assertRaisesRegex(ImportError, "wants more"):
                getattr(parent.broken, "VALUE")  # noqa: B009

    def test_what_is_not_there_is_missed_at_once(self):
        with self.assertRaises(ModuleNotFoundError):
            importlib.import_module("parent.nowhere")

    def test_others_are_imported_as_ever(self):
        import wave

        import parent

        self.assertEqual((type(parent).__name__, type(wave).__name__), ("module", "module"))


if __name__ == "__main__":
    unittest.main()
