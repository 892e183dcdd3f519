"""Turn restrictions as ``geo.network.Ways.restrictions``: which turns a map forbids, and which alone it allows.

A relation says from which way, over which node or ways, into which way. What it says may hold for all
(``restriction=no_left_turn``), for one kind of vehicle (``restriction:hgv``) or at times (``restriction:conditional``);
one relation may say several of these. Only ``no_entry`` has several ways to come from, only ``no_exit`` several to go
to (OSM wiki, Relation:restriction).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pandas as pd

from data.osm.raw import TurnRule
from data.osm.tagging import Tags
from geo.network import RESTRICTIONS

NO_NODE = -1
"""``via_node`` of what leads over ways."""
FORMS = ("no_", "only_")
"""How what a turn restriction says begins."""
SEVERAL_FROM, SEVERAL_TO = "no_entry", "no_exit"


@dataclass(frozen=True)
class _Path:
    """From which ways, over which node or ways, into which ways a relation leads."""

    start: tuple[int, ...]
    node: tuple[int, ...]
    ways: tuple[int, ...]
    end: tuple[int, ...]

    @property
    def whole(self) -> bool:
        """Whether it starts and ends somewhere, and leads over one node or over ways."""
        return bool(self.start and self.end) and (len(self.node), bool(self.ways)) in ((1, False), (0, True))

    def fits(self, kind: str) -> bool:
        """Whether one turn is meant, or those that ``kind`` may forbid at once."""
        return (len(self.start) == 1 or kind == SEVERAL_FROM) and (len(self.end) == 1 or kind == SEVERAL_TO)


def restrictions(
    turns: Sequence[TurnRule], ways: Collection[int], nodes: Collection[int], *, counts: Counter[str]
) -> pd.DataFrame:
    """``geo.network.RESTRICTIONS`` of the relations whose streets (``ways``) and node (among ``nodes``) are all there.

    Rows are in the order of relation, kind, vehicle and ways. What lacks a member, or does not say which turn it means,
    is counted.
    """
    rows: list[tuple[object, ...]] = []
    for turn in turns:
        path = _path(turn.members)
        there = path.whole and _there(path, ways, nodes)
        found = list(_rows(turn, path)) if there else []
        counts["restrictions_incomplete"] += not found
        rows += found
    counts["restrictions"] += len(rows)
    rows.sort(key=lambda row: tuple((value is not None, value) for value in row))
    columns = {name: [row[i] for row in rows] for i, name in enumerate(RESTRICTIONS)}
    return pd.DataFrame({name: pd.Series(values, dtype=RESTRICTIONS[name]) for name, values in columns.items()})


def _there(path: _Path, ways: Collection[int], nodes: Collection[int]) -> bool:
    return all(way in ways for way in (*path.start, *path.ways, *path.end)) and all(n in nodes for n in path.node)


def _path(members: Sequence[tuple[str, int, str]]) -> _Path:
    def numbers(form: str, role: str) -> tuple[int, ...]:
        return tuple(dict.fromkeys(number for kind, number, said in members if (kind, said) == (form, role)))

    return _Path(numbers("w", "from"), numbers("n", "via"), numbers("w", "via"), numbers("w", "to"))


def _rows(turn: TurnRule, path: _Path) -> Iterator[tuple[object, ...]]:
    for kind, vehicle, condition in _said(turn.tags):
        if path.fits(kind):
            node = path.node[0] if path.node else NO_NODE
            for start, end in product(path.start, path.end):
                yield turn.number, kind, start, node, path.ways, end, turn.tags.get("except"), vehicle, condition


def _said(tags: Tags) -> Iterator[tuple[str, str | None, str | None]]:
    """Kind, vehicle and condition of everything the tags forbid or prescribe.

    ``type=restriction:hgv`` is the old way to write ``restriction:hgv``.
    """
    old = tags.get("type", "").partition(":")[2] or None
    for key, value in tags.items():
        name, *more = key.split(":")
        if name != "restriction":
            continue
        conditional = more[-1:] == ["conditional"]
        vehicle = ":".join(more[: len(more) - conditional]) or old
        kind = value.partition("@")[0].strip()
        if kind.startswith(FORMS):
            yield kind, vehicle, value if conditional else None
