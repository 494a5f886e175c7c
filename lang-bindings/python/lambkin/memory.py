"""Puts the heap in order, as the last thing before the snapshot is taken."""

from __future__ import annotations

import gc
from collections.abc import Iterator

_LARGEST = 24 << 20
"""More than what is free between objects, in bytes. What it adds to the memory stays free for the app to use."""

_LARGE = (1 << 20, 1 << 16, 1 << 14, 1 << 12)

_kept: list[object] = [None] * 8192


def settle() -> None:
    """Overwrites what is free with zeros, which a snapshot does not store, and fills the small gaps for good.

    The allocator would use these gaps first, each on another page, which an instance would have to have of its own. So what
    a call makes lies close together instead, in memory that no snapshot has to bring.
    """
    gc.collect()
    end = id(bytes(_LARGEST))
    large = [block for size in _LARGE for block in _gaps(size, end)]
    count = 0
    for size in range(_LARGE[-1], 1, -16):
        for block in _gaps(size, end):
            if count < len(_kept):
                _kept[count] = block
                count += 1
    # The smallest, which has room for the head of an object and nothing else.
    for place in range(count, len(_kept)):
        smallest = object()
        if id(smallest) >= end:
            break
        _kept[place] = smallest
    del large


def _gaps(size: int, end: int) -> Iterator[bytes]:
    """Zeros in all gaps that have room for so many, as long as the allocator finds one before the end of the heap."""
    while id(block := bytes(size)) < end:
        yield block
