"""The structure of runtime/: no import circles between its modules or its folders, and folders of a readable size."""

from __future__ import annotations

import ast
import unittest
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

RUNTIME = Path(__file__).resolve().parents[2] / "runtime"
MOST_MODULES = 25
MODULES = {".".join(path.relative_to(RUNTIME).with_suffix("").parts): path for path in RUNTIME.rglob("*.py")}


def read_imports(module: str) -> set[str]:
    """Returns the modules of runtime/ that a module imports anywhere: at the top, in functions and for types."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) if node.level else ""
            source = ".".join(part for part in (package, node.module) if part)
            found.update([source, *(f"{source}.{alias.name}" for alias in node.names)])
    return found & MODULES.keys()


class Imports(unittest.TestCase):
    def assert_acyclic(self, imports: dict[str, set[str]]) -> None:
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as error:
            self.fail(f"import circle: {' imports '.join(reversed(error.args[1]))}")

    def test_modules(self):
        self.assert_acyclic({module: read_imports(module) for module in MODULES})

    def test_folders(self):
        folders: dict[str, set[str]] = {}
        for module in MODULES:
            folder = module.rpartition(".")[0]
            inside = {name.rpartition(".")[0] for name in read_imports(module)} - {folder}
            folders.setdefault(folder, set()).update(inside)
        self.assert_acyclic(folders)

    def test_sizes(self):
        sizes = Counter(path.parent.relative_to(RUNTIME).as_posix() for path in MODULES.values())
        self.assertEqual({folder: size for folder, size in sizes.items() if size > MOST_MODULES}, {})


if __name__ == "__main__":
    unittest.main()
