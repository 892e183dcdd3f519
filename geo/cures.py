"""For each community the cheapest single change that would most improve it: computed, with its gain and its cost.

A gain is exact: people are dealt out again with the change (``geo.redealt``), and the unserved are counted before and
after. Changes (``geo.remedies``) are taken in the order of a bound, since no more can be served than are left, or than
there is new room for, until none that is left could be proposed. Of those that serve at least ``near_best_share`` of
what the best one serves, the cheapest is proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import cure_words, refuge, remedies
from geo.costs import CureParams
from geo.cure_words import NOT_SOUGHT, NOTHING_NEEDED
from geo.parts import Parts
from geo.reasons import CAUSES, Sentence
from geo.remedies import Change, Ward
from geo.situation import Situation

Ints = NDArray[np.int64]

KINDS = ("room", "open", "street", "footbridge", "site")
"""Kinds of change; of changes alike in all else the earlier is proposed."""
FEW = 0.5
"""A change that serves less than this share of those left is told with the reason why most of them are left."""
COLUMNS = {
    **dict.fromkeys(("fix", "fix_en", "fix_zh"), "object"),
    **dict.fromkeys(("fix_gain_people", "fix_gain_all_people", "fix_gain_share", "fix_cost"), "float64"),
    "fix_target": "object",
    "fix_exact": "bool",
}
"""What is told of each community; see ``by_community``."""
MORE = {"community_id": "object", "rank": "int64", **COLUMNS, "fix_room_people": "int64", "fix_length_m": "float64"}
"""Columns of ``layer`` before the geometry."""


@dataclass(frozen=True)
class Tried:
    """A change with the people it newly serves in its community, and in all."""

    change: Change
    gain: int
    gain_all: int


@dataclass(frozen=True)
class Cure:
    """What is found for one community: the changes that help, the proposed one first.

    ``left`` people are not served; ``exact``: no change that was not worked out could be proposed instead; ``sought``
    False: none was looked for, others have more people left (``cures.communities``).
    """

    left: int
    changes: tuple[Tried, ...]
    exact: bool
    sought: bool = True

    @property
    def fix(self) -> str:
        """The kind of change proposed; ``no_help`` where none helps, ``none_needed``, ``not_sought``."""
        if self.changes:
            return self.changes[0].change.kind
        return NOTHING_NEEDED.code if not self.left else "no_help" if self.sought else NOT_SOUGHT.code

    def __repr__(self) -> str:
        return f"Cure({self.fix}, {self.left:,} left)"


def find(now: Situation, *, params: CureParams) -> tuple[Cure, ...]:
    """What would help each community, (communities,) in their order; those with most people left are seen to first."""
    ward = Ward(now, params)
    left = ward.homes.sums(ward.left)
    found = [Cure(int(n), (), True) for n in left]
    ids, rows = now.base.communities["community_id"].to_numpy(dtype=str), ward.homes.rows()
    search = _Search(ward)
    for place, community in enumerate(np.lexsort((ids, -left)).tolist()):
        if left[community]:
            sought = place < params.communities
            found[community] = (
                search.cure(community, rows[community]) if sought else Cure(int(left[community]), (), False, False)
            )
    return tuple(found)


@dataclass
class _Search:
    """The search for all communities: what was worked out, for another one that asks the same, and how much."""

    ward: Ward
    known: dict[tuple[str, tuple[str, ...], int], tuple[dict[int, int], int, int]] = field(default_factory=dict)
    whole: int = 0

    def cure(self, community: int, rows: Ints) -> Cure:
        """What helps one community, whose places are ``rows``."""
        ward, params = self.ward, self.ward.params
        mine = rows[ward.left[rows] > 0]
        total, tried, exact = int(ward.left[mine].sum()), list[Tried](), True
        for change in sorted(remedies.changes(ward, community, mine), key=lambda c: (c.whole, -c.most, c.cost, c.key)):
            best = max((each.gain for each in tried), default=0)
            if min(change.most, total) < params.near_best_share * best:
                continue
            if len(tried) >= params.tries or (change.whole and self.whole >= params.tries_whole):
                exact = False
                continue
            tried.append(self._worked_out(change, community))
        return Cure(total, _ranked(tried, params), exact)

    def _worked_out(self, change: Change, community: int) -> Tried:
        """The gain of a change; of more room than is used only as much is asked for as is."""
        if change.key not in self.known:
            outcome = change.outcome()
            part = self.ward.homes.part[outcome.place]
            gains = {int(of): int(outcome.gain[part == of].sum()) for of in np.unique(part)}
            self.known[change.key] = (gains, int(outcome.gain.sum()), outcome.used)
            self.whole += change.whole
        gains, gain_all, used = self.known[change.key]
        if change.kind in ("room", "site") and 0 < used < change.room:
            change = change.with_room(used, self.ward.params)
        elif change.kind == "open":
            change = change.taking_in(used, self.ward.params)
        return Tried(change, gains.get(community, 0), gain_all)


def _ranked(tried: Sequence[Tried], params: CureParams) -> tuple[Tried, ...]:
    """The proposed change, then others: those that help most first; nothing that helps nobody."""
    helps = list({each.change.key: each for each in tried if each.gain > 0}.values())
    if not helps:
        return ()
    enough = params.near_best_share * max(each.gain for each in helps)
    first = min((e for e in helps if e.gain >= enough), key=lambda e: (e.change.cost, -e.gain, *_order(e)))
    rest = sorted((e for e in helps if e is not first), key=lambda e: (-e.gain, e.change.cost, *_order(e)))
    return (first, *rest[: params.runners_up])


def _order(tried: Tried) -> tuple[int, tuple[str, ...], int]:
    change = tried.change
    return KINDS.index(change.kind), change.targets, change.room


# -- what is told --------------------------------------------------------------------------------------------------


def by_community(now: Situation, found: Sequence[Cure], *, params: CureParams) -> pd.DataFrame:
    """``COLUMNS`` for each community (rows as ``found``, index as the communities).

    ``fix`` is a kind of change, ``no_help``, ``none_needed`` or ``not_sought``; ``fix_gain_people`` are newly served in
    the community, ``fix_gain_all_people`` in all (NaN: not sought), ``fix_gain_share`` of those left in the community
    (NaN: not sought, or nobody is left); ``fix_cost`` in thousand CNY (NaN: no change), ``fix_target`` the ids changed,
    ``fix_exact`` False where not all was tried.
    """
    causes = _main_causes(now, found)
    rows = [
        _row(cure, cure.changes[0], cause) if cure.changes else _no_row(cure, cause, params)
        for cure, cause in zip(found, causes, strict=True)
    ]
    return _typed(rows, COLUMNS).set_axis(now.base.communities.index)


def layer(now: Situation, found: Sequence[Cure]) -> gpd.GeoDataFrame:
    """The changes that help, the proposed one of each community (rank 1) and its runners-up; in the network's CRS.

    ``MORE`` columns; the geometry is a shelter's point, or the line of streets raised or of a footbridge.
    """
    ids = now.base.communities["community_id"]
    rows, shapes = [], list[shapely.Geometry]()
    for ident, cure, cause in zip(ids, found, _main_causes(now, found), strict=True):
        for rank, tried in enumerate(cure.changes, start=1):
            change = tried.change
            size = {"fix_room_people": change.room, "fix_length_m": change.length_m}
            rows.append({"community_id": ident, "rank": rank, **_row(cure, tried, cause), **size})
            shapes.append(change.shape)
    return gpd.GeoDataFrame(_typed(rows, MORE), geometry=gpd.GeoSeries(shapes, crs=now.base.network.crs))


def _typed(rows: Sequence[dict[str, object]], columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in columns.items()})


def _row(cure: Cure, tried: Tried, cause: tuple[str, str]) -> dict[str, object]:
    change = tried.change
    because = cause if tried.gain < FEW * cure.left else None
    said = cure_words.for_change(
        change.kind, change.what, room=change.room, metres=change.length_m, gain=tried.gain, left=cure.left,
        elsewhere=tried.gain_all - tried.gain, sure=cure.exact, because=because,
    )  # fmt: skip
    values = (tried.gain, tried.gain_all, tried.gain / cure.left, change.cost, " ".join(change.targets), cure.exact)
    return dict(zip(COLUMNS, (said.code, said.en, said.zh, *values), strict=True))


def _no_row(cure: Cure, cause: tuple[str, str], params: CureParams) -> dict[str, object]:
    said: Sentence = NOTHING_NEEDED
    if not cure.sought:
        said = NOT_SOUGHT
    elif cure.left:
        limits = {"more": params.room_most_share, "street_m": params.street_most_m, "bridge_m": params.bridge_most_m}
        said = cure_words.for_none(cure.left, cause, sure=cure.exact, **limits)
    gain = 0.0 if cure.sought else np.nan
    share = gain if cure.left else np.nan
    return dict(zip(COLUMNS, (said.code, said.en, said.zh, gain, gain, share, np.nan, None, cure.exact), strict=True))


def _main_causes(now: Situation, found: Sequence[Cure]) -> list[tuple[str, str]]:
    """Why most of those left in each community are left, in words; empty where nobody is."""
    base, left = now.base, now.refuge.assigned.unserved
    homes = Parts.named(base.community_id, base.communities["community_id"])
    states = refuge.states(base.seekers, now.refuge, base.normal.walks).to_numpy(dtype=object)
    counts = np.column_stack([homes.sums(left, states == state) for state in CAUSES])
    names, most, minutes = list(CAUSES), counts.argmax(axis=1), base.params.walk.max_minutes
    return [
        cure_words.main_cause(names[most[row]], int(counts[row].max()), minutes=minutes) if cure.left else ("", "")
        for row, cure in enumerate(found)
    ]
