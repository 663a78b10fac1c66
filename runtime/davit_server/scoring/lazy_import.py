"""Loads packages when a name of theirs is first used, not when they are imported.

importlib.util.LazyLoader is no replacement: it loads when a second import checks whether the first has ended, often
while the parent package is still being imported.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


def import_lazily(*names: str) -> None:
    """Defers the loading of these packages. One that is already imported, or not installed, is unaffected."""
    sys.meta_path.insert(0, LazyFinder(names))


class LazyFinder:
    """Finds the named packages where Python would and defers their loading."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        if name in self.names:
            spec = PathFinder.find_spec(name, path, target)
            if spec is not None and hasattr(spec.loader, "exec_module"):
                spec.loader = LazyLoader(spec.loader)
            return spec
        package = sys.modules.get(name.rpartition(".")[0])
        loader = getattr(package, "__loader__", None)
        if not isinstance(loader, LazyLoader):
            return None
        loader.load(package)  # a submodule is imported after its package, as always
        present = sys.modules.get(name)
        return None if present is None else make_present_spec(present)


HIDES_NAMES = re.compile(r"import\s*\(?\s*\*|__getattr__|globals|__dict__|setattr|vars|exec")
"""In the text of a module that may define names which the text does not have."""


class LazyLoader:
    """Loads a module at the first use of a name that the module does not have yet (PEP 562).

    `pickle` and skops look for a name in every imported module. One that the module cannot define loads nothing.
    """

    def __init__(self, loader) -> None:
        self.loader, self.lock, self.loading = loader, threading.RLock(), False
        self.hooks: dict[str, object] = {}
        self.names: frozenset[str] | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.hooks = {"__getattr__": lambda name: self.find(module, name), "__dir__": lambda: self.list(module)}
        vars(module).update(self.hooks)

    def find(self, module: ModuleType, name: str):
        with self.lock:
            if self.hooks and not self.loading and not self.may_define(module, name):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            if self.loading:  # by this thread; other threads wait for the lock
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r} yet: it is being loaded")
            self.load(module)
        return getattr(module, name)

    def may_define(self, module: ModuleType, name: str) -> bool:
        """Says whether the name is in the module's text, or a file in the package; True where this is unknown."""
        if self.names is None:
            self.names = read_names(self.loader, module)
        return not self.names or name in self.names or name == "__all__"  # asked for by `import *`

    def list(self, module: ModuleType) -> list[str]:
        self.load(module)
        return sorted(vars(module))

    def load(self, module: ModuleType) -> None:
        """Executes the module once. When that raises, the next use tries again."""
        with self.lock:
            if self.loading or not self.hooks:
                return
            self.loading = True
            module.__spec__.loader = module.__loader__ = self.loader
            try:
                self.loader.exec_module(module)
            except BaseException:
                module.__spec__.loader = module.__loader__ = self
                vars(module).update(self.hooks)
                raise
            finally:
                self.loading = False
            for name, hook in self.hooks.items():
                if vars(module).get(name) is hook:
                    del vars(module)[name]
            self.hooks = {}


def make_present_spec(module: ModuleType) -> ModuleSpec:
    """Returns a spec for a module that its package has imported meanwhile: importlib would load it a second time."""
    module.__spec__.loader = PresentLoader(module, module.__spec__.loader)
    return module.__spec__


def read_names(loader, module: ModuleType) -> frozenset[str]:
    """Returns all words in the text of a package, and the names of what it contains; empty when it may have others."""
    try:
        text = loader.get_source(module.__name__) or ""
        entries = [entry.partition(".")[0] for path in module.__path__ for entry in os.listdir(path)]
    except (AttributeError, ImportError, OSError):
        return frozenset()
    return frozenset() if not text or HIDES_NAMES.search(text) else frozenset([*re.findall(r"\w+", text), *entries])


class PresentLoader:
    """Returns an imported module and restores the loader that loaded it."""

    def __init__(self, module: ModuleType, loader) -> None:
        self.module, self.loader = module, loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__.loader = self.loader
