"""Compiles Python files, whose paths it reads from stdin, one per line, to byte code below PYTHONPYCACHEPREFIX.

Runs none of their code. A file that cannot be compiled is skipped, because Python itself will say so.
"""

import py_compile
import sys

sys.pycache_prefix = sys.argv[1]  # -I makes Python ignore its environment variables
for line in sys.stdin:
    try:
        py_compile.compile(line.rstrip("\n"), doraise=True)
    except Exception:
        continue
