"""What can be turned into refuge under a scenario: how well it suits, whom it adds, in which order and phase.

Where a plan counts candidates as open (``shelter.candidates``) the order begins without them, and it is said. None is
left out silently: each candidate (``geo.convertible``) has its place in the order or the reason why it has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import conversion_words as words
from geo import convertible, refuge, shelters, siting, suitability
from geo.communities import OUTSIDE
from geo.convertible import Asked, Seen
from geo.parts import Parts
from geo.reasons import Finding
from geo.siting import Order, Phased
from geo.situation import Situation
from geo.tables import NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Words = NDArray[np.object_]
Shapes = NDArray[np.object_]

COLUMNS = {
    **dict.fromkeys(("candidate_id", *NAMES, "kind", "community_id", "indoor", "tier"), "object"),
    **dict.fromkeys(suitability.PARTS, "float64"),
    **dict.fromkeys(("suitability", "suitability_known_share", "usable_m2", "street_m", "ways_in"), "float64"),
    **dict.fromkeys(("built_year", "major_hazard_m", "share_let"), "float64"),
    **dict.fromkeys(("capacity_people", "stay_capacity_people"), "float64"),
    **dict.fromkeys(("safe_in", "unsafe_in"), "object"),
    **dict.fromkeys(("order", "gain_people", "gain_alone_people", "cumulative_people"), "float64"),
    **dict.fromkeys(("phase", "phase_whole", "cost"), "float64"),
    **dict.fromkeys(("order_nights", "gain_nights_people", "gain_nights_alone_people"), "float64"),
    **dict.fromkeys(("reason_code", "reason_en", "reason_zh", "normal_use", "missing", "not_known"), "object"),
    "conversion_h": "float64",
    **dict.fromkeys(("opening", "dual_en", "dual_zh"), "object"),
}
"""Columns of the layer ``refuge_candidates`` before the geometry.

