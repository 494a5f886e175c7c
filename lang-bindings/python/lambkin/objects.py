"""The objects that the snapshot ends up with, for ``lambkin build``, which makes them immortal.

CPython counts references inside objects, so that a call writes to each object that it only looks at, and a page that is
written is a page that an instance has of its own. Nobody counts an immortal object
(https://peps.python.org/pep-0683/): its page stays shared with all instances.

Objects are not asked here: what stands for another one, made when it is needed, would make it.
"""

from __future__ import annotations

import array
import gc
import weakref
from types import CodeType

_OF_CODE = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable")
"""What a code object refers to. The collector does not know them: none can be part of a cycle."""


def note(path: str) -> None:
    """Writes the addresses of all that can be reached, and of its types, in pairs of 32-bit numbers."""
    gc.collect()
    found: dict[int, int] = {}
    left = gc.get_objects()
    own = {id(found), id(left)}
    while left:
        one = left.pop()
        if id(one) not in found and id(one) not in own:
            found[id(one)] = id(type(one)) if _may_stay(one) else 0
            left.extend(gc.get_referents(one))
            if type(one) is CodeType:
                left.extend(getattr(one, member) for member in _OF_CODE)
    pairs = (number for address, kind in found.items() if kind for number in (address, kind))
    with open(path, "wb") as file:
        array.array("I", pairs).tofile(file)


def _may_stay(one: object) -> bool:
    """Whether nobody can tell that it is never freed: it has no finalizer, and nobody waits for its end."""
    kind = type(one)
    if issubclass(kind, type):
        return True
    return not weakref.getweakrefcount(one) and not any("__del__" in _members(base) for base in _lineage(kind))


def _lineage(kind: type) -> tuple[type, ...]:
    return type.__getattribute__(kind, "__mro__")


def _members(kind: type) -> dict[str, object]:
    return type.__getattribute__(kind, "__dict__")
