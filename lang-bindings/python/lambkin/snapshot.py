"""Keeps a snapshot honest: what an app read at build time must not decide what it does at run time.

A component is a snapshot taken after the app's modules ran. :class:`Reads` records what they read from the environment,
the clock and the source of randomness meanwhile; if that would differ now, :class:`App` runs the app's own modules
again, as Lambda does at a cold start. Dependencies are never run again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import CodeType, FrameType, ModuleType
from typing import Any

_CLOCKS = frozenset(("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "now", "utcnow", "today"))


class Modules:
    """The app's own modules, kept as code: an importer that needs no files."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.codes: dict[str, CodeType | None] = {}
        self.paths: dict[str, str] = {}
        self.packages: set[str] = set()

    def add(self, name: str, code: CodeType | None, path: str, *, package: bool) -> None:
        """Adds a module; ``code`` is None for a folder without ``__init__.py``."""
        self.codes[name] = code
        self.paths[name] = path
        if package:
            self.packages.add(name)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self.codes:
            return None
        file = f"{self.root}/{self.paths[name]}"
        spec = ModuleSpec(name, self, origin=file, is_package=name in self.packages)
        if name in self.packages:
            spec.submodule_search_locations = [os.path.dirname(file) if self.codes[name] else file]
        spec.has_location = self.codes[name] is not None
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        code = self.codes[module.__name__]
        if code is not None:
            exec(code, module.__dict__)

    def is_package(self, name: str) -> bool:
        return name in self.packages

    def get_code(self, name: str) -> CodeType | None:
        return self.codes[name]

    def get_source(self, name: str) -> None:
        return None

    def forget(self) -> None:
        """Drops the loaded modules, so that the next import runs them afresh."""
        for name in self.codes:
            sys.modules.pop(name, None)


class Reads:
    """What the app's modules read while they ran: names of the environment, the clock, randomness."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.environment: dict[str, str | None] = {}
        self.everything = False
        self.moment: str | None = None
        mapping = type(os.environ)
        self._getitem = mapping.__getitem__.__code__
        self._whole = {mapping.__iter__.__code__, mapping.__len__.__code__, mapping.copy.__code__}

    def __enter__(self) -> Reads:
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            if frame.f_code is self._getitem:
                name = frame.f_locals["key"]
                if isinstance(name, str):
                    self.environment[name] = _value(name)
            elif frame.f_code in self._whole:
                self.everything = True
        elif event == "c_call" and self.moment is None:
            self._see_builtin(frame, argument)

    def _see_builtin(self, frame: FrameType, function: Any) -> None:
        name = getattr(function, "__name__", "")
        owner = getattr(function, "__self__", None)
        if name in ("urandom", "getrandom") or _is_random(owner):
            self.moment = "random"
        elif name in _CLOCKS and frame.f_code.co_filename in self.files and _is_clock(owner):
            self.moment = "clock"

    def missing(self) -> list[str]:
        """The names that were asked for and not set."""
        return sorted(name for name, value in self.environment.items() if value is None)

    def still_hold(self) -> bool:
        """Whether running the modules now would read what they read then."""
        if self.moment is not None or self.everything:
            return False
        return all(_value(name) == value for name, value in self.environment.items())


class App:
    """The app's handler, from the snapshot where that is sound, else from modules that run now."""

    def __init__(self, modules: Modules, module: str, attribute: str) -> None:
        self.modules = modules
        self.module = module
        self.attribute = attribute
        self.sources: dict[str, list[str]] = {}
        self.reads: Reads | None = None
        self.loaded: Any = None
        self.after_load: Callable[[], None] = _nothing

    def load(self) -> Any:
        """Imports the handler's module and takes the handler from it."""
        __import__(self.module)
        found: Any = sys.modules[self.module]
        for name in self.attribute.split("."):
            found = getattr(found, name)
        return found

    def handler(self) -> Any:
        """The handler to call in this instance."""
        if self.reads is not None:
            if self.loaded is None or not self.reads.still_hold():
                self.modules.forget()
                self.loaded = self.load()
                self.after_load()
            self.reads = None
        return self.loaded


def is_being_taken() -> bool:
    """Whether the app's modules run at build time: while they do, and only then, they are watched."""
    return sys.getprofile() is not None


def _value(name: str) -> str | None:
    """The environment's value without passing through what :class:`Reads` watches."""
    data = os.environ._data  # type: ignore[attr-defined]
    value = data.get(os.environ.encodekey(name))  # type: ignore[attr-defined]
    return None if value is None else os.environ.decodevalue(value)  # type: ignore[attr-defined]


def _is_random(owner: Any) -> bool:
    random = sys.modules.get("_random")
    return random is not None and isinstance(owner, random.Random)


def _is_clock(owner: Any) -> bool:
    if isinstance(owner, ModuleType):
        return owner.__name__ == "time"
    datetime = sys.modules.get("datetime")
    return datetime is not None and isinstance(owner, type) and issubclass(owner, datetime.date)


def _nothing() -> None:
    pass
