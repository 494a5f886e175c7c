"""What happens inside CPython while a component is built, before its snapshot is taken.

A component has no files: a module that is not loaded by now can never be. So this loads everything that the app can reach,
then the app itself, and leaves a report for ``lambkin build``. Nothing here stays in use at run time.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import json
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from . import executors, imports, libraries, log, memory, objects, sockets
from .imports import Found, Import
from .snapshot import App, Modules, Reads

_ENTRY, _ROOT, _DEPENDENCIES = "/0", "/1/files", "/2/packages"
"""Where `lambkin build` has its own folder, the app's sources and their dependencies. CPython is started with the folders
above them, which look alike for every app."""

_NEVER = frozenset(
    "antigravity argparse code concurrent.futures.process doctest ensurepip getopt idlelib lib2to3 multiprocessing pdb "
    "pip profile pstats pydoc setuptools test this timeit tkinter trace turtle unittest venv webbrowser werkzeug.debug "
    "werkzeug.serving".split()
)
"""Modules that only tools need: not loaded because a library's function might."""

_CODECS = ("ascii", "latin_1", "utf_8_sig", "idna")
"""Codecs that CPython's own network and text modules look up by name."""


_COMPUTED = {
    "anyio": ("anyio._backends._asyncio",),
    "boto3.session": ("boto3.s3.inject", "boto3.dynamodb.transform", "boto3.ec2.createtags", "boto3.ec2.deletetags"),
}
"""Modules that a package asks for by a name it puts together."""


class BuildError(Exception):
    """The app cannot be built, for a reason that concerns its author."""


def prepare(kind: str) -> App:
    """Loads the app that ``settings.json`` names and reports to ``report.json``, both in the entry folder."""
    network = _load_common(kind)
    with open(f"{_ENTRY}/settings.json", encoding="utf-8") as file:
        settings = json.load(file) | {"kind": kind}
    stdout, stderr = sys.stdout, sys.stderr
    try:
        with open(f"{_ENTRY}/output.txt", "w", encoding="utf-8") as output:
            sys.stdout = sys.stderr = output
            app, report = _load(settings, network)
    except BaseException as error:
        _write_report(_explain(error, settings))
        raise
    finally:
        sys.stdout, sys.stderr = stdout, stderr
    _write_report(report)
    sys.stdout.reconfigure(line_buffering=True, write_through=False)  # type: ignore[union-attr]
    return app


def finish(kind: str) -> None:
    """Comes last, when all that the snapshot is to have has been made."""
    if kind == "function":
        from . import rehearsal

        rehearsal.rehearse()
    objects.note(f"{_ENTRY}/objects.bin")
    memory.settle()


def _load_common(kind: str) -> sockets.AtBuild:
    """Loads what every app needs, before anything is done that differs from app to app.

    An object more or less moves all that come after it, and with them every pointer: what is laid out here is the same
    bytes in all apps, which the store keeps, and a host fetches, once.
    """
    sys.dont_write_bytecode = True
    # Set for CPython's own start, by `lambkin build`.
    os.environ.pop("PYTHONHASHSEED", None)
    network = sockets.prepare()
    for codec in _CODECS:
        _try_import(f"encodings.{codec}")
    # It loads `socket`, which was not to be there before.
    from . import tls

    tls.prepare()
    _try_import("lambkin.outbound")
    if kind == "http":
        _try_import("lambkin.wsgi")
    gc.collect()
    return network


def _load(settings: dict[str, Any], network: sockets.AtBuild) -> tuple[App, dict[str, Any]]:
    sys.path[:] = [{"/1": _ROOT, "/2": _DEPENDENCIES}.get(path, path) for path in sys.path]
    sources = Sources()
    sources.add_handler(settings["module"])
    _load_dependencies(sources)
    log.prepare()
    app = App(sources.modules, settings["module"], settings["attribute"])
    app.sources = sources.lines
    sys.meta_path.insert(0, sources.modules)  # type: ignore[arg-type]
    reads = Reads(set(sources.lines))
    problem = _run(app, reads, network)
    app.reads = reads if problem or not _is_constant(reads) else None
    if problem is None:
        _load_rest(sources)
        _check_handler(app.loaded, settings)
    app.after_load = _settle
    _settle()
    _load_adapters(settings["kind"])
    from . import outbound

    sockets.connect(outbound)
    for path, lines in sources.lines.items():
        linecache.cache[path] = (sum(map(len, lines)), None, lines, path)
    return app, {"files": sorted(sources.lines), "again": _why_again(reads, problem), "modules": sorted(sys.modules)}


def _run(app: App, reads: Reads, network: sockets.AtBuild) -> BaseException | None:
    """Runs the app's modules. One that wants what is not there yet, environment or network, may fail: it runs again in its place."""
    try:
        with reads:
            app.loaded = app.load()
    except Exception as error:
        if not (reads.missing() or network.asked) or isinstance(error, (ImportError, SyntaxError)):
            raise
        app.modules.forget()
        return error
    finally:
        if network.asked:
            reads.moment = "network"
    return None