``indoor`` indoor, outdoor or both. ``order`` from 1, with ``gain_people`` newly sheltered beside what exists and all
before it, ``cumulative_people`` with them; NaN out of the order. ``gain_alone_people`` if it came first. ``phase`` in
which it opens, ``phase_whole`` in which it is ready for all its people, 0 beyond the money; ``cost`` thousand CNY.
``*_nights`` the same for displaced people who stay, NaN where nobody is displaced. ``safe_in`` and ``unsafe_in`` ids of
hazards, ``missing`` and ``not_known`` of ``conversion_words.NEEDS``, ``;`` between them.
"""


@dataclass(frozen=True, eq=False)
class Conversions:
    """The layer ``refuge_candidates`` (``COLUMNS``), columns beside communities, headline numbers and notes.

    ``order`` and ``phased`` are those of ``geo.siting``, ``nights`` None where nobody is displaced.
    """

    layer: gpd.GeoDataFrame
    communities: pd.DataFrame
    headline: Mapping[str, float]
    notes: tuple[Finding, ...]
    order: Order
    phased: Phased
    nights: Order | None

    def __repr__(self) -> str:
        return f"Conversions({self.order!r}, {self.phased!r})"


def of(now: Situation, *, let: Shapes | None = None) -> Conversions:
    """What could be turned into refuge; ``let`` (n,) outlines of ground to yield, None: not looked at."""
    seen = Seen(now, convertible.candidates(now.base), let)
    people = now.base.seekers.people
    fixed = convertible.fixed_cost(seen)
    order = _order(seen, seen.asked, fixed)
    params = now.base.params
    money = params.siting.budgets(int((now.base.communities["community_id"] != OUTSIDE).sum()))
    phased = siting.phased(order, fixed[seen.kept], each=params.cures.open_cost_each, budgets=money)
    asked = convertible.for_nights(seen)
    staying = None if asked is None else _order(seen, asked, fixed)
    layer = _layer(seen, seen.suits, order, phased, staying)
    left = int(people.sum()) - order.before
    notes = (*_of_sites(seen), words.order_told(len(order.chosen), len(layer), int(order.gain.sum()), left),
             words.phases_told(phased.people.tolist(), phased.at_most.tolist(), phased.money.tolist()))  # fmt: skip
    return Conversions(layer, _communities(now, layer, order), _headline(order, phased, left), notes, order, phased,
                       staying)  # fmt: skip


def _order(seen: Seen, asked: Asked, fixed: Floats) -> Order:
    """Of equal gains the one that suits better comes first, then the cheaper, then by id."""
    score = np.nan_to_num(seen.suits["suitability"].to_numpy(dtype=np.float64)[seen.kept], nan=-1.0)
    ids = seen.table["shelter_id"].to_numpy(dtype=str)[seen.kept]
    rank = np.empty(len(ids), dtype=np.int64)
    rank[np.lexsort((ids, fixed[seen.kept], -score))] = np.arange(len(ids))
    names = (seen.now.base.seekers.name, refuge.numbered(asked.ids))
    return siting.in_order(
        asked.pairs, asked.people, asked.room, existing=asked.existing, held=asked.held, rank=rank, names=names,
        most=seen.now.base.params.siting.most,
    )  # fmt: skip


# -- what is told --------------------------------------------------------------------------------------------------


def _layer(seen: Seen, suits: pd.DataFrame, order: Order, phased: Phased, staying: Order | None) -> gpd.GeoDataFrame:
    """``COLUMNS`` and geometry of every candidate, those of the order first, then by id."""
    sites, facts, n = seen.sites, seen.facts, len(seen.table)
    safe, unsafe = seen.verdicts
    columns: dict[str, object] = {name: sites[name] for name in (*NAMES, "kind", "community_id", "tier")}
    columns |= {str(name): suits[name] for name in suits} | {str(name): facts[name] for name in facts}
    columns |= {name: sites[name] for name in ("capacity_people", "stay_capacity_people")}
    columns |= {"candidate_id": sites["shelter_id"], "share_let": seen.share_let, "safe_in": safe, "unsafe_in": unsafe}
    columns["indoor"] = _roof(sites, facts)
    columns |= {**_placed(seen, order, phased), **_placed_for_nights(seen, staying)}
    for name in ("normal_use", "conversion_h", "opening"):
        columns[name] = sites[name] if name in sites else [np.nan if name == "conversion_h" else None] * n
    needs = convertible.lacking(seen)
    for name, which in (("missing", 0), ("not_known", 1)):
        columns[name] = [";".join(need for need, of in needs.items() if of[which][row]) for row in range(n)]
    table = pd.DataFrame(columns, index=sites.index)
    table = pd.concat([table, _reasons(seen, table, order), _dual(table)], axis=1)
    table = table[list(COLUMNS)].astype(COLUMNS)
    found = gpd.GeoDataFrame(table, geometry=sites.geometry, crs=sites.crs)
    return found.sort_values(["order", "candidate_id"], na_position="last").reset_index(drop=True)


def _roof(sites: gpd.GeoDataFrame, facts: pd.DataFrame) -> Words:
    floor, ground = (sites["floor_m2"] > 0).to_numpy(), (sites["open_m2"] > 0).to_numpy()
    roofed = facts["roofed"].to_numpy() > 0
    return np.select([floor & ground, roofed], ["both", "indoor"], default="outdoor").astype(object)


def _placed(seen: Seen, order: Order, phased: Phased) -> dict[str, Floats]:
    """Place in the order, gains, phases and costs, (n,) each."""
    row = seen.kept[order.chosen]
    given = {
        "order": np.arange(1, len(row) + 1), "gain_people": order.gain, "cumulative_people": np.cumsum(order.gain),
        "phase": phased.phase, "phase_whole": phased.whole, "cost": phased.cost,
    }  # fmt: skip
    found = {name: _at(row, values, len(seen.table)) for name, values in given.items()}
    return found | {"gain_alone_people": _at(seen.kept, order.alone, len(seen.table))}


def _placed_for_nights(seen: Seen, staying: Order | None) -> dict[str, Floats]:
    n = len(seen.table)
    if staying is None:
        return {name: np.full(n, np.nan) for name in COLUMNS if "nights" in name}
    row = seen.kept[staying.chosen]
    return {
        "order_nights": _at(row, np.arange(1, len(row) + 1), n),
        "gain_nights_people": _at(row, staying.gain, n),
        "gain_nights_alone_people": _at(seen.kept, staying.alone, n),
    }


def _at(row: Ints, values: NDArray[Any], n: int) -> Floats:
    found = np.full(n, np.nan)
    found[row] = values
    return found


def _reasons(seen: Seen, table: pd.DataFrame, order: Order) -> pd.DataFrame:
    """Why each candidate (n,) has its place in the order, or none."""
    full = len(order.chosen) == seen.now.base.params.siting.most
    left, said = np.full(len(table), "not_reached", dtype=object), list[tuple[str, str, str]]()
    left[seen.reached] = "adds_nobody"
    left[seen.kept[order.at_most(len(order.chosen)) > 0]] = "not_among_most" if full else "adds_nobody"
    for row, (at, why) in enumerate(zip(table["order"], seen.why_not, strict=True)):
        if np.isnan(at):
            said.append(_not(str(why or left[row]), seen, row))
        else:
            said.append(_proposed(table.iloc[row], len(order.chosen)))
    return pd.DataFrame(said, columns=["reason_code", "reason_en", "reason_zh"], index=table.index, dtype=object)


def _proposed(row: pd.Series, of: int) -> tuple[str, str, str]:
    said = words.proposed(
        order=row["order"], of=of, gain=row["gain_people"], alone=row["gain_alone_people"], room=row["capacity_people"],
        nights=row["stay_capacity_people"], phase=row["phase"], cost=row["cost"],
    )  # fmt: skip
    return said.code, said.en, said.zh


def _not(code: str, seen: Seen, row: int) -> tuple[str, str, str]:
    if code in words.WHY_NOT:
        en, zh = (text.format(share=seen.share_let[row]) for text in words.WHY_NOT[code])
        return code, en, zh
    return code, *words.not_usable(*seen.sites[["reason_en", "reason_zh"]].iloc[row])


def _dual(table: pd.DataFrame) -> pd.DataFrame:
    """The two uses of each candidate in one sentence."""
    asked = ("kind", "normal_use", "tier", "capacity_people", "safe_in", "conversion_h", "opening", "missing",
             "not_known")  # fmt: skip
    said = []
    for kind, use, tier, room, safe, hours, opening, missing, unknown in zip(*(table[a] for a in asked), strict=True):
        own = (use, use) if isinstance(use, str) else words.KINDS.get(kind, (str(kind), str(kind)))
        said.append(words.dual_use(
            use=own, tier=tier, room=room, hours=hours, opening=opening if isinstance(opening, str) else None,
            safe_in=_split(safe), missing=_split(missing), unknown=_split(unknown),
        ))  # fmt: skip
    return pd.DataFrame(said, columns=["dual_en", "dual_zh"], index=table.index, dtype=object)


def _split(text: str) -> list[str]:
    return [word for word in text.split(";") if word]


def _communities(now: Situation, layer: gpd.GeoDataFrame, order: Order) -> pd.DataFrame:
    """``refuge_gain_people`` who live there and find refuge by the order, ``refuge_candidates`` there.

    Indexed like the communities; candidates that the hazard, their ground or their room rules out are not counted.
    """
    ids = now.base.communities["community_id"]
    homes, there = Parts.named(now.base.community_id, ids), Parts.named(layer["community_id"], ids)
    could = layer["gain_alone_people"].notna().to_numpy()
    columns = {"refuge_gain_people": homes.sums(order.newly()), "refuge_candidates": there.counts(could)}
    return pd.DataFrame(columns, index=now.base.communities.index)


def _headline(order: Order, phased: Phased, left: int) -> dict[str, float]:
    """``people_unserved_existing``, then after each phase (``least``: no choice leaves fewer) and all; and the cost."""
    told: dict[str, float] = {"people_unserved_existing": left}
    for phase, (people, most) in enumerate(zip(phased.people, phased.at_most, strict=True), 1):
        told |= {f"people_unserved_phase_{phase}": left - int(people),
                 f"people_unserved_least_phase_{phase}": left - int(most)}  # fmt: skip
    told["people_unserved_converted"] = left - int(order.gain.sum())
    told |= {"refuge_candidates": len(order.alone), "refuge_order": len(order.chosen),
             "refuge_cost": float(phased.cost.sum())}  # fmt: skip
    return {name: float(value) for name, value in told.items()}


def _of_sites(seen: Seen) -> tuple[Finding, ...]:
    """That the plan counts candidates as open; where it does not, those that would hold too many to be likely."""
    counted = int((seen.now.sites["origin"] == "candidate").sum())
    if counted:
        return (words.assumed_open(counted),)
    return shelters.large_notes(seen.sites.iloc[seen.kept], params=seen.now.base.params.shelter)
