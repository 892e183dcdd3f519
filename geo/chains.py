"""People drawn to one more shelter: along every shortest chain of moves that begins there, compiled.

A shelter with room takes in somebody unserved in reach, or somebody who is at another shelter, whose space draws on in
the same way. Dinic's algorithm (levels by breadth first search, then a blocking flow of shortest chains) from that one
shelter; whoever is served stays served. A trial notes what it changes and takes it back.

A group from which a search finds nobody unserved never does later: no chain that serves somebody can pass there, so
nothing changes there either. It is ``done`` and not searched again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.pairs import Pairs

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOT = -1
"""Not met in a search, not noted in a trial, in no group."""


class Flow(NamedTuple):
    """Who is where, and room for a search; ``people``, ``left`` and ``done`` are changed in place.

    Groups are places that reach the same sites: their pairs are ``first[g]:first[g + 1]``.
    """

    first: Ints  # (groups + 1,)
    site: Ints  # (pairs,)
    group: Ints  # (pairs,)
    begin: Ints  # (sites + 1,) where the pairs of a site begin in ``of_site``
    of_site: Ints  # (pairs,)
    people: Ints  # (pairs,) who are there
    left: Ints  # (groups,) the unserved
    done: Mask  # (groups,) nobody unserved is found from here
    level: Ints  # (sites,) moves from the new site
    depth: Ints  # (groups,)
    next_of_site: Ints  # (sites,) the pair to try next
    next_of_group: Ints  # (groups,)
    sites: Ints  # (sites,) met, in order
    groups: Ints  # (groups,) met, in order
    come: Ints  # (sites,) the pairs by which a chain comes to a group …
    go: Ints  # (sites,) … and goes on
    old: Ints  # (pairs,) what a trial changed, NOT: nothing
    changed: Ints  # (pairs,)
    was: Ints  # (groups,) unserved before a trial, NOT: no change
    fell: Ints  # (groups,)
    tally: Ints  # (4,)


SITES, GROUPS, CHANGED, FELL = 0, 1, 2, 3


def alike(pairs: Pairs, row: Ints, queue: Ints) -> tuple[Ints, Ints, Ints]:
    """The group of each place, where the pairs of each group begin, (groups + 1,), and the sites of these, (pairs,).

    Places that reach the same sites are one group, ``NOT`` those that reach none; numbered as they come in ``queue``
    (places,). ``row`` (sites,) is what each site is called in the flow.
    """
    site = row[pairs.site].astype(np.int32)
    site = site[np.lexsort((site, pairs.place))]
    first, reach = pairs.first.tolist(), site.tobytes()
    known, group_of, wide = dict[bytes, int](), np.full(pairs.places, NOT, dtype=np.int64), site.itemsize
    for place in queue.tolist():
        if mine := reach[wide * first[place] : wide * first[place + 1]]:
            group_of[place] = known.setdefault(mine, len(known))
    sizes = [len(mine) // wide for mine in known]
    sites = np.frombuffer(b"".join(known), dtype=np.int32).astype(np.int64)
    return group_of, np.r_[0, np.cumsum(sizes)].astype(np.int64), sites


def flow(first: Ints, site: Ints, left: Ints, sites: int) -> Flow:
    """A flow of nobody: groups with their pairs (``alike``), everybody in ``left`` (groups,) unserved."""
    pairs, groups = len(site), len(left)
    group = np.repeat(np.arange(groups), np.diff(first)).astype(np.int64)
    of_site = np.argsort(site, kind="stable").astype(np.int64)
    begin = np.searchsorted(site[of_site], np.arange(sites + 1)).astype(np.int64)

    def none(n: int) -> Ints:
        return np.full(n, NOT, dtype=np.int64)

    return Flow(
        first, site, group, begin, of_site, np.zeros(pairs, dtype=np.int64), left, np.zeros(groups, dtype=np.bool_),
        none(sites), none(groups), begin[:-1].copy(), first[:-1].copy(), none(sites), none(groups), none(sites),
        none(sites), none(pairs), none(pairs), none(groups), none(groups), np.zeros(4, dtype=np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def place(flow: Flow, group: Ints, site: Ints, people: Ints) -> None:  # pragma: no cover
    """People go where they are already."""
    for row in range(len(group)):
        g = group[row]
        for pair in range(flow.first[g], flow.first[g + 1]):
            if flow.site[pair] == site[row]:
                flow.people[pair] += people[row]
                flow.left[g] -= people[row]


@njit(cache=True, nogil=True)
def drawn(flow: Flow, source: int, room: int, keep: bool) -> int:  # pragma: no cover
    """How many more are served when a site has so much room to spare; nothing is changed unless it is to be kept."""
    total = 0
    while total < room:
        found = _levelled(flow, source)
        if found:
            total += _blocked(flow, source, room - total)
        elif keep or total == 0:
            for i in range(flow.tally[GROUPS]):
                flow.done[flow.groups[i]] = True
        _forget(flow)
        if not found:
            break
    _close(flow, keep)
    return total


@njit(cache=True, nogil=True)
def _levelled(flow: Flow, source: int) -> bool:  # pragma: no cover
    """Whether somebody unserved is found; how many moves it takes to each site and group on the way."""
    _meet(flow, source, 0)
    at, found = 0, NOT
    while at < flow.tally[SITES]:
        site = flow.sites[at]
        level = flow.level[site]
        if found != NOT and level > found:
            break
        for i in range(flow.begin[site], flow.begin[site + 1]):
            g = flow.group[flow.of_site[i]]
            if flow.depth[g] != NOT or flow.done[g]:
                continue
            flow.depth[g] = level
            flow.groups[flow.tally[GROUPS]] = g
            flow.tally[GROUPS] += 1
            if flow.left[g] > 0:
                found = level
            elif found == NOT:
                for pair in range(flow.first[g], flow.first[g + 1]):
                    if flow.people[pair] > 0 and flow.level[flow.site[pair]] == NOT:
                        _meet(flow, flow.site[pair], level + 1)
        at += 1
    return found != NOT


@njit(cache=True, nogil=True)
def _meet(flow: Flow, site: int, level: int) -> None:  # pragma: no cover
    flow.level[site] = level
    flow.sites[flow.tally[SITES]] = site
    flow.tally[SITES] += 1


@njit(cache=True, nogil=True)
def _blocked(flow: Flow, source: int, most: int) -> int:  # pragma: no cover
    """Move people along shortest chains until none is left or ``most`` are served; how many."""
    total, at, site = 0, 0, source
    while total < most:
        if flow.next_of_site[site] == flow.begin[site + 1]:
            if at == 0:
                break
            at -= 1
            flow.next_of_group[flow.group[flow.go[at]]] += 1
            site = source if at == 0 else flow.site[flow.go[at - 1]]
            continue
        pair = flow.of_site[flow.next_of_site[site]]
        g = flow.group[pair]
        flow.come[at] = pair
        if flow.depth[g] == at and flow.left[g] > 0:
            total += _moved(flow, at, min(flow.left[g], most - total))
            at, site = 0, source
        elif flow.depth[g] == at and _onward(flow, g, at):
            flow.go[at] = flow.next_of_group[g]
            site = flow.site[flow.go[at]]
            at += 1
        else:
            flow.next_of_site[site] += 1
    return total


@njit(cache=True, nogil=True)
def _onward(flow: Flow, g: int, at: int) -> bool:  # pragma: no cover
    """Whether somebody of a group is at a site one move farther; turns to the first such."""
    while flow.next_of_group[g] < flow.first[g + 1]:
        pair = flow.next_of_group[g]
        if flow.people[pair] > 0 and flow.level[flow.site[pair]] == at + 1:
            return True
        flow.next_of_group[g] += 1
    return False


@njit(cache=True, nogil=True)
def _moved(flow: Flow, last: int, most: int) -> int:  # pragma: no cover
    """Move as many as can go along the chain noted, at most ``most``."""
    for i in range(last):
        most = min(most, flow.people[flow.go[i]])
    for i in range(last):
        _change(flow, flow.go[i], -most)
        _change(flow, flow.come[i], most)
    _change(flow, flow.come[last], most)
    g = flow.group[flow.come[last]]
    if flow.was[g] == NOT:
        flow.was[g] = flow.left[g]
        flow.fell[flow.tally[FELL]] = g
        flow.tally[FELL] += 1
    flow.left[g] -= most
    return most


@njit(cache=True, nogil=True)
def _change(flow: Flow, pair: int, more: int) -> None:  # pragma: no cover
    if flow.old[pair] == NOT:
        flow.old[pair] = flow.people[pair]
        flow.changed[flow.tally[CHANGED]] = pair
        flow.tally[CHANGED] += 1
    flow.people[pair] += more


@njit(cache=True, nogil=True)
def _forget(flow: Flow) -> None:  # pragma: no cover
    """Nothing is met any more."""
    for i in range(flow.tally[SITES]):
        site = flow.sites[i]
        flow.level[site], flow.next_of_site[site] = NOT, flow.begin[site]
    for i in range(flow.tally[GROUPS]):
        g = flow.groups[i]
        flow.depth[g], flow.next_of_group[g] = NOT, flow.first[g]
    flow.tally[SITES], flow.tally[GROUPS] = 0, 0


@njit(cache=True, nogil=True)
def _close(flow: Flow, keep: bool) -> None:  # pragma: no cover
    """What was changed stays, or is as it was."""
    for i in range(flow.tally[CHANGED]):
        pair = flow.changed[i]
        if not keep:
            flow.people[pair] = flow.old[pair]
        flow.old[pair] = NOT
    for i in range(flow.tally[FELL]):
        g = flow.fell[i]
        if not keep:
            flow.left[g] = flow.was[g]
        flow.was[g] = NOT
    flow.tally[CHANGED], flow.tally[FELL] = 0, 0
