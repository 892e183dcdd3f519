"""The rows of a table by the part they belong to: sums, counts and quantiles of every part at once.

A city has thousands of communities and hundreds of thousands of places; to look up each community's places in turn
takes minutes. Here every measure is one pass over all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.membership import NONE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

EXACT = 1 - 1e-12
"""Leaves a share of a whole number of people what it is, whatever the last digit of its product."""


@dataclass(frozen=True, eq=False)
class Parts:
    """``part`` (rows,) is the part that each row is in, ``NONE`` where it is in none, of ``n`` in all."""

    part: Ints
    n: int

    @classmethod
    def named(cls, labels: pd.Series, names: pd.Series) -> Parts:
        """Rows by the label they carry (rows,), parts by their unique name (parts,); a missing label is none."""
        return cls(np.asarray(pd.Index(names).get_indexer(pd.Index(labels)), dtype=np.int64), len(names))

    @classmethod
    def grouped(cls, keys: pd.DataFrame) -> Parts:
        """Rows by what they have in common: one part for each different row of ``keys``, in their order."""
        groups = keys.groupby(list(keys.columns), sort=True, dropna=False)
        return cls(np.asarray(groups.ngroup().to_numpy(), dtype=np.int64), groups.ngroups)

    @classmethod
    def whole(cls, rows: int) -> Parts:
        """All rows in one part."""
        return cls(np.zeros(rows, dtype=np.int64), 1)

    def counts(self, kept: Mask | None = None) -> Ints:
        """The rows of each part (parts,), or only those that are kept (rows,)."""
        part = self.part if kept is None else self.part[kept]
        return np.asarray(np.bincount(part[part != NONE], minlength=self.n), dtype=np.int64)

    def sums(self, amounts: Ints, kept: Mask | None = None) -> Ints:
        """The sum of whole amounts (rows,) in each part (parts,), or only of the rows that are kept (rows,).

        Exact up to 2^53, nine thousand million million.
        """
        mine = self.part != NONE if kept is None else kept & (self.part != NONE)
        return np.bincount(self.part[mine], amounts[mine], minlength=self.n).astype(np.int64)

    def rows(self) -> list[Ints]:
        """The rows of each part, in their order."""
        order = np.argsort(self.part, kind="stable")
        return np.split(order, np.searchsorted(self.part[order], np.arange(self.n + 1)))[1:-1]

    def quantiles(self, values: Floats, weights: Ints | Floats, share: float) -> Floats:
        """In each part the smallest value that at least ``share`` (0-1) of the weight does not exceed, (parts,).

        ``weights`` (rows,) are whole numbers. NaN values (rows,) are left out; NaN where nothing has weight.
        """
        kept = np.flatnonzero((self.part != NONE) & ~np.isnan(values) & (weights > 0))
        kept = kept[np.lexsort((values[kept], self.part[kept]))]
        part, heaped = self.part[kept], np.cumsum(weights[kept], dtype=np.float64)
        end = np.searchsorted(part, np.arange(self.n), side="right")
        first = np.r_[0, end][:-1].astype(np.int64)
        before, after = np.r_[0.0, heaped][first], np.r_[0.0, heaped][end]
        wanted = share * (after - before) * EXACT
        short = np.bincount(part[heaped - before[part] < wanted[part]], minlength=self.n)
        return np.asarray(np.append(values[kept], np.nan)[np.where(end > first, first + short, len(kept))])

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"Parts({len(self.part)} rows in {self.n} parts, {int((self.part == NONE).sum())} in none)"
