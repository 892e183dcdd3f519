"""The emergency corridors: streets that join every reserve and shelter to the trunk roads twice, at least cost.

Symbols: a terminal t is a reserve or a shelter with its doors; it asks for a clear width w(t), that of its class. The
root r is the trunk network and the exits, one node. c(e, w) is what street e costs as a corridor of width w: its length
times the price of keeping it free, and of widening by what its clear width after collapse lacks; it cannot be one where
it is steps or a footway too narrow to widen. Objective: streets E' with widths w(e) at the least sum of c(e, w(e)).
Constraints: for every t two ways from its doors to r in E', on streets with w(e) >= w(t), that share no street but
those without which t gets nowhere. This is survivable network design with requirements of two (NP-hard, K. Jain 2001,
doi:10.1007/s004930170004). It falls into parts that meet only at the trunk (``geo.thinning``); in each a network is
found (``geo.twofold``) and a bound proven (``geo.cutting``); the gap between the two is told. No clock is looked at:
equal inputs give equal results.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import cutting, routing, thinning, trunk_roads, twofold
from geo.curves import Sourced, Word
from geo.directions import called
from geo.errors import ColumnError, Fault, refuse
from geo.network import Network
from geo.snapping import Snaps
from geo.thinning import NO, Chains, Part, Pieces
from geo.trunk_roads import CorridorParams
from geo.twofold import Built
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

CLASSES = ("emergency", "fixed")
"""Classes of terminals, from the narrowest corridor asked for to the widest: what ``asks`` may be."""
CORRIDORS = {
    **dict.fromkeys(("edge",), "int64"),
    **dict.fromkeys(("street_id", "class"), "object"),
    **dict.fromkeys(("from_m", "to_m", "length_m", "need_m", "clear_m", "short_m", "cost"), "float64"),
    **{"terminals": "int64", "terminal_ids": "object"},
}
"""Columns of ``Lifelines.corridors`` and their types."""
TERMINALS = {
    **{"terminal_id": "object", "class": "object", "ways": "int64"},
    **dict.fromkeys(("length_1_m", "length_2_m", "narrowest_m", "need_m"), "float64"),
    **dict.fromkeys(("bottleneck", "reason", "text_en", "text_zh"), "object"),
}
"""Columns of ``Lifelines.terminals`` and their types."""
MILLI = 1000
"""Prices are counted in thousandths, lengths in millimetres."""
THOROUGH = 2_000_000
"""Chains times terminals of a part up to which each street bought is tried to be done without."""
TOLD = 3
"""How many streets that every way must use are named."""
WHY_NOT = {
    "no_door": ("No street that may be used passes it", "附近没有可用道路"),
    "no_trunk": ("There is no trunk road and no exit to be joined to", "没有可连接的救灾干道或出口"),
    "cut_off": ("No street leads from it to a trunk road", "没有道路通往救灾干道"),
    "too_narrow": (
        "It is joined to trunk roads only by steps and ways that cannot be made {need:g} m wide",
        "仅经台阶或无法拓宽至{need:g}米的小路与救灾干道相连",
    ),
}
"""Why a terminal cannot be joined at all."""


class LifelineParams(Sourced):
    """Which streets can be corridors, what that costs, and how hard is sought."""

    subject = "lifelines"
    never: tuple[Word, ...] = Field(description="Classes of street that can be no corridor (words).")
    foot: tuple[Word, ...] = Field(description="Classes of street that are for people on foot (words).")
    foot_widen_most_m: float = Field(ge=0, le=50, description="Most by which these are widened, metres.")
    unknown_short_m: float = Field(ge=0, le=50, description="What a street of unknown clear width lacks, metres.")
    keep_cost_m: float = Field(gt=0, description="Cost of one metre of corridor, thousand CNY.")
    widen_cost_m2: float = Field(ge=0, description="Cost of one square metre more of clear width, thousand CNY.")
    starts: int = Field(ge=1, le=1000, description="In how many orders the network is built, count.")
    rounds: int = Field(ge=1, le=10_000, description="Most rounds of cuts in a part, count.")
    work: int = Field(ge=0, description="Most that is spent on the bound, variables times rounds, count.")


@dataclass(frozen=True, eq=False)
class Lifelines:
    """The corridors found, what they cost, and what none can cost less than.

    ``corridors`` has one row a stretch of street (``CORRIDORS``): ``edge`` from ``from_m`` to ``to_m`` along it,
    ``class`` the widest asked for, ``short_m`` what its clear width lacks (NaN not known), ``cost`` in thousand CNY.
    ``terminals`` has one row a terminal, in their order (``TERMINALS``): ``ways`` 2, 1 or 0; ``narrowest_m`` the least
    clear width now on its ways, NaN not known; ``bottleneck`` the streets that every way must use. ``cost``, ``bound``
    in thousand CNY; ``closed``: the bound is that of all cuts in every part. ``trunk`` (edges,) as given.
    """

    corridors: pd.DataFrame
    terminals: pd.DataFrame
    cost: float
    bound: float
    closed: bool
    trunk: Mask

    @property
    def gap(self) -> float:
        """What of the cost may at most be too much, 0-1."""
        return 1 - self.bound / self.cost if self.cost > 0 else 0.0

    def __repr__(self) -> str:
        ways = np.bincount(self.terminals["ways"], minlength=3)
        km = self.corridors["length_m"].sum() / 1000
        return (
            f"Lifelines({km:.1f} km for {len(self.terminals)} terminals, {ways[2]} joined twice, {ways[1]} once, "
            f"{ways[0]} not; cost {self.cost:.0f}, at most {self.gap:.1%} too much)"
        )


def trunk_of(network: Network, clear_m: Floats, *, params: CorridorParams) -> Mask:
    """The trunk network, (edges,): trunk roads, and all streets that keep ``trunk_m`` clear.

    Of these what hangs together for less than ``trunk_least_m`` metres does not count. ``clear_m`` NaN: not known.
    """
    found = trunk_roads.by_class(network, params=params) | (np.nan_to_num(clear_m) >= params.trunk_m)
    return found & ~routing.islands(network, found, below_m=params.trunk_least_m) if found.any() else found


def connect(
    ways: Usable,
    clear_m: Floats,
    trunk: Mask,
    terminals: pd.DataFrame,
    doors: Snaps,
    *,
    params: LifelineParams,
    corridor: CorridorParams,
    exits: Ints | None = None,
) -> Lifelines:
    """The corridors that join every terminal to the trunk twice, as cheaply as is found.

    ``ways`` are the streets that may be used at all; directions do not matter. ``clear_m`` (edges,) clear width after
    collapse, metres, NaN not known. ``trunk`` (edges,) as ``trunk_of`` finds it. ``terminals`` has ``terminal_id`` and
    ``asks`` (``CLASSES``); ``doors.place`` is the row. ``exits`` are nodes that are as good as the trunk. The order of
    terminals changes nothing. Raises ColumnError for what does not fit together.
    """
    refuse(ColumnError, _faults(ways.network, clear_m, trunk, terminals, doors))
    asks = np.array([CLASSES.index(name) for name in terminals["asks"]], dtype=np.int64)
    order = _canonical(asks, doors)
    given = _Given.of(ways, clear_m, trunk, exits, asks[order], _reordered(doors, order), params, corridor.needs_m)
    found = _solved(given, params)
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = np.arange(len(order))
    ids = terminals["terminal_id"].to_numpy(dtype=object)
    corridors = _corridors(given, found, ids[order], clear_m)
    table = _terminals(given, found, ids[order], clear_m).iloc[rows].reset_index(drop=True)
    return Lifelines(corridors, table, found.cost / MILLI, found.bound / MILLI, found.closed, trunk)


def _faults(network: Network, clear_m: Floats, trunk: Mask, terminals: pd.DataFrame, doors: Snaps) -> list[Fault]:
    faults = []
    if not len(clear_m) == len(trunk) == len(network.u):
        faults.append(Fault(f"{len(network.u)} values, one a street", f"{len(clear_m)} and {len(trunk)}", "widths"))
    missing = [name for name in ("terminal_id", "asks") if name not in terminals.columns]
    if missing:
        return [*faults, Fault("columns terminal_id and asks", f"none for {', '.join(missing)}", "terminals")]
    strange = sorted(set(map(str, terminals["asks"])) - set(CLASSES))
    if strange:
        faults.append(Fault(f"asks: one of {', '.join(CLASSES)}", ", ".join(strange), "terminals"))
    if len(doors) and (doors.place.min() < 0 or doors.place.max() >= len(terminals)):
        faults.append(Fault("doors of terminals that are there", f"rows up to {doors.place.max()}", "doors"))
    return faults


def _canonical(asks: Ints, doors: Snaps) -> Ints:
    """Terminals in an order that does not hang on how they came: by what they ask for and where their doors are."""
    spots: list[list[tuple[int, float]]] = [[] for _ in asks]
    for row in np.flatnonzero(doors.found):
        spots[doors.place[row]].append((int(doors.edge[row]), float(doors.along_m[row])))
    keys = [(int(asks[t]), sorted(spots[t])) for t in range(len(asks))]
    return np.array(sorted(range(len(asks)), key=keys.__getitem__), dtype=np.int64)


def _reordered(doors: Snaps, order: Ints) -> Snaps:
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Snaps(place[doors.place] if len(doors) else doors.place, doors.edge, doors.along_m, doors.off_m)


# -- the problem -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Given:
    """The problem made ready: ``cost`` (pieces, classes), and why terminals cannot be joined (None: they can)."""

    network: Network
    pieces: Pieces
    cost: Ints
    asks: Ints
    needs_m: Floats
    why_not: Texts

    @classmethod
    def of(
        cls, ways: Usable, clear_m: Floats, trunk: Mask, exits: Ints | None, asks: Ints, doors: Snaps,
        params: LifelineParams, needs_m: Floats,
    ) -> _Given:  # fmt: skip
        """Pieces, their prices, and which terminals can be joined."""
        network = ways.network
        rooted = np.zeros(len(network.x), dtype=bool)
        rooted[np.r_[network.u[trunk], network.v[trunk], np.zeros(0, np.int64) if exits is None else exits]] = True
        kept = (ways.usable & ~ways.island) | trunk
        # A door on the trunk is at the root, wherever along the street it is.
        at = np.where(doors.found & trunk[doors.edge], 0.0, doors.along_m)
        doors = Snaps(doors.place, doors.edge, at, doors.off_m).only(doors.found & kept[doors.edge])
        pieces = thinning.cut(network, kept & ~trunk, rooted, ways.passage.barred, doors, terminals=len(asks))
        price = _prices(network, clear_m, needs_m, params)[pieces.edge] * pieces.length_m[:, None] * MILLI
        can = np.isfinite(price)
        cost = np.where(can, np.maximum(np.rint(np.where(can, price, 0)), 1), NO).astype(np.int64)
        return cls(network, pieces, cost, asks, needs_m, _why_not(pieces, cost, asks, rooted=bool(rooted.any())))

    @property
    def wanted(self) -> Mask:
        """Terminals that can be joined and are not at the root already, (terminals,)."""
        return np.asarray(pd.isna(self.why_not)) & ~self.at_root

    @property
    def at_root(self) -> Mask:
        """Terminals with a door on the trunk, (terminals,)."""
        found = np.zeros(len(self.asks), dtype=bool)
        terminal = np.repeat(np.arange(len(self.asks)), np.diff(self.pieces.first))
        found[terminal[self.pieces.door == thinning.ROOT]] = True
        return found


def _prices(network: Network, clear_m: Floats, needs_m: Floats, params: LifelineParams) -> Floats:
    """Thousand CNY a metre of street as a corridor of each class, (edges, classes); infinite where it cannot be."""
    kinds = trunk_roads.classes(network)
    short = _short(clear_m[:, None], needs_m)
    short = np.where(np.isnan(short), params.unknown_short_m, short)
    narrow = np.isin(kinds, params.foot)[:, None] & (short > params.foot_widen_most_m)
    never = np.isin(kinds, params.never)[:, None]
    return np.where(narrow | never, np.inf, params.keep_cost_m + params.widen_cost_m2 * short)


def _short(clear_m: Floats, need_m: Floats) -> Floats:
    """What a clear width lacks, metres; NaN where it is not known."""
    return np.maximum(need_m - clear_m, 0.0)


def _why_not(pieces: Pieces, cost: Ints, asks: Ints, *, rooted: bool) -> Texts:
    """Why a terminal cannot be joined at all, (terminals,): a key of ``WHY_NOT``, None where it can."""
    found = np.full(len(asks), None, dtype=object)
    anyhow = _reached(pieces, np.ones(len(cost), dtype=bool))
    for level in range(len(CLASSES)):
        mine = asks == level
        found[mine & ~_reached(pieces, cost[:, level] < NO)] = "too_narrow"
    found[~anyhow] = "cut_off"
    if not rooted:
        found[:] = "no_trunk"
    found[np.diff(pieces.first) == 0] = "no_door"
    return found


def _reached(pieces: Pieces, kept: Mask) -> Mask:
    """Terminals with a door that is joined to the root over the pieces that are kept, (terminals,)."""
    links = (np.ones(kept.sum()), (pieces.u[kept], pieces.v[kept]))
    piece = connected_components(coo_array(links, shape=(pieces.nodes, pieces.nodes)), directed=False)[1]
    terminal = np.repeat(np.arange(len(pieces.first) - 1), np.diff(pieces.first))
    met = piece[pieces.door] == piece[thinning.ROOT]
    return np.bincount(terminal[met], minlength=len(pieces.first) - 1) > 0


# -- the solution ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found: the class bought of each piece (-1 none), both ways of each terminal as lists of pieces.

    ``single`` has the pieces that every way of a terminal must use.
    """

    level: Ints
    ways: dict[int, tuple[Ints, Ints]]
    single: dict[int, Ints]
    cost: int
    bound: float
    closed: bool


