import ast
import unittest

from lambkin.imports import find, find_lazy


def found(text, package=""):
    return find(ast.parse(text), package)


def modules(text, package=""):
    return [one.module for one in found(text, package).imports]


class Imports(unittest.TestCase):
    def test_sees_every_form(self):
        self.assertEqual(modules("import a, b.c as d\nfrom e import f, g\nfrom h import *"), ["a", "b.c", "e", "h"])
        self.assertEqual(found("from e import f, g").imports[0].names, ("f", "g"))

    def test_resolves_relative_ones(self):
        self.assertEqual(modules("from . import x\nfrom .y import z\nfrom ..up import w", "pkg.sub"), ["pkg.sub", "pkg.sub.y", "pkg.up"])

    def test_marks_lazy_and_optional_ones(self):
        text = """
import top
def f():
    import inner
try:
    import fast
except ImportError:
    import slow
import contextlib
with contextlib.suppress(ImportError):
    import extra
"""
        marks = {one.module: (one.lazy, one.optional) for one in found(text).imports}
        self.assertEqual(marks["top"], (False, False))
        self.assertEqual(marks["inner"], (True, False))
        for name in ("fast", "slow", "extra"):
            self.assertEqual(marks[name], (False, True), name)

    def test_leaves_out_what_never_runs(self):
        self.assertEqual(modules("if TYPE_CHECKING:\n    import types_only\nelse:\n    import real"), ["real"])
        self.assertEqual(modules("if typing.TYPE_CHECKING:\n    import types_only"), [])
        self.assertEqual(modules("if __name__ == '__main__':\n    import argparse"), [])
        self.assertEqual(modules("def main():\n    import argparse"), [])
        self.assertEqual(modules("from __future__ import annotations"), [])

    def test_sees_names_in_calls(self):
        self.assertEqual(modules("importlib.import_module('plugin')"), ["plugin"])
        self.assertEqual(found("x.encode('cp1252'); open(f, encoding='utf-16')").codecs, {"cp1252", "utf-16"})
        self.assertTrue(found("datetime.strptime(x, y)").strptime)
        self.assertEqual(found("a.b(c.d).e").attributes, {"b", "d", "e"})
        self.assertTrue(found("async def f(): ...").coroutines)
        self.assertFalse(found("def f(): ...").coroutines)

    def test_reads_functions_from_bytecode(self):
        text = """
import top
class Shop:
    def open(self):
        import inner.module
        from ..up import one, two
        from . import near
        return [import_module("plugin.late"), "é".encode("cp1252"), datetime.strptime(self.x, "")]
def main():
    import argparse
"""
        lazy = find_lazy(compile(text, "shop.py", "exec"), "pkg.sub")
        modules = [(one.module, one.names) for one in lazy.imports if one.module.isascii() and one.module != "cp1252"]
        self.assertEqual(
            modules, [("inner.module", ()), ("pkg.up", ("one", "two")), ("pkg.sub", ("near",)), ("plugin.late", ())]
        )
        self.assertIn("cp1252", lazy.codecs)
        self.assertTrue(lazy.strptime)


if __name__ == "__main__":
    unittest.main()
