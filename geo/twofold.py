"""The cheapest network found in which every terminal has two ways to the root that share no street.

For one terminal the cheapest pair of such ways is exact: J. Suurballe and R. Tarjan's method
(doi:10.1002/net.3230140209) on streets without direction, what is bought already being free. A street without which
nobody gets through may be used by both ways. The network for all is built from pairs one after the other, then improved
until nothing helps: each terminal leaves and comes back the cheapest way, and each street bought is taken away and its
users led elsewhere. Of several orders the cheapest outcome stays. All prices are whole numbers, so that equal inputs
give equal networks.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.thinning import NO, Part

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SHARED = 1 << 52
"""What a chain used by both ways counts above its price: more than any price, so that it is done only where it must."""
NEVER = 1 << 61
"""A distance that nothing has."""
GUIDES = ((1.0001, 1), (1.05, 2))
"""How cheap what a linear programme buys is made: so much less its share, to the power."""


@dataclass(frozen=True, eq=False)
class Built:
    """A network: the level bought of each chain, (chains,), -1 where none, and what it costs in all.

    ``used`` has for each terminal the chains of its two ways.
    """

    level: Ints
    cost: int
    used: tuple[Ints, ...]

    def __repr__(self) -> str:
        return f"Built({int((self.level >= 0).sum())} chains, {self.cost})"


class _Room(NamedTuple):
    """The streets of a part, and what a search needs and leaves as it found it."""

    first: Ints
    chain: Ints
    head: Ints
    near: Ints
    reach: Ints
    by: Ints
    came: Ints
    flow: Ints
    towards: Ints


class _State(NamedTuple):
    """What is bought: users of each chain by level (chains, levels), its level, and what it would cost more."""

    cost: Ints
    users: Ints
    level: Ints
    price: Ints


def _room(part: Part) -> _Room:
    n, m = part.nodes, len(part.u)
    far, none, zero = np.full(n, NEVER), np.full(n, -1), np.zeros(m, dtype=np.int64)
    return _Room(*part.arcs, far, far.copy(), none, none.copy(), zero, zero.copy())


def pair(part: Part, terminal: int, price: Ints) -> tuple[Ints, Ints]:
    """The cheapest pair of ways of one terminal at a ``price`` (chains,): the arcs used, and how many use each.

    ``NO`` closes a chain. An arc is 2 × chain, one more where it is used against its drawing on the way to the root.
    Nothing where there is no way.
    """
    room = _room(part)
    prices = np.ascontiguousarray(price[:, None])
    if not _two_ways(room, prices, 0, part.door[part.first[terminal] : part.first[terminal + 1]], NEVER):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    used = np.flatnonzero(room.flow)
    return 2 * used + (room.towards[used] == part.u[used]), room.flow[used]


def price_at(cost: Ints, level: Ints) -> int:
    """What chains cost in all, (chains, levels), when bought at ``level`` (chains,), -1: not at all."""
    bought = np.flatnonzero(level >= 0)
    return int(cost[bought, level[bought]].sum())


def bridges(part: Part) -> list[Ints]:
    """The chains that each terminal cannot do without on any way it may use: where only one way leads on."""
    found = []
    for t, level in enumerate(part.level):
        arcs, times = pair(part, t, np.where(part.cost[:, level] < NO, 1, NO))
        found.append(arcs[times == 2] // 2)
    return found


def pairs_alone(part: Part) -> Ints:
    """What the cheapest pair of each terminal costs when nobody else buys anything, (terminals,)."""
    found = np.zeros(len(part.terminal), dtype=np.int64)
    for t, level in enumerate(part.level):
        found[t] = part.cost[pair(part, t, part.cost[:, level])[0] // 2, level].sum()
    return found


def build(part: Part, single: list[Ints], *, starts: int, thorough: bool, share: Floats | None = None) -> Built:
    """The cheapest network found over several orders of the terminals.

    ``single`` are the chains that both ways of a terminal may use (``bridges``). ``share`` (chains, levels) is what a
    linear programme buys of each: networks are then first built where that is cheap, and improved at the true prices.
    ``thorough`` tries to do without each street that is bought.
    """
    orders = _orders(pairs_alone(part), starts)
    guides = [part.cost] if share is None else [_guide(part.cost, share, *how) for how in GUIDES]
    best: Built | None = None
    for guide in guides:
        for order in orders:
            found = _built(part, single, order, guide, thorough)
            best = found if best is None or found.cost < best.cost else best
    if best is None:
        return Built(np.full(len(part.u), -1), 0, ())
    return best


def _guide(cost: Ints, share: Floats, above: float, power: int) -> Ints:
    """Prices that are low where the programme buys: never falling with the level, never nothing."""
    lower = np.maximum((cost * (above - share) ** power).astype(np.int64), 1)
    return np.where(cost >= NO, NO, np.maximum.accumulate(lower, axis=1))


def _orders(alone: Ints, starts: int) -> list[Ints]:
    """Orders in which terminals buy: the dearest first, the cheapest first, then some by chance, always the same."""
    near = np.argsort(alone, kind="stable")
    chance = np.random.default_rng(len(alone))
    orders = [near[::-1].copy(), near, *(chance.permutation(len(alone)) for _ in range(starts - 2))]
    return orders[: starts if len(alone) > 1 else 1]


def _built(part: Part, single: list[Ints], order: Ints, guide: Ints, thorough: bool) -> Built:
    """One network: built in this order after the guide, then improved."""
    terminals = (part.first, part.door, part.level, np.array([len(chains) for chains in single], dtype=np.int64))
    used, size = np.full((len(order), 32), -1), np.zeros(len(order), dtype=np.int64)
    room, state = _room(part), _fresh(part.cost)
    used = _in_turn(room, _fresh(guide), terminals, used, size, order)
    for t in range(len(order)):
        _give(state, used[t], size[t], part.level[t])
    used, cost = _improve(room, state, terminals, used, size, order, thorough)
    return Built(state.level, int(cost), tuple(used[t, : size[t]] for t in range(len(order))))


def _fresh(cost: Ints) -> _State:
    cost = np.ascontiguousarray(cost)
    return _State(cost, np.zeros_like(cost), np.full(len(cost), -1), cost.copy())


# -- one terminal's pair -----------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _two_ways(room: _Room, price: Ints, level: int, doors: Ints, most: int) -> bool:  # pragma: no cover
    """Two ways from the doors to the root at the least price: ``room.flow`` says how many use each chain.

    False where there are none for ``most``.
    """
    seen = [0]
    room.flow[:] = 0
    done = _search(room, price, level, doors, room.near, most, False, seen)
    if done:
        _follow(room)
        done = _search(room, price, level, doors, room.reach, most - 2 * room.near[0], True, seen)
    if done:
        _follow(room)
    for x in seen:
        room.near[x] = room.reach[x] = NEVER
        room.by[x] = room.came[x] = -1
    return done


@njit(cache=True, nogil=True)
def _search(
    room: _Room, price: Ints, level: int, doors: Ints, dist: Ints, most: int, second: bool, seen: list[int]
) -> bool:  # pragma: no cover
    """The cheapest way from the doors to the root; the second one may undo parts of the first.

    ``room.near`` of the first search makes all steps of the second at least nothing.
    """
    top, heap = room.near[0], [(0, 0)]
    heap.clear()
    for d in doors:
        dist[d], room.by[d] = 0, -1
        seen.append(d)
        heapq.heappush(heap, (0, d))
    while len(heap) > 0:
        cost, x = heapq.heappop(heap)
        if cost > dist[x]:
            continue
        if x == 0 or cost > most:
            return bool(cost <= most)
        for a in range(room.first[x], room.first[x + 1]):
            c, y = room.chain[a], room.head[a]
            step = price[c, level]
            if step >= NO:
                continue
            if second:
                if room.flow[c] > 0:
                    step = SHARED if room.towards[c] == y else -step
                step += min(room.near[x], top) - min(room.near[y], top)
            if cost + step < dist[y]:
                dist[y], room.by[y], room.came[y] = cost + step, c, x
                seen.append(y)
                heapq.heappush(heap, (cost + step, y))
    return False


@njit(cache=True, nogil=True)
def _follow(room: _Room) -> None:  # pragma: no cover
    """Put the way just found to the root into the flow."""
    y = 0
    while room.by[y] >= 0:
        c = room.by[y]
        if room.flow[c] == 1 and room.towards[c] != y:
            room.flow[c] = 0
        else:
            room.flow[c] += 1
            room.towards[c] = y
        y = room.came[y]


# -- the network for all -----------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _set(state: _State, c: int) -> int:  # pragma: no cover
    """Buy a chain for whoever uses it; what that costs more than before."""
    levels, was, now = state.cost.shape[1], state.level[c], -1
    for k in range(levels):
        if state.users[c, k] > 0:
            now = k
    if now == was:
        return 0
    paid = state.cost[c, now] if now >= 0 else 0
    before = state.cost[c, was] if was >= 0 else 0
    state.level[c] = now
    for k in range(levels):
        state.price[c, k] = NO if state.cost[c, k] >= NO else max(state.cost[c, k] - paid, 0)
    return paid - before


@njit(cache=True, nogil=True)
def _give(state: _State, chains: Ints, size: int, level: int) -> int:  # pragma: no cover
    """A terminal uses some chains; what that costs more."""
    more = 0
    for i in range(size):
        state.users[chains[i], level] += 1
        more += _set(state, chains[i])
    return more


@njit(cache=True, nogil=True)
def _take(state: _State, chains: Ints, size: int, level: int) -> int:  # pragma: no cover
    """A terminal uses some chains no more; what that saves."""
    less = 0
    for i in range(size):
        state.users[chains[i], level] -= 1
        less -= _set(state, chains[i])
    return less


@njit(cache=True, nogil=True)
def _offer(room: _Room, price: Ints, level: int, doors: Ints, allowed: int, most: int) -> int:  # pragma: no cover
    """What the cheapest pair of ways costs a terminal now, left in ``room.flow``; -1 where none is had for ``most``."""
    if not _two_ways(room, price, level, doors, most + allowed * SHARED):
        return -1
    more, twice = 0, 0
    for c in range(len(room.flow)):
        if room.flow[c] > 0:
            more += price[c, level]
            twice += room.flow[c] == 2
    return -1 if twice > allowed else more


@njit(cache=True, nogil=True)
def _keep(room: _Room, used: Ints, size: Ints, t: int) -> Ints:  # pragma: no cover
    """The chains in ``room.flow`` as those of a terminal; ``used`` with more columns where it needs them."""
    n = 0
    for c in range(len(room.flow)):
        if room.flow[c] > 0:
            if n == used.shape[1]:
                wider = np.full((used.shape[0], 2 * n), -1)
                wider[:, :n] = used
                used = wider
            used[t, n] = c
            n += 1
    size[t] = n
    return used


@njit(cache=True, nogil=True)
def _in_turn(
    room: _Room, state: _State, terminals: tuple[Ints, Ints, Ints, Ints], used: Ints, size: Ints, order: Ints
) -> Ints:  # pragma: no cover
    """Each terminal in its turn gives up its ways and takes the cheapest pair, if that is cheaper than what it had."""
    first, door, asks, allowed = terminals
    for t in order:
        saved = _take(state, used[t], size[t], asks[t])
        more = _offer(
            room, state.price, asks[t], door[first[t] : first[t + 1]], allowed[t], saved - 1 if size[t] else NO
        )
        if more >= 0:
            used = _keep(room, used, size, t)
        _give(state, used[t], size[t], asks[t])
    return used


@njit(cache=True, nogil=True)
def _without(
    room: _Room, state: _State, terminals: tuple[Ints, Ints, Ints, Ints], used: Ints, size: Ints, c: int
) -> Ints:  # pragma: no cover
    """Lead the users of a chain by other ways, if that is cheaper in all."""
    first, door, asks, allowed = terminals
    users = [0]
    users.clear()
    for t in range(len(asks)):
        for i in range(size[t]):
            if used[t, i] == c:
                users.append(t)
    before, saved = [used[t, : size[t]].copy() for t in users], 0
    for t in users:
        saved += _take(state, used[t], size[t], asks[t])
    state.price[c] = NO
    spent, led = 0, 0
    for t in users:
        more = _offer(room, state.price, asks[t], door[first[t] : first[t + 1]], allowed[t], saved - spent - 1)
        if more < 0:
            break
        used = _keep(room, used, size, t)
        spent += _give(state, used[t], size[t], asks[t])
        led += 1
    for k in range(state.cost.shape[1]):
        state.price[c, k] = state.cost[c, k]
    if led < len(users):
        for t in users[:led]:
            _take(state, used[t], size[t], asks[t])
        for i in range(len(users)):
            t, size[users[i]] = users[i], len(before[i])
            used[t, : size[t]] = before[i]
            _give(state, used[t], size[t], asks[t])
    return used


@njit(cache=True, nogil=True)
def _improve(
    room: _Room, state: _State, terminals: tuple[Ints, Ints, Ints, Ints], used: Ints, size: Ints, order: Ints,
    thorough: bool,
) -> tuple[Ints, int]:  # pragma: no cover  # fmt: skip
    """Terminals in turn and chains taken away, until neither makes the network cheaper."""
    cost = _paid(state).sum() + 1
    while _paid(state).sum() < cost:
        cost = _paid(state).sum()
        used = _in_turn(room, state, terminals, used, size, order)
        if thorough and _paid(state).sum() == cost:
            for c in np.argsort(-_paid(state), kind="mergesort"):
                if state.level[c] >= 0 and state.cost[c, state.level[c]] > 0:
                    used = _without(room, state, terminals, used, size, c)
    return used, cost


@njit(cache=True, nogil=True)
def _paid(state: _State) -> Ints:  # pragma: no cover
    """What was paid for each chain, (chains,)."""
    paid = np.zeros(len(state.level), dtype=np.int64)
    for c in range(len(paid)):
        paid[c] = state.cost[c, state.level[c]] if state.level[c] >= 0 else 0
    return paid
