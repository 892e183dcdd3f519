"""The kernel of ``assignment``: groups of people at sites with room, moved along the shortest chains, compiled.

There are few sites and many groups, so the search runs over sites only. An arc a -> b stands for everybody at a who
could go to b as well; its cost is the least that one of them would lose, ``cost(b) - cost(a)``. With a price on every
site, everybody stays at a choice whose cost + price is least; then no arc has a negative reduced cost
``cost(b) - cost(a) + price(b) - price(a)``, and Dijkstra finds the shortest chain of moves from any site to any other
(successive shortest paths with potentials: Edmonds and Karp, doi:10.1145/321694.321699).

- ``overfull``: a site with more people than room sends some along the shortest chain to a site with room to spare;
  all prices nearer than that rise, so that the chain costs nothing.
- ``underfull``: a site with room to spare and a price draws people along the shortest chain from whoever is willing
  first: a site whose price falls to nothing on the way, or the unserved; prices nearer than that fall.

Neither undoes what the other needs, both move at least one person a step, and they may start from any prices: an
assignment after a change is repaired from the one before. At the end ``lowest`` brings prices down as far as they go;
these least prices are unique, and each is what one more space at its site would save. To be unserved is the choice of
a last site, with room for all and no price.

Where many people are out of place, moving them one group after the other would take long: the prices are first found
for one group of four, and for these again, down to a few hundred. Everybody then settles at those prices and little is
left to do. Measured with 100,000 places, 300 sites, 13 in reach of each, room for 60 and 95 % of the people: 7.4 and
6.6 s of one core without, 0.5 and 0.6 s with it.

The least arc costs are kept in pairing heaps, one for each two sites that share a group; entries of people who left are
taken out when they come to the top. Entries live in one pool; when it is used up, ``repair`` stops between two steps
and goes on with heaps made anew. Everything is whole numbers; of equal entries the earlier choice goes first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.buckets import NEVER, NOTHING

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]

NODE = np.dtype([("key", "i8"), ("src", "i4"), ("dst", "i4"), ("child", "i4"), ("after", "i4")])
"""An entry of a heap: what the move costs, the choices it leaves and takes, and its neighbours in the heap."""
EVERY = 4
"""A town is first solved for one group of so many."""
FEW, MANY = 200, 100
"""Not a town of so few groups, nor one with so few out of place."""
SPARE = 1.0
"""The pool has room for this share of its first entries beside them."""
NONE = 0
"""No entry: the pool's first is never used."""
FREE, USED, LEFT = 0, 1, 2
"""What ``Heaps.tally`` holds: the first freed entry, how many were ever used, how many more can be."""


class Town(NamedTuple):
    """Who could go where, who is where; people, price and load are changed in place.

    Choices of group ``g`` are ``first[g]:first[g + 1]``, the last of them to be unserved: at the last site.
    """

    first: Ints  # (groups + 1,)
    group: Int32s  # (choices,)
    site: Int32s  # (choices,)
    cost: Ints  # (choices,) milliseconds, or the penalty
    people: Ints  # (choices,) who took it
    price: Ints  # (sites + 1,) milliseconds
    load: Ints  # (sites + 1,) people there
    room: Ints  # (sites + 1,) people


class Heaps(NamedTuple):
    """The moves from each site to each other: arcs of site ``a`` are ``first[a]:first[a + 1]``."""

    first: Ints  # (sites + 2,)
    tail: Int32s  # (arcs,)
    head: Int32s  # (arcs,)
    back: Int32s  # (arcs,) the arc the other way
    arc: NDArray[np.int32]  # (sites + 1, sites + 1) its number, NOTHING where no group has both
    top: Int32s  # (arcs,) its least entry
    least: Ints  # (arcs,) what that costs, NEVER when there is none
    key: Ints  # (pool,) and so on: the fields of NODE
    src: Int32s
    dst: Int32s
    child: Int32s
    after: Int32s
    tally: Ints  # (3,)


