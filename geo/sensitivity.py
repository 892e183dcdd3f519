"""How results move when thresholds move: walking speed, room, depth of water, the longest walk that counts.

Each variant is the same question with one number changed, answered in full: who is served then, and which communities
stand otherwise. Speed and limit need no new ways: who walks a tenth faster reaches in 15 minutes what now takes 16.5.
Water is shifted where there is water, at every depth alike; dry ground stays dry and unknown ground unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import levels, reaching, refuge, situation, summary
from geo.hazards import Hazard
from geo.pairs import Pairs
from geo.parts import Parts
from geo.refuge import Pace, Refuge
from geo.situation import Situation
from geo.thresholds import SensitivityParams

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

COLUMNS = {
    "variant": "object", "step": "float64", "unit": "object", "label_en": "object", "label_zh": "object",
    "people_served": "int64", "people_served_change": "int64", "communities_changed": "int64",
}  # fmt: skip
"""Columns of the table, and their types."""
CHANGED = ("variant", "step", "community_id", "status_before", "status_after")
"""Columns of the communities that stand otherwise."""
LABELS = {
    "speed": ("Walking speed {step:+.0%}", "步行速度{step:+.0%}"),
    "room": ("Room in shelters {step:+.0%}", "避难场所容量{step:+.0%}"),
    "depth": ("Water depth {step:+g} m", "水深{step:+g}米"),
    "limit": ("Longest walk {step:+g} min", "步行时限{step:+g}分钟"),
}
"""What each variant is called, in English and Chinese."""
UNITS = {"speed": "share", "room": "share", "depth": "m", "limit": "min"}


class Variant(NamedTuple):
    """One threshold moved by one step: a key of ``LABELS``, and the step in its unit."""

    name: str
    step: float


@dataclass(frozen=True)
class Sensitivity:
    """What moved thresholds come to.

    ``table`` has one row a variant (``COLUMNS``), ``communities`` one row for each community that stands otherwise
    under a variant (``CHANGED``); ``people_served`` is as things stand.
    """

    people_served: int
    table: pd.DataFrame
    communities: pd.DataFrame

    def __repr__(self) -> str:
        change = self.table["people_served_change"]
        span = f"{change.min():+d} to {change.max():+d}" if len(change) else "nothing moved"
        return f"Sensitivity({self.people_served} served; {span} under {len(change)} variants)"


def moved(now: Situation, *, params: SensitivityParams) -> Sensitivity:
    """People served and communities that change status under each variant.

    Depth is left out where no hazard of water is in force, the limit where a shorter one would leave no walk at all.
    """
    rows, others = [], []
    before = _statuses(now, now.refuge)
    served = now.refuge.assigned.served
    for variant, found in _variants(now, params):
        after = _statuses(now, found)
        other = before != after
        label_en, label_zh = (text.format(step=variant.step) for text in LABELS[variant.name])
        then = found.assigned.served
        rows.append(
            (*variant, UNITS[variant.name], label_en, label_zh, then, then - served, int(other.sum()))
        )  # fmt: skip
        others += [(*variant, name, before[name], after[name]) for name in before.index[other]]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return Sensitivity(served, table, pd.DataFrame(others, columns=list(CHANGED)))


def _variants(now: Situation, params: SensitivityParams) -> Iterator[tuple[Variant, Refuge]]:
    """Every variant with who finds refuge where under it."""
    pace, shorter = now.refuge.pace, np.min(now.refuge.pace.limit_s)
    limits = {Variant("speed", float(word)): pace.limit_s * (1 + float(word)) for word in params.speed_shares}
    minutes = [float(word) for word in params.limit_minutes]
    limits |= {Variant("limit", step): pace.limit_s + 60 * step for step in minutes if shorter + 60 * step > 0}
    yield from _in_reach(now, limits)
    for word in params.room_shares:
        yield Variant("room", float(word)), _with_room(now, 1 + float(word))
    for word in params.depth_m if _water(now) else ():
        yield Variant("depth", float(word)), _deeper(now, float(word))


# -- farther and faster ------------------------------------------------------------------------------------------------


def _in_reach(now: Situation, limits: dict[Variant, float | Floats]) -> Iterator[tuple[Variant, Refuge]]:
    """Who is served within other limits: all ways are sought once, for the longest."""
    if not limits:
        return
    old = now.refuge
    longest = np.max([np.broadcast_to(limit, old.pairs.sites) for limit in limits.values()], axis=0)
    every = reaching.pairs(
        old.ways.graph, old.walks.places, old.doors, sites=old.pairs.sites, limit_s=longest, speed_ms=old.pace.speed_ms
    )
    for variant, limit_s in limits.items():
        kept = every.where(every.cost_ms <= _milliseconds(limit_s, every))
        yield variant, _dealt(now, kept, old.room, limit_s)


def _milliseconds(limit_s: float | Floats, pairs: Pairs) -> Floats:
    """The limit of each pair's site; half a millisecond more, since ways are rounded to whole ones."""
    return np.asarray(np.broadcast_to(limit_s, pairs.sites)[pairs.site] * 1000 + 0.5)


def _dealt(now: Situation, pairs: Pairs, room: Ints, limit_s: float | Floats) -> Refuge:
    old = now.refuge
    return refuge.settled(
        old.ways, now.base.seekers, replace(old.there, room=room), old.walks, pairs,
        pace=Pace(limit_s, old.pace.speed_ms), params=now.base.params.refuge, warm=old.solved,
    )  # fmt: skip


# -- more room ---------------------------------------------------------------------------------------------------------


def _with_room(now: Situation, factor: float) -> Refuge:
    """Every shelter with a share more or less room, dealt out again; room that does not limit still does not."""
    capacity = now.sites["capacity_people"].to_numpy(dtype=np.float64) * factor
    room = refuge.rooms(
        capacity, now.sites["usable"].to_numpy(dtype=bool), params=now.base.params.refuge,
        people=int(now.base.seekers.people.sum()),
    )  # fmt: skip
    return _dealt(now, now.refuge.pairs, room, now.refuge.pace.limit_s)


# -- deeper water ------------------------------------------------------------------------------------------------------


def _water(now: Situation) -> list[str]:
    """Ids of the hazards in force that are told by their depth."""
    return [hazard.hazard_id for hazard in now.faced.hazards if hazard.kind in levels.WATER and hazard.unit == "m"]


def _deeper(now: Situation, step_m: float) -> Refuge:
    """The city with its water deeper or shallower."""
    other = {name: _shifted(now.base.hazards[name], step_m) for name in _water(now)}
    return situation.of(replace(now.base, hazards={**now.base.hazards, **other}), now.scenario).refuge


def _shifted(hazard: Hazard, step_m: float) -> Hazard:
    values = hazard.grid.values
    # Where nothing is known nothing is wet: NaN is neither above nor below 0.
    wet = values > 0
    shifted = np.where(wet, np.maximum(values + step_m, 0), values).astype(values.dtype)
    return replace(hazard, grid=replace(hazard.grid, values=shifted))


# -- what becomes of communities ---------------------------------------------------------------------------------------


def _statuses(now: Situation, found: Refuge) -> pd.Series:
    """The status of each community by its id, as the summary gives it."""
    base = now.base
    names = base.communities["community_id"]
    homes = Parts.named(base.community_id, names)
    people = homes.sums(base.seekers.people)
    served = people - homes.sums(found.assigned.unserved)
    told = [
        summary.status(mine / everybody, base.params.status) if everybody else "empty"
        for mine, everybody in zip(served.tolist(), people.tolist(), strict=True)
    ]
    return pd.Series(told, index=pd.Index(names), dtype=object)
