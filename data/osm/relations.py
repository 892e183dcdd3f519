"""What the relations of a map say, before any way is read; and the areas that libosmium makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import osmium
from osmium.osm import Area, Relation

import data.osm.kinds as kinds
from data.osm.files import original
from data.osm.raw import TurnRule
from data.osm.tagging import Tags
from geo.network import WAY_TAGS

STREET_KEYS = frozenset({*WAY_TAGS, "name:zh", "name:zh-Hans", "name:en"} - {"area"})
"""What the outline of a square takes over from it as a street."""
_WKB = osmium.geom.WKBFactory()


@dataclass
class Plan:
    """What relations say: tags, outer ways, the ways that make up squares, shores, borders and routes, and turns.

    ``tags`` are those of areas, ``tags_of_routes`` those of ways to safety.
    """

    tags: dict[int, Tags] = field(default_factory=dict)
    tags_of_routes: dict[int, Tags] = field(default_factory=dict)
    outer: dict[int, list[int]] = field(default_factory=dict)
    squares: dict[int, Tags] = field(default_factory=dict)
    shores: dict[int, list[int]] = field(default_factory=dict)
    borders: dict[int, list[int]] = field(default_factory=dict)
    routes: dict[int, list[int]] = field(default_factory=dict)
    turns: list[TurnRule] = field(default_factory=list)
    unreadable: int = 0

    @property
    def parts(self) -> set[int]:
        """The ways that matter as a part of something, whatever they are themselves."""
        return {way for of in (self.shores, self.borders, self.routes) for ways in of.values() for way in ways}

    def relation(self, relation: Relation) -> None:
        """Called by libosmium for each relation; one whose tags are no UTF-8 is counted."""
        try:
            self._take(relation, dict(relation.tags))
        except UnicodeDecodeError:
            self.unreadable += 1

    def _take(self, relation: Relation, tags: Tags) -> None:
        if tags.get("type", "").partition(":")[0] == "restriction":
            members = tuple((m.type, original(m.ref), m.role) for m in relation.members)
            self.turns.append(TurnRule(original(relation.id), tags, members))
        elif tags.get("type") in ("multipolygon", "boundary") and kinds.is_of_interest(tags):
            self._area(relation, tags)
        elif tags.get("type") == "route" and kinds.evacuated_from(tags):
            self.tags_of_routes[relation.id] = tags
            self.routes[relation.id] = [m.ref for m in relation.members if m.type == "w"]

    def _area(self, relation: Relation, tags: Tags) -> None:
        ways = [(m.ref, m.role) for m in relation.members if m.type == "w"]
        self.tags[relation.id] = tags
        self.outer[relation.id] = [number for number, role in ways if role != "inner"]
        if kinds.area(tags) == "water":
            self.shores[relation.id] = [number for number, _ in ways]
        if tags.get("boundary") == "administrative":
            self.borders[relation.id] = [number for number, _ in ways]
        if "highway" in tags:
            as_street = {key: value for key, value in tags.items() if key in STREET_KEYS}
            self.squares |= {number: as_street for number, _ in ways}


@dataclass
class Areas:
    """Outlines of relations as libosmium puts them together: ``number`` of the relation, and WKB in degrees."""

    number: list[int] = field(default_factory=list)
    wkb: list[bytes] = field(default_factory=list)

    def area(self, area: Area) -> None:
        """Called by libosmium for each relation; one that could not be put together has no rings."""
        if area.num_rings()[0]:
            self.number.append(area.orig_id())
            self.wkb.append(bytes.fromhex(_WKB.create_multipolygon(area)))