def _solved(given: _Given, params: LifelineParams) -> _Found:
    """Every part solved and put together again."""
    chains = thinning.thin(given.pieces, given.cost, wanted=given.wanted)
    within = _Within.of(chains, given.pieces)
    level, ways, single = np.full(len(chains.u), -1), {}, {}
    cost, bound, closed, work = 0, 0.0, True, params.work
    parts = list(thinning.parts(chains, given.pieces, given.asks, wanted=given.wanted))
    # The small ones first: what they leave of their share helps the large ones.
    for i, part in enumerate(sorted(parts, key=lambda part: len(part.u))):
        alone = twofold.bridges(part)
        built, proven = _solve(part, alone, work // (len(parts) - i), params)
        work -= proven.work
        bought, pairs = _settled(part, built, within.length_mm)
        level[part.chain] = bought
        total = twofold.price_at(part.cost, bought)
        cost, bound, closed = cost + total, bound + min(proven.bound, total), closed and proven.closed
        for t, terminal in enumerate(part.terminal):
            ways[int(terminal)] = (within.pieces(part.chain[pairs[t][0]]), within.pieces(part.chain[pairs[t][1]]))
            single[int(terminal)] = within.pieces(part.chain[alone[t]])
    of_piece = np.where(chains.chain >= 0, level[chains.chain] if len(level) else -1, -1)
    return _Found(of_piece, ways, single, cost, bound, closed)


def _solve(part: Part, alone: list[Ints], work: int, params: LifelineParams) -> tuple[Built, cutting.Proof]:
    """The cheapest network found of a part, and the bound; one terminal's pair is exact."""
    thorough = len(part.u) * len(part.terminal) <= THOROUGH
    first = twofold.build(part, alone, starts=1, thorough=thorough)
    least = float(twofold.pairs_alone(part).max())
    if first.cost <= least:
        return first, cutting.Proof(least, np.zeros(part.cost.shape), True, 0)
    proof = cutting.prove(part, alone, rounds=params.rounds, work=work, most=first.cost)
    if proof.bound > first.cost - 1:
        return first, proof
    again = twofold.build(part, alone, starts=params.starts, thorough=thorough, share=proof.share)
    proof = cutting.Proof(max(proof.bound, least), proof.share, proof.closed, proof.work)
    return min(again, first, key=lambda built: built.cost), proof


def _settled(part: Part, built: Built, length_mm: Ints) -> tuple[Ints, list[tuple[Ints, Ints]]]:
    """The chains needed and each terminal's two shortest ways on them; what none uses is given back."""
    bought = built.level
    while True:
        pairs, needed = [], np.full(len(bought), -1)
        for t, level in enumerate(part.level):
            arcs, times = twofold.pair(part, t, np.where(bought >= level, length_mm[part.chain], NO))
            needed[arcs // 2] = np.maximum(needed[arcs // 2], level)
            pairs.append(_parted(part, arcs, times))
        if np.array_equal(needed, bought):
            return bought, pairs
        bought = needed


def _parted(part: Part, arcs: Ints, times: Ints) -> tuple[Ints, Ints]:
    """The two ways of a pair apart, each as chains from the root outwards."""
    against = arcs % 2 == 1
    tail, head = (np.where(against, a[arcs // 2], b[arcs // 2]) for a, b in ((part.v, part.u), (part.u, part.v)))
    left = times.copy()
    both = []
    for _ in range(2):
        at, way = thinning.ROOT, []
        while len(ahead := np.flatnonzero((head == at) & (left > 0))):
            left[ahead[0]] -= 1
            way.append(arcs[ahead[0]] // 2)
            at = tail[ahead[0]]
        both.append(np.array(way, dtype=np.int64))
    return both[0], both[1]


@dataclass(frozen=True, eq=False)
class _Within:
    """The pieces within each chain: ``piece[first[c]:first[c + 1]]``, and how long it is."""

    first: Ints
    piece: Ints
    length_mm: Ints

    @classmethod
    def of(cls, chains: Chains, pieces: Pieces) -> _Within:
        """The pieces by chain."""
        on = np.flatnonzero(chains.chain >= 0)
        piece = on[np.argsort(chains.chain[on], kind="stable")]
        first = np.searchsorted(chains.chain[piece], np.arange(len(chains.u) + 1)).astype(np.int64)
        length = np.bincount(chains.chain[on], weights=pieces.length_m[on], minlength=len(chains.u))
        return cls(first, piece, np.maximum(np.rint(length * MILLI), 1).astype(np.int64))

    def pieces(self, chains: Ints) -> Ints:
        """The pieces of some chains."""
        parts = [self.piece[self.first[c] : self.first[c + 1]] for c in chains]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


# -- what is said of it ------------------------------------------------------------------------------------------------


def _corridors(given: _Given, found: _Found, ids: Texts, clear_m: Floats) -> pd.DataFrame:
    """The stretches bought, in the order of the streets."""
    pieces, row = given.pieces, np.flatnonzero(found.level >= 0)
    users = _users(found, ids, len(pieces.edge))
    edge, level = pieces.edge[row], found.level[row]
    columns = {
        "edge": edge, "street_id": given.network.street_ids[edge], "class": np.array(CLASSES, dtype=object)[level],
        "from_m": pieces.from_m[row], "to_m": pieces.to_m[row], "length_m": pieces.length_m[row],
        "need_m": given.needs_m[level], "clear_m": clear_m[edge],
        "short_m": _short(clear_m[edge], given.needs_m[level]), "cost": given.cost[row, level] / MILLI,
        "terminals": [len(users[piece]) for piece in row], "terminal_ids": ["; ".join(users[piece]) for piece in row],
    }  # fmt: skip
    return pd.DataFrame({name: pd.Series(columns[name], dtype=dtype) for name, dtype in CORRIDORS.items()})


def _users(found: _Found, ids: Texts, pieces: int) -> list[list[str]]:
    """The ids of the terminals that use each piece, in order."""
    users: list[list[str]] = [[] for _ in range(pieces)]
    for terminal, both in found.ways.items():
        for piece in np.unique(np.concatenate(both)):
            users[piece].append(str(ids[terminal]))
    return [sorted(names) for names in users]


def _terminals(given: _Given, found: _Found, ids: Texts, clear_m: Floats) -> pd.DataFrame:
    """How each terminal is joined."""
    rows = [_terminal(given, found, t, clear_m, float(given.needs_m[given.asks[t]])) for t in range(len(ids))]
    columns = {"terminal_id": ids, "class": np.array(CLASSES, dtype=object)[given.asks]}
    told = pd.DataFrame(rows, columns=[name for name in TERMINALS if name not in columns])
    return pd.DataFrame(
        {name: pd.Series(columns.get(name, told.get(name)), dtype=dtype) for name, dtype in TERMINALS.items()}
    )


def _terminal(given: _Given, found: _Found, t: int, clear_m: Floats, need_m: float) -> dict[str, object]:
    """One row of ``TERMINALS`` but for its id and class."""
    row: dict[str, object] = {"need_m": need_m, "length_1_m": np.nan, "length_2_m": np.nan, "narrowest_m": np.nan}
    why = given.why_not[t]
    if why is not None:
        en, zh = (text.format(need=need_m) for text in WHY_NOT[why])
        return row | {"ways": 0, "reason": why, "text_en": f"Not joined: {en}.", "text_zh": f"未连接：{zh}。"}
    if t not in found.ways:
        en, zh = "It lies on a trunk road.", "位于救灾干道旁。"
        return row | {"ways": 2, "length_1_m": 0.0, "length_2_m": 0.0, "reason": "on_trunk", "text_en": en,
                      "text_zh": zh}  # fmt: skip
    pieces, both, single = given.pieces, found.ways[t], found.single[t]
    one, two = sorted(float(pieces.length_m[way].sum()) for way in both)
    narrow = float(clear_m[pieces.edge[np.concatenate(both)]].min())
    edges = pd.unique(pieces.edge[single])
    row |= {"length_1_m": one, "length_2_m": np.nan if set(both[0]) == set(both[1]) else two, "narrowest_m": narrow}
    row |= {"ways": 1 if len(single) else 2, "reason": "single_street" if len(single) else "joined"}
    row["bottleneck"] = "; ".join(given.network.street_ids[edges]) or None
    en, zh = _joined(one, two, _streets(given.network, edges))
    now_en, now_zh = _narrow(narrow, need_m)
    return row | {"text_en": en + now_en, "text_zh": zh + now_zh}


def _joined(one_m: float, two_m: float, single: tuple[str, str] | None) -> tuple[str, str]:
    if single is None:
        en = f"Joined to the trunk roads by two ways that share no street, {one_m:,.0f} m and {two_m:,.0f} m."
        return en, f"经两条互不共用道路的通道连接救灾干道，长{one_m:,.0f}米和{two_m:,.0f}米。"
    en = f"Joined to the trunk roads only once, {one_m:,.0f} m: every way must use {single[0]}."
    return en, f"仅有一条通道连接救灾干道，长{one_m:,.0f}米：必须经过{single[1]}。"


def _narrow(narrowest_m: float, need_m: float) -> tuple[str, str]:
    if np.isnan(narrowest_m):
        return " The clear width of a street on them is not known.", "途中有道路净宽未知。"
    if narrowest_m >= need_m:
        return (
            f" Wide enough now: at least {narrowest_m:.1f} m clear.",
            f"现状净宽不小于{narrowest_m:.1f}米，满足要求。",
        )
    return (
        f" Too narrow now: {narrowest_m:.1f} m clear at the narrowest, {need_m:g} m asked.",
        f"现状最窄处净宽{narrowest_m:.1f}米，要求{need_m:g}米。",
    )


def _streets(network: Network, edges: Ints) -> tuple[str, str] | None:
    """Streets by name and id, English and Chinese; None for none."""
    if not len(edges):
        return None
    tags = (network.edge_tag(tag, edges).tolist() for tag in ("name", "name_zh", "name_en", "highway"))
    names = [called(*row) for row in zip(*tags, strict=True)]
    first = {name: str(street) for name, street in zip(names[::-1], network.street_ids[edges[::-1]], strict=True)}
    told = [(f"{en} ({first[en, zh]})", f"{zh}（{first[en, zh]}）") for en, zh in dict.fromkeys(names)][:TOLD]
    return ", ".join(en for en, _ in told), "、".join(zh for _, zh in told)
