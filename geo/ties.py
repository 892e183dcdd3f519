"""Which of several equally good assignments is taken: always the same one, however it was come by.

Where ways are equally long, many assignments are best alike. At the least prices (``geo.exchange``: they are unique)
the best ones are those in which everybody is at a choice whose cost + price is least, and every site with a price is
full. Among them the one is taken that has the least sum of numbers drawn from place and site: a second assignment, of
those alone who have such a choice. Its people stand in no circle round which they could change places, so that fewer
places than sites are cut into parts. And what is changed and repaired comes to what is worked out from the beginning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo import exchange
from geo.exchange import Town

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BITS = 20
"""Numbers are drawn from so many bits: two of a circle are equal once in a million."""


def settle(town: Town, name: Ints, site_name: Ints) -> None:
    """Take the one of the best assignments of a repaired town, in place.

    ``name`` (groups,) and ``site_name`` (sites + 1,) are numbers that tell groups and sites apart: of their ids, so
    that the order of rows changes nothing.
    """
    rows = _choices(town)
    if not len(rows):
        return
    some, mine = _second(town, rows, _drawn(name[town.group[rows]], site_name[town.site[rows]]))
    exchange.settle(some)
    exchange.repair(some)
    town.people[rows] = some.people[mine]
    town.load[:] = np.bincount(town.site, town.people, minlength=len(town.load)).astype(np.int64)


def _choices(town: Town) -> Ints:
    """The choices that are equally good for a group that has several such, in order."""
    if not len(town.site):
        return np.zeros(0, dtype=np.int64)
    worth = town.cost + town.price[town.site]
    tight = worth == np.minimum.reduceat(worth, town.first[:-1])[town.group]
    several = np.add.reduceat(tight.astype(np.int64), town.first[:-1]) > 1
    return np.flatnonzero(tight & several[town.group])


def _second(town: Town, rows: Ints, drawn: Ints) -> tuple[Town, Ints]:
    """The town of those who have a choice, at ``drawn`` (rows,), and where its choices are that ``rows`` are."""
    last, sites = len(town.price) - 1, len(town.price)
    dear = 1 << (4 * (sites + 1) << BITS).bit_length()
    groups, group = np.unique(town.group[rows], return_inverse=True)
    # Sites with a price stay full: whoever goes elsewhere pays for it.
    cost = drawn + np.where(town.price[town.site[rows]] > 0, 0, dear)
    lacking = np.setdiff1d(np.arange(len(groups)), group[town.site[rows] == last])
    of = np.r_[group, lacking]
    site = np.r_[town.site[rows], np.full(len(lacking), last)]
    order = np.lexsort((np.arange(len(of)), site == last, of))
    people = np.r_[town.people[rows], np.zeros(len(lacking), dtype=np.int64)]
    here = np.bincount(site, people, minlength=sites).astype(np.int64)
    spare = np.where(town.price > 0, here, town.room - (town.load - here))
    first = np.r_[0, np.cumsum(np.bincount(of))].astype(np.int64)
    price, load = (np.zeros(sites, dtype=np.int64) for _ in range(2))
    found = Town(
        first, of[order].astype(np.int32), site[order].astype(np.int32),
        np.r_[cost, np.full(len(lacking), 4 * dear)][order], people[order], price, load, spare,
    )  # fmt: skip
    return found, np.argsort(order)[: len(rows)]


def _drawn(name: Ints, site: Ints) -> Ints:
    """A number of ``BITS`` bits for each group and site, without order (after S. Vigna's splitmix64)."""
    x = name.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + site.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(((x ^ (x >> np.uint64(31))) >> np.uint64(64 - BITS)).astype(np.int64))
