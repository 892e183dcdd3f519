"""Rows of different lengths as two flat arrays, so that thousands of them are put together without a loop."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ragged:
    """Row ``i`` is ``flat[start[i] : start[i + 1]]``; ``start`` has one entry more than there are rows."""

    flat: NDArray[Any]
    start: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    def __repr__(self) -> str:
        return f"Ragged({len(self)} rows, {len(self.flat)} of {self.flat.dtype})"

    @classmethod
    def of(cls, flat: NDArray[Any], count: NDArray[Any]) -> Ragged:
        """Rows of ``count`` (n,) entries each, one after another in ``flat``."""
        return cls(flat, starts(count))

    @property
    def count(self) -> Ints:
        """Entries of each row (n,)."""
        return np.diff(self.start)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes."""
        return held(self.flat) + held(self.start)

    def take(self, rows: NDArray[Any]) -> Ragged:
        """The given rows in the given order."""
        count = self.start[rows + 1] - self.start[rows]
        return Ragged.of(self.flat[_spread(self.start[rows], count)], count)

    def kept(self, which: NDArray[np.bool_]) -> Ragged:
        """The same rows with only the entries for which ``which`` (one for each entry) is true."""
        before = np.concatenate(([0], np.cumsum(which)))
        return Ragged(self.flat[which], before[self.start])

    def summed(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum of each row of ``values``, which has one for each entry; 0 for a row without any."""
        before = np.concatenate(([0], np.cumsum(values)))
        return np.asarray(before[self.start[1:]] - before[self.start[:-1]])

    def owner(self) -> Ints:
        """The row of each entry."""
        return np.repeat(np.arange(len(self)), self.count)


def held(array: NDArray[Any]) -> int:
    """Memory of an array, bytes; none for one that is mapped from a file."""
    return 0 if isinstance(array.base, np.memmap | mmap.mmap) else int(array.nbytes)


def starts(count: NDArray[Any]) -> Ints:
    """Where rows of ``count`` entries start, and where the last one ends."""
    start = np.zeros(len(count) + 1, dtype=np.int64)
    np.cumsum(count, out=start[1:])
    return start


def _spread(first: Ints, count: Ints) -> Ints:
    """``first[i], first[i] + 1, …``, ``count[i]`` of them, for each i."""
    start = starts(count)
    return np.arange(start[-1]) + np.repeat(first - start[:-1], count)


def joined(parts: Sequence[Ragged]) -> Ragged:
    """Row by row what the parts have, one after another; all parts have equally many rows."""
    counts = np.array([part.count for part in parts])
    total = starts(counts.sum(axis=0))
    flat = np.empty(total[-1], dtype=np.result_type(*(part.flat for part in parts)))
    first = total[:-1].copy()
    for part, count in zip(parts, counts, strict=True):
        flat[_spread(first, count)] = part.flat
        first += count
    return Ragged(flat, total)


def stacked(parts: Sequence[Ragged]) -> Ragged:
    """The rows of the parts, one part after another."""
    flat = np.concatenate([part.flat for part in parts])
    return Ragged.of(flat, np.concatenate([part.count for part in parts]))


def column(values: NDArray[Any]) -> Ragged:
    """Rows of equally many entries: those of an array (n, k); of an array (n,), one each."""
    wide = values.shape[1] if values.ndim > 1 else 1
    return Ragged(values.ravel(), np.arange(len(values) + 1, dtype=np.int64) * wide)
