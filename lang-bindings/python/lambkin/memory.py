"""Puts the heap in order, as the last thing before the snapshot is taken."""

from __future__ import annotations

import gc
from collections.abc import Iterator

_LARGEST = 24 << 20
"""More than what is free between objects, in bytes. What it adds to the memory stays free for the app to use."""

_LARGE, _SMALL = 1 << 20, 1 << 16
"""Gaps of so many bytes are left free, and smaller ones are filled."""

_SMALLEST = 8192
"""So many gaps at most have room for the head of an object and nothing else."""

_kept: list[object] = []


def settle() -> None:
    """Overwrites what is free with zeros, which a snapshot does not store, and fills the small gaps for good.

    The allocator would use these gaps first, each on another page, which an instance would have to have of its own. So what
    a call makes lies close together instead, in memory that no snapshot has to bring.
    """
    gc.collect()
    end = id(bytes(_LARGEST))
    large = [block for size in (_LARGE, _SMALL) for block in _gaps(size, end)]
    _kept.extend(block for size in range(_SMALL, 1, -16) for block in _gaps(size, end))
    # Objects of eight bytes come last: the smallest gap has room for no other.
    smallest = [object() for _ in range(_SMALLEST)]
    _kept.extend(one for one in smallest if id(one) < end)
    # wasi-libc's allocator goes on where it has last cut something small off. That is the largest gap now, or the end.
    del large[:1]
    _kept.append(bytes(2))
    del large


def _gaps(size: int, end: int) -> Iterator[bytes]:
    """Zeros in all gaps that have room for so many, as long as the allocator finds one before the end of the heap."""
    while id(block := bytes(size)) < end:
        yield block