class Search(NamedTuple):
    """Room for a search over sites; ``far`` is NEVER between two of them."""

    far: Ints  # (sites + 1,)
    via: Int32s  # (sites + 1,) the arc
    met: Int32s  # (sites + 1,) the sites reached, in order
    queue: Ints  # (arcs + 1,) a heap of distance x sites + site
    tally: Ints  # (2,) how many are met, how many wait
    path_src: Int32s  # (sites + 1,) choices
    path_dst: Int32s


MET, WAITING = 0, 1


# -- heaps -------------------------------------------------------------------------------------------------------


def heaps(town: Town) -> Heaps:
    """The moves open to everybody where they are, with as much room again for those to come."""
    n = len(town.price)
    arc = np.full((n, n), NOTHING, dtype=np.int32)
    _meet(town.first, town.site, arc)
    np.maximum(arc, arc.T, out=arc)
    tail, head = (ends.astype(np.int32) for ends in np.nonzero(arc != NOTHING))
    arc[tail, head] = np.arange(len(tail), dtype=np.int32)
    first = np.searchsorted(tail, np.arange(n + 1)).astype(np.int64)
    widest = int(np.diff(town.first).max(initial=0))
    # Two at least: an array of one counts as contiguous, for which numba would compile everything again.
    size = int((1 + SPARE) * _entries(town)) + widest * (n + 1) + 2
    pool: NDArray[Any] = np.empty(size, dtype=NODE)
    top, least = np.zeros(len(tail), dtype=np.int32), np.full(len(tail), NEVER)
    tally = np.array([NONE, 1, size - 1], dtype=np.int64)
    key, src, dst, child, after = (pool[name] for name in ("key", "src", "dst", "child", "after"))
    out = Heaps(first, tail, head, arc[head, tail], arc, top, least, key, src, dst, child, after, tally)
    _fill(town, out)
    return out


@njit(cache=True, nogil=True)
def _meet(first: Ints, site: Int32s, arc: NDArray[np.int32]) -> None:  # pragma: no cover
    """Mark every two sites that a group can choose between, one way or both."""
    for g in range(len(first) - 1):
        for i in range(first[g], first[g + 1]):
            for j in range(i + 1, first[g + 1]):
                arc[site[i], site[j]] = 0


@njit(cache=True, nogil=True)
def _entries(town: Town) -> int:  # pragma: no cover
    """How many entries those who are somewhere need."""
    total = 0
    for i in range(len(town.people)):
        if town.people[i] > 0:
            g = town.group[i]
            total += town.first[g + 1] - town.first[g] - 1
    return total


@njit(cache=True, nogil=True)
def _fill(town: Town, heaps: Heaps) -> None:  # pragma: no cover
    for i in range(len(town.people)):
        if town.people[i] > 0:
            _enter(town, heaps, i)


@njit(cache=True, nogil=True)
def _enter(town: Town, heaps: Heaps, src: int) -> None:  # pragma: no cover
    """Enter the moves open to people who came to the choice ``src``."""
    g, a = town.group[src], town.site[src]
    for dst in range(town.first[g], town.first[g + 1]):
        if dst != src:
            arc, e = heaps.arc[a, town.site[dst]], _taken(heaps)
            heaps.key[e], heaps.src[e], heaps.dst[e] = town.cost[dst] - town.cost[src], src, dst
            heaps.child[e], heaps.after[e] = NONE, NONE
            heaps.top[arc] = _melded(heaps, heaps.top[arc], e)
            heaps.least[arc] = heaps.key[heaps.top[arc]]


@njit(cache=True, nogil=True)
def _leave(town: Town, heaps: Heaps, src: int) -> None:  # pragma: no cover
    """Take out the moves of those who all left ``src``, where they are the least; others wait for their turn."""
    g, a = town.group[src], town.site[src]
    for dst in range(town.first[g], town.first[g + 1]):
        if dst != src:
            arc = heaps.arc[a, town.site[dst]]
            e = heaps.top[arc]
            if heaps.src[e] == src:
                while e != NONE and town.people[heaps.src[e]] == 0:
                    e = _popped(heaps, e)
                heaps.top[arc], heaps.least[arc] = e, heaps.key[e] if e != NONE else NEVER


