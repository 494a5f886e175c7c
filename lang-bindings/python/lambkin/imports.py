"""Finds what a module imports: inside functions too, and codecs that only a name asks for.

The app's own modules are read as syntax trees, which tell where an import may fail. Dependencies are read as bytecode: their trees
would leave megabytes of used memory behind, and so in the snapshot. Only build time needs this module; it runs nothing.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))

# Functions that only a command line or a test run calls.
_TOOLS = frozenset(("main", "_main", "test", "_test"))


class Import(NamedTuple):
    """One import statement's one module."""

    module: str
    names: tuple[str, ...]
    """What a ``from`` import takes from it, each perhaps a submodule."""
    line: int
    lazy: bool
    """Inside a function: runs later, if ever."""
    optional: bool
    """The code copes without it: guarded by ``except ImportError`` or a condition."""


class Found(NamedTuple):
    """What one module needs."""

    imports: list[Import]
    codecs: set[str]
    strptime: bool
    coroutines: bool
    """Whether there is an ``async def``."""
    attributes: set[str]
    """Every name that is taken from something: a package may load what belongs to it only then."""
    texts: frozenset[str] = frozenset()
    """Short texts, of which some may be names of what a library is to load."""


def find(tree: ast.AST, package: str) -> Found:
    """Everything that ``tree``, a module inside ``package`` (empty for the top level), may import."""
    visitor = _Visitor(package)
    visitor.visit(tree)
    return Found(visitor.imports, visitor.codecs, visitor.strptime, visitor.coroutines, visitor.attributes, frozenset(visitor.texts))


def find_lazy(code: CodeType, package: str) -> Found:
    """What the functions of ``code``, a module inside ``package``, may import; what its top level imports has been loaded."""
    found = Found([], set(), strptime=False, coroutines=False, attributes=set())
    for function in _functions(code):
        names = function.co_names
        found.attributes.update(names)
        found.imports.extend(_imports_of(function, package))
        texts = [one for one in function.co_consts if isinstance(one, str) and len(one) < 64]
        if "import_module" in names:
            found.imports.extend(Import(one, (), 0, lazy=True, optional=True) for one in texts if _is_dotted(one))
        if not {"encode", "decode", "lookup", "open"}.isdisjoint(names):
            found.codecs.update(one for one in texts if one.replace("-", "").replace("_", "").isalnum())
    return found._replace(strptime="strptime" in found.attributes)


def _functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and constant.co_name not in _TOOLS:
            yield constant
            yield from _functions(constant)


def _imports_of(code: CodeType, package: str) -> Iterator[Import]:
    if dis.opmap["IMPORT_NAME"] not in code.co_code[::2]:
        return
    level, names = 0, None
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("LOAD_"):
            level, names = names, instruction.argval  # The two that an import takes from the stack.
        elif instruction.opname == "IMPORT_NAME":
            module = absolute(instruction.argval, level if isinstance(level, int) else 0, package)
            if module:
                yield Import(module, tuple(names or ()), 0, lazy=True, optional=True)


def absolute(module: str, level: int, package: str) -> str:
    """The full name of what ``from ..module import`` means inside ``package``."""
    if level == 0:
        return module
    parents = package.split(".")
    base = ".".join(parents[: len(parents) - level + 1])
    return f"{base}.{module}".strip(".") if module else base


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


class _Visitor(ast.NodeVisitor):
    def __init__(self, package: str) -> None:
        self.package = package
        self.imports: list[Import] = []
        self.codecs: set[str] = set()
        self.strptime = False
        self.attributes: set[str] = set()
        self.texts: set[str] = set()
        self.coroutines = False
        self.lazy = False
        self.optional = False

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, (), node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = absolute(node.module or "", node.level, self.package)
        if module and module != "__future__":
            self._add(module, tuple(alias.name for alias in node.names if alias.name != "*"), node.lineno)

    def visit_Try(self, node: ast.Try) -> None:
        copes = any(_catches_import_error(handler.type) for handler in node.handlers)
        self._visit_all(node.body, optional=copes)
        self._visit_all(node.handlers, optional=copes)
        self._visit_all(node.orelse, optional=False)
        self._visit_all(node.finalbody, optional=False)

    def visit_If(self, node: ast.If) -> None:
        if _name(node.test) != "TYPE_CHECKING" and not _is_main(node.test):
            self._visit_all(node.body, optional=True)
        self._visit_all(node.orelse, optional=True)
        self.visit(node.test)

    def visit_With(self, node: ast.With) -> None:
        suppressed = any(isinstance(item.context_expr, ast.Call) and _name(item.context_expr.func) == "suppress" for item in node.items)
        for item in node.items:
            self.visit(item)
        self._visit_all(node.body, optional=suppressed)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.coroutines = True
        self._visit_function(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.attributes.add(node.attr)
        self.strptime = self.strptime or node.attr == "strptime"
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) < 64:
            self.texts.add(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in ("import_module", "__import__") and node.args:
            module = _text(node.args[0])
            if module and not module.startswith("."):
                self.imports.append(Import(module, (), node.lineno, lazy=True, optional=True))
        if name in ("encode", "decode", "lookup", "bytes", "str"):
            self._add_codecs(node.args)
        self._add_codecs([keyword.value for keyword in node.keywords if keyword.arg == "encoding"])
        self.generic_visit(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name in _TOOLS:
            return
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.visit(node.args)
        before = self.lazy
        self.lazy = True
        self._visit_all(node.body, optional=False)
        self.lazy = before

    def _visit_all(self, nodes: list[ast.stmt] | list[ast.ExceptHandler], *, optional: bool) -> None:
        before = self.optional
        self.optional = before or optional
        for node in nodes:
            self.visit(node)
        self.optional = before

    def _add(self, module: str, names: tuple[str, ...], line: int) -> None:
        self.imports.append(Import(module, names, line, self.lazy, self.optional))

    def _add_codecs(self, nodes: list[ast.expr]) -> None:
        self.codecs.update(text for text in map(_text, nodes) if text and len(text) < 32)


def _catches_import_error(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return any(_catches_import_error(one) for one in kind.elts)
    return _name(kind) in _IMPORT_ERRORS


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and _name(test.left) == "__name__"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
