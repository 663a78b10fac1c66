"""Runs inside the build of an image, with the base image's Python: python3.11 settle.py [--library] LAYER

The build copies LAYER to /. With --library, the script adds the byte code that the base's standard library lacks.
Official images have no byte code, and a server that cannot write it would compile half the library again at each
start. The script makes each folder of LAYER that contains `lib/pythonX.Y/site-packages` a virtualenv of this Python.
It compiles everything, so that a container without write access starts fast. The same input gives the same files,
including their times.
"""

import compileall
import contextlib
import importlib.util
import os
import py_compile
import re
import sys
import sysconfig

TIME = 315532800
"""1980-01-01, the earliest date that a zip file can store. The files of the context have the same time."""

PARTS = 8
"""Number of compiler processes. Fixed, because the files that one process compiles together affect the bytes."""

LEFT_OUT = re.compile(r"[/\\]tests?[/\\]")
"""No server imports the remaining files of these folders."""

UNUSED = {"ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "dist-packages", "tkinter", "turtledemo"}
"""Parts of the library folder that no server imports or that do not belong to the library."""

CONFIGURATION = """home = {home}
include-system-site-packages = false
version = {version}
"""


def main() -> None:
    if os.environ.get("PYTHONHASHSEED") != "0":  # otherwise the order of set constants is random
        os.execve(sys.executable, [sys.executable, "-s", *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    *options, layer = sys.argv[1:]
    if options == ["--library"]:
        compile_library(layer, sysconfig.get_path("stdlib"))
    for place, folders, _ in os.walk(layer):
        if os.path.isdir(os.path.join(place, "lib", "python{}.{}".format(*sys.version_info), "site-packages")):
            make_virtualenv(place)
            folders.clear()
    compile_all(layer)
    for place, folders, files in os.walk(layer, topdown=False):
        for name in [*files, *folders]:
            set_time(os.path.join(place, name))


def make_virtualenv(folder: str) -> None:
    """Does the work of `python -m venv`, because Debian's Python lacks that module."""
    home, version = os.path.dirname(sys.executable), "{}.{}.{}".format(*sys.version_info)
    with open(os.path.join(folder, "pyvenv.cfg"), "w") as file:
        file.write(CONFIGURATION.format(home=home, version=version))
    programs = os.path.join(folder, "bin")
    os.makedirs(programs, exist_ok=True)
    for name, target in (
        ("python", sys.executable),
        ("python3", "python"),
        (f"python3.{sys.version_info[1]}", "python"),
    ):
        place = os.path.join(programs, name)
        if not os.path.lexists(place):
            os.symlink(target, place)


def compile_all(layer: str) -> None:
    files = sorted(
        os.path.join(place, name) for place, _, names in os.walk(layer) for name in names if name.endswith(".py")
    )
    files = [file for file in files if not LEFT_OUT.search(file)]
    children = []
    for part in range(PARTS):
        child = os.fork()
        if not child:
            for file in files[part::PARTS]:
                with contextlib.suppress(RecursionError, OSError):
                    compileall.compile_file(
                        file,
                        stripdir=layer,
                        prependdir="/",
                        quiet=2,  # templates and examples are not valid Python
                        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                    )
            os._exit(0)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        sys.exit(f"Cannot compile the files in {layer}: a compiler process was killed")


def compile_library(layer: str, library: str) -> None:
    """Writes the byte code that `library` lacks into the layer, at the path where Python looks for it."""
    for place, folders, names in os.walk(library):
        folders[:] = sorted(name for name in folders if name not in UNUSED)
        for source in sorted(os.path.join(place, name) for name in names if name.endswith(".py")):
            code = importlib.util.cache_from_source(source)
            if LEFT_OUT.search(source) or os.path.exists(code):
                continue
            with contextlib.suppress(py_compile.PyCompileError, OSError):
                mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
                py_compile.compile(source, layer + code, dfile=source, doraise=True, invalidation_mode=mode)


def set_time(path: str) -> None:
    if os.lstat(path).st_mtime != TIME:  # setting the time of a file in a lower layer would copy the file
        os.utime(path, (TIME, TIME), follow_symlinks=False)


if __name__ == "__main__":
    main()
