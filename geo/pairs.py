"""Which places reach which sites, and in what time: what an assignment of people to shelters chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.errors import Fault, InputError, refuse

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Every site in reach of every place, sorted by place, then time, then site; a pair occurs once.

    ``place`` (pairs,) row of the place, ``site`` row of the site, ``cost_ms`` milliseconds from door to door. Of
    ``places`` and ``sites`` there may be some that are in no pair: nothing is in reach of them.
    """

    place: Ints
    site: Ints
    cost_ms: Ints
    places: int
    sites: int

    def __post_init__(self) -> None:
        sizes = {len(self.place), len(self.site), len(self.cost_ms)}
        within = [
            not len(rows) or (rows.min() >= 0 and rows.max() < n)
            for rows, n in ((self.place, self.places), (self.site, self.sites))
        ]
        later = (np.diff(self.place) > 0) | ((np.diff(self.place) == 0) & (np.diff(self.cost_ms) >= 0))
        wrong = [] if len(sizes) == 1 and all(within) and later.all() else ["rows that are not so"]
        refuse(InputError, [Fault("pairs sorted by place, then time", found, "places and sites") for found in wrong])

    @classmethod
    def of(cls, place: Ints, site: Ints, cost_ms: Ints, *, places: int, sites: int) -> Pairs:
        """Pairs in any order; of several rows of one pair the quickest counts."""
        order = np.lexsort((cost_ms, site, place))
        first = np.r_[True, (np.diff(place[order]) != 0) | (np.diff(site[order]) != 0)][: len(order)]
        order = order[first]
        order = order[np.lexsort((site[order], cost_ms[order], place[order]))]
        return cls(place[order], site[order], cost_ms[order], places, sites)

    def __len__(self) -> int:
        return len(self.place)

    def __repr__(self) -> str:
        return f"Pairs({len(self)} of {self.places} places with {self.sites} sites)"

    @cached_property
    def first(self) -> Ints:
        """Where the pairs of each place begin, (places + 1,)."""
        return np.searchsorted(self.place, np.arange(self.places + 1)).astype(np.int64)

    def where(self, kept: Mask) -> Pairs:
        """The pairs that are kept (pairs,); places and sites keep their rows."""
        return Pairs(self.place[kept], self.site[kept], self.cost_ms[kept], self.places, self.sites)