@njit(cache=True, nogil=True)
def _taken(heaps: Heaps) -> int:  # pragma: no cover
    """An entry of the pool that is not in use."""
    heaps.tally[LEFT] -= 1
    e = heaps.tally[FREE]
    if e != NONE:
        heaps.tally[FREE] = heaps.after[e]
        return int(e)
    heaps.tally[USED] += 1
    return int(heaps.tally[USED]) - 1


@njit(cache=True, nogil=True)
def _melded(heaps: Heaps, a: int, b: int) -> int:  # pragma: no cover
    """Two heaps as one; of equal moves the earlier choice is the least."""
    if a == NONE or b == NONE:
        return a + b
    if heaps.key[b] < heaps.key[a] or (heaps.key[b] == heaps.key[a] and heaps.src[b] < heaps.src[a]):
        a, b = b, a
    heaps.after[b], heaps.child[a] = heaps.child[a], b
    return a


@njit(cache=True, nogil=True)
def _popped(heaps: Heaps, e: int) -> int:  # pragma: no cover
    """The heap without its least entry: its children melded two by two, then all from the last to the first."""
    rest, done = heaps.child[e], NONE
    heaps.after[e] = heaps.tally[FREE]
    heaps.tally[FREE] = e
    heaps.tally[LEFT] += 1
    while rest != NONE:
        one, other = rest, heaps.after[rest]
        rest = heaps.after[other] if other != NONE else NONE
        heaps.after[one] = NONE
        if other != NONE:
            heaps.after[other] = NONE
        both = _melded(heaps, one, other)
        heaps.after[both], done = done, both
    out = NONE
    while done != NONE:
        following = heaps.after[done]
        heaps.after[done] = NONE
        out, done = _melded(heaps, out, done), following
    return out


# -- repair ------------------------------------------------------------------------------------------------------


def repair(town: Town) -> None:
    """Move people and prices of a settled town until no site is overfull and none with a price has room to spare.

    Where many are out of place, prices are first found for one group of four, in the same way.
    """
    if len(town.first) > FEW and _out_of_place(town) > MANY:
        some = _some(town)
        repair(some)
        town.price[:] = some.price
        settle(town)
    while not _repair(town, moves := heaps(town), _search(len(town.price), len(moves.head))):
        pass


def _out_of_place(town: Town) -> float:
    """How many groups of a usual size would have to move."""
    spare = _spare(town)[:-1]
    wrong = -spare[spare < 0].sum() + spare[(spare > 0) & (town.price[:-1] > 0)].sum()
    return float(wrong / max(1, town.load.sum()) * len(town.first))


def _spare(town: Town) -> Ints:
    """Room less load, (sites + 1,); of room beyond everybody only what all could use."""
    within: Ints = np.minimum(town.room, town.load.sum())
    return within - town.load