def _is_constant(reads: Reads) -> bool:
    return not reads.environment and not reads.everything and reads.moment is None


def _why_again(reads: Reads, problem: BaseException | None) -> str | None:
    if problem is not None:
        return f"{type(problem).__name__}: {problem}"
    return reads.moment or ("environment" if reads.everything else None)


def _settle() -> None:
    """Adapts what is loaded to a component: the root logger, event loops, thread pools."""
    log.prepare()
    if "asyncio" in sys.modules:
        from . import event_loop

        event_loop.prepare()
    executors.prepare()


def _load_adapters(kind: str) -> None:
    """Loads what the adapter itself imports late, as far as the app can need it."""
    if kind == "http" and "asyncio" in sys.modules:
        _try_import("lambkin.asgi")


class Sources:
    """The app's own modules that its handler can reach."""

    def __init__(self) -> None:
        self.modules = Modules(_ROOT)
        self.lines: dict[str, list[str]] = {}
        self.found: dict[str, Found] = {}

    def add_handler(self, module: str) -> None:
        """Adds the handler's module and all that it reaches."""
        top = module.partition(".")[0]
        if top in sys.modules:
            raise BuildError(f"{top} is the name of a module that Python itself has loaded: give the app's own another name")
        if not self._add(module):
            raise BuildError(f"there is no module {module}: looked for {module.replace('.', '/')}.py")

    def outside(self) -> Iterator[tuple[str, Import]]:
        """What the app imports from elsewhere, with the file that does."""
        for path, found in self.found.items():
            for wanted in found.imports:
                if wanted.module not in self.modules.codes:
                    yield path, wanted

    def _add(self, name: str) -> bool:
        if name in self.modules.codes:
            return True
        parent = name.rpartition(".")[0]
        if (parent and not self._add(parent)) or (not parent and name in sys.modules):
            return False
        base = name.replace(".", "/")
        for path, package in ((f"{base}/__init__.py", True), (f"{base}.py", False)):
            if os.path.isfile(f"{_ROOT}/{path}"):
                self._read(name, path, package=package)
                return True
        if os.path.isdir(f"{_ROOT}/{base}"):
            self.modules.add(name, None, base, package=True)
            return True
        return False

    def _read(self, name: str, path: str, *, package: bool) -> None:
        with open(f"{_ROOT}/{path}", "rb") as file:
            text = file.read()
        tree = ast.parse(text, path)
        self.modules.add(name, compile(tree, path, "exec", dont_inherit=True), path, package=package)
        self.lines[path] = importlib.util.decode_source(text).splitlines(keepends=True)
        found = imports.find(tree, name if package else name.rpartition(".")[0])
        self.found[path] = found
        for wanted in found.imports:
            if self._add(wanted.module):
                for one in wanted.names:
                    self._add(f"{wanted.module}.{one}")


def _load_dependencies(sources: Sources) -> None:
    """Loads what the app's modules import from elsewhere, and what those reach."""
    if any(found.coroutines for found in sources.found.values()):
        _try_import("asyncio")
    reach = Reach()
    for path, wanted in sources.outside():
        _load_one(path, wanted)
        reach.follow_standard(wanted)
    for found in sources.found.values():
        reach.note(found)
    reach.follow_all()
    libraries.prepare({text for found in sources.found.values() for text in found.texts})


def _load_one(path: str, wanted: Import) -> None:
    try:
        module = importlib.import_module(wanted.module)
    except ImportError as error:
        if wanted.optional:
            return
        missing = isinstance(error, ModuleNotFoundError) and error.name is not None
        if missing and (wanted.module == error.name or wanted.module.startswith(f"{error.name}.")):
            raise BuildError(f"{path}:{wanted.line}: there is no module {wanted.module}") from error
        raise BuildError(f"{path}:{wanted.line}: {wanted.module} cannot be imported: {error}") from error
    except Exception as error:
        if wanted.optional or wanted.lazy:
            return
        raise BuildError(f"{path}:{wanted.line}: {wanted.module} cannot be imported: {type(error).__name__}: {error}") from error
    for name in wanted.names:
        if not hasattr(module, name):
            _try_import(f"{wanted.module}.{name}")


def _load_rest(sources: Sources) -> None:
    """Loads the app's modules that only its functions import."""
    for path, found in sources.found.items():
        for wanted in found.imports:
            if wanted.lazy and wanted.module in sources.modules.codes:
                _load_one(path, wanted)


