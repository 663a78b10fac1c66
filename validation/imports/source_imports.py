"""The import statements of one Python file, and when each of them runs. The file is parsed and never executed."""

import ast
import builtins
import re

#: `load`: when the file is imported. `call`: perhaps, or later. Imports whose failure the file handles are left out.
LOAD, CALL = "load", "call"
#: Exceptions that do not catch a failed import. A handler with any other expression may catch one.
UNRELATED = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException) and not issubclass(ImportError, value)
} - {"ImportError", "ModuleNotFoundError"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
TRIES = tuple(getattr(ast, name) for name in ("Try", "TryStar") if hasattr(ast, name))
#: Names in a test that ask what is there: a version, a platform, a setting, or whether a module can be found.
QUESTIONS = {"sys", "platform", "os", "find_spec", "importlib", "util", "six", "__name__", "environ", "PY2", "PY3"}
#: Managers that never suppress an exception. Any other may, such as optuna's `try_import()`.
TRANSPARENT = {"open", "catch_warnings"}
#: What can make modules importable that the lock does not name, or runs code that this scan does not read. Words of
#: comments may match too; `modules()` is a method of PyTorch, and `nn.modules` its package.
PATH_CHANGES = re.compile(
    r"sys\s{0,9}\.\s{0,9}path\b|\bsys\s{1,9}as\b|from\s{1,9}sys\s{1,9}import|\b(?:meta_path|path_hooks|addsitedir)\b"
    r"|(?<!\bnn)\.\s{0,9}modules\b(?!\s{0,9}\()"
    r"|(?:\bgetattr\s{0,9}\([^()\n]{0,80}|(?:\bvars\s{0,9}\([^()\n]{0,80}\)|__dict__)\s{0,9}\[)[\"'](?:modules|path)[\"']"
    r"|\.\s{0,9}path\s{0,9}\.\s{0,9}(?:append|insert|extend)\b"
    r"|\bpip\b|\bpyximport\b|\brunpy\b|\bzipimport\b|\bworking_set\b|__import__|import_module|module_from_spec"
    r"|\b(?:exec|load)_module\b|\bload_source\b|FileLoader\b|\bexec\s{0,9}\(|(?<![\w.])eval\s{0,9}\("
)


class Import:
    """`import a.b` has the module `a.b`; `from ..a import b` has the level 2, the module `a` and the names `b`."""

    __slots__ = ("column", "level", "line", "module", "names", "when")

    def __init__(self, module, names, level, place, when):
        self.module, self.names, self.level, self.when = module, names, level, when
        self.line, self.column = place.lineno, place.col_offset + 1


def parse_imports(source):
    """Returns the imports, and whether the file may change where Python looks for modules. Raises for a file that
    Python cannot parse."""
    imports, todo = [], [(node, LOAD) for node in reversed(ast.parse(source).body)]
    while todo:
        node, when = todo.pop()
        if isinstance(node, ast.Import):
            imports += [Import(alias.name, (), 0, node, when) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            imports.append(Import(node.module or "", names, node.level or 0, node, when))
        else:
            todo += reversed(list(list_statements(node, when)))
    return imports, PATH_CHANGES.search(source.decode("latin-1")) is not None


def list_statements(node, when):
    """The statements directly inside of one, each with when it runs."""
    if isinstance(node, FUNCTIONS):
        return mark(node.body, CALL)
    if isinstance(node, ast.If):
        return list_branches(node, when)
    if isinstance(node, TRIES):
        return list_attempts(node, when)
    if isinstance(node, LOOPS):
        return mark([*node.body, *node.orelse], CALL)
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return list_managed(node, when)
    if isinstance(node, ast.ClassDef):
        return mark(node.body, when)
    cases = getattr(node, "cases", ())  # of a match statement
    return mark([statement for case in cases for statement in case.body], CALL)


def mark(statements, when):
    return [(statement, when) for statement in statements]


def list_branches(node, when):
    names = list_names(node.test)
    if isinstance(node.test, ast.Constant):
        return mark(node.body if node.test.value else node.orelse, when)
    if "TYPE_CHECKING" in names:
        is_plain = not isinstance(node.test, (ast.UnaryOp, ast.BoolOp))
        return mark(node.orelse, when if is_plain else CALL)
    if names & QUESTIONS:
        return ()
    return mark([*node.body, *node.orelse], CALL)


def list_attempts(node, when):
    if any(catches_imports(handler.type) for handler in node.handlers):
        return [*mark(node.orelse, CALL), *mark(node.finalbody, when)]
    handled = [statement for handler in node.handlers for statement in handler.body]
    return [*mark([*node.body, *node.orelse, *node.finalbody], when), *mark(handled, CALL)]


def catches_imports(kind):
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return not all(isinstance(each, ast.Name) and each.id in UNRELATED for each in kinds)


def list_managed(node, when):
    managers = [item.context_expr for item in node.items]
    if any(suppresses(manager) for manager in managers):
        return ()
    return mark(node.body, when if all(is_transparent(manager) for manager in managers) else CALL)


def is_transparent(expression):
    function = expression.func if isinstance(expression, ast.Call) else None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return (function.value.id, function.attr) == ("warnings", "catch_warnings")
    return isinstance(function, ast.Name) and function.id in TRANSPARENT


def suppresses(expression):
    return isinstance(expression, ast.Call) and "suppress" in list_names(expression.func)


def list_names(expression):
    """Every name and attribute in an expression."""
    nodes = list(ast.walk(expression))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
