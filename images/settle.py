"""Runs inside the build of an image, with the base image's own Python: python3.11 settle.py [--library] LAYER

What is in LAYER will be in /. With --library it gets the byte code that the base's own library lacks: official images
have none, and a server that cannot write it would compile half the library anew at each start. A folder of LAYER with
`lib/pythonX.Y/site-packages` becomes a virtualenv of this Python, and everything gets its byte code, so a container
that cannot write starts fast. The same input gives the same files, times included.
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
"""1980-01-01, the first day that a zip file knows. The context's files have it too."""

PARTS = 8
"""Each is compiled by a process of its own: what is compiled together decides the bytes, so not by processor count."""

LEFT_OUT = re.compile(r"[/\\]tests?[/\\]")
"""No server imports what is left of these."""

UNUSED = {"ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "dist-packages", "tkinter", "turtledemo"}
"""Of the library: what no server imports, and what is not the library's."""

CONFIGURATION = """home = {home}
include-system-site-packages = false
version = {version}
"""


def main() -> None:
    if os.environ.get("PYTHONHASHSEED") != "0":  # else sets of constants have another order each time
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
    """What `python -m venv` would do; Debian's Python lacks that module."""
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
                        quiet=2,  # templates and examples are no Python
                        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                    )
            os._exit(0)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        sys.exit(f"Cannot compile what is in {layer}: a process of it was ended")


def compile_library(layer: str, library: str) -> None:
    """Puts into the layer what the folder `library` lacks, where Python looks for it."""
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
    if os.lstat(path).st_mtime != TIME:  # touching a file of a lower layer would copy it into this one
        os.utime(path, (TIME, TIME), follow_symlinks=False)


if __name__ == "__main__":
    main()