class Reach:
    """Follows the imports inside the functions of dependencies, and one step into the standard library."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._attributes: set[str] = set()

    def follow_all(self) -> None:
        """Until nothing new is loaded."""
        while fresh := [name for name in list(sys.modules) if name not in self._seen]:
            self._seen.update(fresh)
            for name in fresh:
                for computed in _COMPUTED.get(name, ()):
                    _try_import(computed)
                if file := _dependency_file(name):
                    self._follow(name, file)
            for name in list(sys.modules):
                if _dependency_file(name):
                    self._take_lazy_members(sys.modules[name])

    def follow_standard(self, wanted: Import) -> None:
        """What the functions of a standard module import, for a module that the app names itself."""
        module = sys.modules.get(wanted.module)
        file = getattr(module, "__file__", None) or ""
        if wanted.module not in self._seen and file.startswith("/python"):
            self._seen.add(wanted.module)
            self._follow(wanted.module, file)

    def note(self, found: Found) -> None:
        """Loads what is reached by name only: codecs, and the parser behind ``strptime``."""
        self._attributes |= found.attributes
        for codec in found.codecs:
            _load_codec(codec)
        if found.strptime:
            _try_import("_strptime")

    def _take_lazy_members(self, module: Any) -> None:
        """Has a package with a ``__getattr__`` of its own (PEP 562) load the members that somebody names."""
        present = vars(module)
        if "__getattr__" in present:
            offered = {*dir(module), *present.get("__all__", ())}
            for name in sorted((offered & self._attributes) - present.keys()):
                _has(module, name)

    def _follow(self, name: str, file: str) -> None:
        module = sys.modules[name]
        package = name if hasattr(module, "__path__") else name.rpartition(".")[0]
        try:
            with open(file, "rb") as source:
                code = compile(source.read(), file, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError):
            return
        found = imports.find_lazy(code, package)
        self.note(found)
        for wanted in found.imports:
            top = wanted.module.partition(".")[0]
            if not {top, wanted.module} & _NEVER:
                _load_lazily(wanted)


def _dependency_file(name: str) -> str | None:
    """The file of a loaded module that is one of the dependencies."""
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return file if file.startswith(_DEPENDENCIES) else None


def _load_lazily(wanted: Import) -> None:
    _try_import(wanted.module)
    loaded = sys.modules.get(wanted.module)
    for one in wanted.names:
        name = f"{wanted.module}.{one}"
        if loaded is not None and name not in _NEVER and not _has(loaded, one):
            _try_import(name)


def _has(module: Any, name: str) -> bool:
    """Whether the module has the name; a lazy package's ``__getattr__`` may load it, or fail in its own way."""
    try:
        return hasattr(module, name)
    except Exception:
        return False


def _try_import(name: str) -> None:
    """Imports what an app may need later; what cannot be imported here could not be then."""
    try:
        importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return


def _load_codec(name: str) -> None:
    try:
        "".encode(name)
        importlib.import_module("codecs").lookup(name)
    except Exception:
        return


def _check_handler(handler: Any, settings: dict[str, Any]) -> None:
    if not callable(handler):
        raise BuildError(f"{settings['module']}.{settings['attribute']} is not callable: it is a {type(handler).__name__}")
    if settings["kind"] == "http":
        from . import web

        web.gateway(handler)


def _explain(error: BaseException, settings: dict[str, Any]) -> dict[str, Any]:
    """The failure for `lambkin build`: what Python printed, a line that sums it up, and the modules that were missing."""
    if isinstance(error, SyntaxError):
        output = "".join(traceback.format_exception_only(error))
        summary = f"{error.filename}:{error.lineno}: {error.msg}"
    elif isinstance(error, BuildError):
        cause = error.__cause__
        own = isinstance(cause, ModuleNotFoundError) or cause is None
        output = "" if own else _trace(cause)
        summary = str(error)
    elif isinstance(error, AttributeError) and getattr(error, "name", None) in settings["attribute"].split("."):
        output = ""
        summary = f"{settings['module']} has no {settings['attribute']}: say in `handler` which object answers"
    else:
        frames = _frames(error)
        output = _trace(error)
        place = f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""
        summary = f"{place}{type(error).__name__} while {settings['module']} was imported: {error}"
    return {"error": {"output": output, "summary": summary, "missing": _missing(error)}}


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The stack without the adapter's own frames and the import system's."""
    machinery = (f"{_ENTRY}/lambkin/", "/python/importlib/", "<frozen importlib")
    return [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(machinery)]


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_list(_frames(error)) + traceback.format_exception_only(error))


def _missing(error: BaseException | None) -> list[str]:
    """The modules that an error and its causes name."""
    names = []
    while error is not None:
        if isinstance(error, ImportError) and error.name:
            names.append(error.name)
        error = error.__cause__ or error.__context__
    return names


def _write_report(report: dict[str, Any]) -> None:
    with open(f"{_ENTRY}/report.json", "w", encoding="utf-8") as file:
        json.dump(report, file)