def _some(town: Town) -> Town:
    """One group of four, each for those of the same site and as far; as much out of place at each site as it was.

    ``room`` follows from that, not from a quarter of the room: so a settled town gives a settled one, and what differs
    between the few and the many is no cause to move.
    """
    chosen = np.sort(_by_site_and_cost(town)[EVERY // 2 :: EVERY])
    sizes = np.diff(town.first)[chosen]
    first = np.r_[0, np.cumsum(sizes)]
    rows = np.repeat(town.first[chosen] - first[:-1], sizes) + np.arange(first[-1])
    group = np.repeat(np.arange(len(chosen), dtype=np.int32), sizes)
    site, cost, people = town.site[rows], town.cost[rows], town.people[rows]
    load = np.zeros_like(town.load)
    np.add.at(load, site, people)
    room = np.maximum(0, load + np.rint(_spare(town) * (load.sum() / max(1, town.load.sum()))).astype(np.int64))
    room[-1] = NEVER
    return Town(first, group, site, cost, people, town.price.copy(), load, room)


def _by_site_and_cost(town: Town) -> Ints:
    """The groups by the first site they are at, then by how far it is."""
    there = np.flatnonzero(town.people)
    at = there[np.diff(town.group[there], prepend=-1) > 0]
    return np.lexsort((town.cost[at], town.site[at]))


@njit(cache=True, nogil=True)
def settle(town: Town) -> None:  # pragma: no cover
    """Everybody for whom another choice is better at these prices takes the first of the best; counts the load."""
    town.load[:] = 0
    for g in range(len(town.first) - 1):
        best = town.first[g]
        for i in range(town.first[g], town.first[g + 1]):
            if _worth(town, i) < _worth(town, best):
                best = i
        for i in range(town.first[g], town.first[g + 1]):
            if town.people[i] > 0 and _worth(town, i) > _worth(town, best):
                town.people[best] += town.people[i]
                town.people[i] = 0
        for i in range(town.first[g], town.first[g + 1]):
            town.load[town.site[i]] += town.people[i]


@njit(cache=True, nogil=True)
def _worth(town: Town, choice: int) -> int:  # pragma: no cover
    return int(town.cost[choice] + town.price[town.site[choice]])


def _search(n: int, arcs: int) -> Search:
    far, queue, tally = np.full(n, NEVER), np.empty(arcs + n + 1, dtype=np.int64), np.zeros(2, dtype=np.int64)
    via, met, src, dst = (np.empty(n, dtype=np.int32) for _ in range(4))
    return Search(far, via, met, queue, tally, src, dst)


@njit(cache=True, nogil=True)
def _repair(town: Town, heaps: Heaps, search: Search) -> bool:  # pragma: no cover
    """Whether it is done; if not, the pool is used up and people and prices are those between two steps."""
    widest, last = 0, len(town.price) - 1
    for g in range(len(town.first) - 1):
        widest = max(widest, town.first[g + 1] - town.first[g])
    for site in range(last):
        while town.load[site] > town.room[site]:
            if heaps.tally[LEFT] < widest * (last + 1):
                return False
            _overfull(town, heaps, search, site)
    for site in range(last):
        while town.load[site] < town.room[site] and town.price[site] > 0:
            if heaps.tally[LEFT] < widest * (last + 1):
                return False
            _underfull(town, heaps, search, site)
    _lowest(town, heaps, search)
    return True


@njit(cache=True, nogil=True)
def _overfull(town: Town, heaps: Heaps, search: Search, source: int) -> None:  # pragma: no cover
    """One chain of moves out of a site that has too many, to the nearest with room; prices on the way rise."""
    far, price, last = search.far, town.price, len(town.price) - 1
    nearest, end = NEVER, NOTHING
    _meet_at(search, source, 0, NOTHING)
    while search.tally[WAITING] > 0:
        at, a = _next(search)
        if at >= nearest:
            break
        if at > far[a]:
            continue
        base = at - price[a]
        for arc in range(heaps.first[a], heaps.first[a + 1]):
            b = heaps.head[arc]
            there = base + heaps.least[arc] + price[b]
            if heaps.top[arc] != NONE and there < far[b] and there < nearest:
                if b == last or town.load[b] < town.room[b]:
                    nearest, end = there, b
                    search.via[b] = arc
                else:
                    _meet_at(search, b, there, arc)
    for i in range(search.tally[MET]):
        price[search.met[i]] += max(0, nearest - far[search.met[i]])
    _forget(search)
    n = _path(heaps, search, end, source, heaps.tail)
    spare = town.room[end] - town.load[end]
    _move(town, heaps, search, n, min(town.load[source] - town.room[source], spare))


@njit(cache=True, nogil=True)
def _underfull(town: Town, heaps: Heaps, search: Search, target: int) -> None:  # pragma: no cover
    """One chain of moves into a site that has room and a price, or its price falls to nothing; with those near it."""
    far, price = search.far, town.price
    nearest, end = price[target], target
    _meet_at(search, target, 0, NOTHING)
    while search.tally[WAITING] > 0:
        at, b = _next(search)
        if at >= nearest:
            break
        if at > far[b]:
            continue
        base = at + price[b]
        for back in range(heaps.first[b], heaps.first[b + 1]):
            a, arc = heaps.head[back], heaps.back[back]
            there = base + heaps.least[arc] - price[a]
            if heaps.top[arc] != NONE and there < far[a] and there < nearest:
                _meet_at(search, a, there, arc)
                if there + price[a] < nearest:
                    nearest, end = there + price[a], a
    for i in range(search.tally[MET]):
        price[search.met[i]] -= max(0, nearest - far[search.met[i]])
    _forget(search)
    n = _path(heaps, search, end, target, heaps.head)
    _move(town, heaps, search, n, town.room[target] - town.load[target])


@njit(cache=True, nogil=True)
def _lowest(town: Town, heaps: Heaps, search: Search) -> None:  # pragma: no cover
    """Lower prices as far as nobody would rather be elsewhere."""
    far, price = search.far, town.price
    for site in range(len(price)):
        _meet_at(search, site, price[site], NOTHING)
    while search.tally[WAITING] > 0:
        at, a = _next(search)
        if at > far[a]:
            continue
        for arc in range(heaps.first[a], heaps.first[a + 1]):
            b = heaps.head[arc]
            there = at + heaps.least[arc] + price[b] - price[a]
            if heaps.top[arc] != NONE and there < far[b]:
                _meet_at(search, b, there, arc)
    for site in range(len(price)):
        price[site] -= far[site]
    _forget(search)


@njit(cache=True, nogil=True)
def _path(heaps: Heaps, search: Search, site: int, root: int, towards: Int32s) -> int:  # pragma: no cover
    """Note the moves between ``site`` and the site ``root`` that the search began at; how many.

    ``towards`` is the end of each arc that lies nearer to the root: its tail where the search ran along the moves.
    """
    n = 0
    while site != root:
        arc = search.via[site]
        e, site = heaps.top[arc], towards[arc]
        search.path_src[n], search.path_dst[n] = heaps.src[e], heaps.dst[e]
        n += 1
    return n


@njit(cache=True, nogil=True)
def _move(town: Town, heaps: Heaps, search: Search, n: int, most: int) -> None:  # pragma: no cover
    """Move as many as can go along the noted moves, at most ``most``."""
    for i in range(n):
        most = min(most, town.people[search.path_src[i]])
    for i in range(n):
        src, dst = search.path_src[i], search.path_dst[i]
        there = town.people[dst]
        town.people[src] -= most
        town.people[dst] += most
        town.load[town.site[src]] -= most
        town.load[town.site[dst]] += most
        if there == 0:
            _enter(town, heaps, dst)
        if town.people[src] == 0:
            _leave(town, heaps, src)


# -- search ------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _meet_at(search: Search, site: int, at: int, arc: int) -> None:  # pragma: no cover
    """A shorter way to a site: it waits for its turn."""
    queue = search.queue
    if search.far[site] == NEVER:
        search.met[search.tally[MET]] = site
        search.tally[MET] += 1
    search.far[site], search.via[site] = at, arc
    value, i = at * len(search.far) + site, search.tally[WAITING]
    search.tally[WAITING] += 1
    while i > 0 and queue[(i - 1) >> 1] > value:
        queue[i] = queue[(i - 1) >> 1]
        i = (i - 1) >> 1
    queue[i] = value


@njit(cache=True, nogil=True)
def _next(search: Search) -> tuple[int, int]:  # pragma: no cover
    """The nearest that waits: its distance and its site."""
    queue = search.queue
    out, n = queue[0], search.tally[WAITING] - 1
    search.tally[WAITING] = n
    value, i = queue[n], 0
    while 2 * i + 1 < n:
        j = 2 * i + 1
        if j + 1 < n and queue[j + 1] < queue[j]:
            j += 1
        if queue[j] >= value:
            break
        queue[i] = queue[j]
        i = j
    queue[i] = value
    return out // len(search.far), out % len(search.far)


@njit(cache=True, nogil=True)
def _forget(search: Search) -> None:  # pragma: no cover
    for i in range(search.tally[MET]):
        search.far[search.met[i]] = NEVER
    search.tally[MET], search.tally[WAITING] = 0, 0
