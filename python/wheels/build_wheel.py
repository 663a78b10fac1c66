"""Builds the wheel of a source distribution. Runs in Davit's sandbox, because it runs the code of the package.

Arguments: `inspect` SDIST, or `build` SDIST REQUIREMENTS, a JSON list of the build requirements that are installed.
`null` in its place skips the question whether the package needs more of them.

Prints one line of JSON: {"requires": [...]}, or {"name": "x-1.0-py3-none-any.whl", "wheel": BASE64, "metadata": TEXT}.
"""

import ast
import base64
import importlib
import io
import json
import os
import re
import shutil
import sys
import tarfile
import zipfile

# Of packages without pyproject.toml, which are old: many import pkg_resources, which setuptools 81 removes soon.
LEGACY_REQUIRES = ["setuptools>=40.8.0,<81", "wheel"]
LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
# The first moment that a zip archive can name. Wheels of the same content are then the same bytes.
FIRST_DATE = (1980, 1, 1, 0, 0, 0)


def main():
    mode, archive = sys.argv[1:3]
    sys.path.pop(0)  # the folder of this program, which is not part of the package
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the build prints is its log
    os.umask(0o022)
    folder = unpack(archive, os.path.join(os.environ["TMPDIR"], "davit-build"))
    system = read_build_system(folder)
    os.chdir(folder)
    result = {"requires": system["requires"]}
    if mode == "build":
        result = build(system, json.loads(sys.argv[3]), folder)
    output.write(json.dumps(result) + "\n")
    output.flush()
    os._exit(0)  # threads of the build must not change what was printed


def unpack(archive, folder):
    os.mkdir(folder)
    if archive.endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    else:
        with tarfile.open(archive) as opened:
            if hasattr(tarfile, "data_filter"):
                opened.extractall(folder, filter="data")
            else:
                opened.extractall(folder)
    [name] = os.listdir(folder)
    return os.path.join(folder, name)


def read_build_system(folder):
    """Reads [build-system] of pyproject.toml, as PEP 517 and PEP 518 say."""
    try:
        with open(os.path.join(folder, "pyproject.toml"), encoding="utf-8") as file:
            table = parse_build_system(file.read())
    except FileNotFoundError:
        table = None
    if not table or "requires" not in table:
        return {"requires": LEGACY_REQUIRES, "backend": LEGACY_BACKEND, "paths": []}
    return {
        "requires": table["requires"],
        "backend": table.get("build-backend", LEGACY_BACKEND),
        "paths": table.get("backend-path", []),
    }


def parse_build_system(text):
    try:
        import tomllib

        return tomllib.loads(text).get("build-system")
    except ImportError:  # before Python 3.11
        return parse_simple_table(text)


def parse_simple_table(text):
    """Lists and texts of [build-system], which are written in TOML as in Python."""
    found = re.search(r"^\[build-system\][^\n]*\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        return None
    table = {}
    for key in ("requires", "build-backend", "backend-path"):
        pattern = r"^" + key + r"\s*=\s*(\[.*?\](?=\s*(?:#[^\n]*)?$)|[\"'][^\n]*)"
        value = re.search(pattern, found.group(1), re.MULTILINE | re.DOTALL)
        if value:
            table[key] = ast.literal_eval(value.group(1).strip())
    return table


def build(system, installed, folder):
    for path in reversed(system["paths"]):
        sys.path.insert(0, os.path.join(folder, path))
    name, _, inner = system["backend"].partition(":")
    backend = importlib.import_module(name)
    for part in inner.split(".") if inner else []:
        backend = getattr(backend, part)
    ask = getattr(backend, "get_requires_for_build_wheel", None)
    if installed is not None and ask:
        missing = [line for line in ask(None) if line not in installed]
        if missing:
            return {"requires": missing}
    out = os.path.join(os.environ["TMPDIR"], "davit-wheel")
    os.mkdir(out)
    wheel = backend.build_wheel(out, None)
    content, metadata = settle(os.path.join(out, wheel))
    return {"name": os.path.basename(wheel), "wheel": base64.b64encode(content).decode(), "metadata": metadata}


def settle(file):
    """Writes a wheel again, so that neither times, the order of files nor the compression differ between machines."""
    metadata = ""
    settled = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(settled, "w", zipfile.ZIP_STORED) as new:
        files = [info for info in old.infolist() if not info.is_dir()]
        for info in sorted(files, key=lambda info: (".dist-info/" in info.filename, info.filename)):
            if re.match(r"[^/]*\.dist-info/METADATA$", info.filename):
                metadata = old.read(info).decode("utf-8")
            mode = 0o755 if (info.external_attr >> 16) & 0o100 else 0o644
            entry = zipfile.ZipInfo(info.filename, FIRST_DATE)
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            with old.open(info) as source, new.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
    return settled.getvalue(), metadata


main()
