"""The one pass through an OpenStreetMap file: what is of interest, with its tags and its shape in degrees.

Three steps. Relations first, to know which ways belong to squares and shores. Then nodes, ways and the areas that
relations enclose, in the order of the file. Then what is missing: a way over nodes that the extract lacks is kept in
pieces, and when those nodes are in the file after all (it is not sorted) it is read again from a sorted copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
import shapely
from osmium.filter import IdFilter, KeyFilter
from osmium.osm import Area, Node, Relation, Way

import data.osm.kinds as kinds
from data.osm.files import header, opened, original, reading, tidy_copy
from data.osm.raw import Header, Raw, Shapes, Streets, Tags, Things, TurnRule
from data.osm.values import day
from geo.errors import UnreadableError
from geo.network import WAY_TAGS

NODE_KEYS = (
    "amenity", "emergency", "healthcare", "leisure", "shop", "man_made", "power", "place", "barrier", "social_facility",
    "building", "shelter_type", "bunker_type", "railway", "evacuation_centre", "evacuation_center", "name",
    "emergency:social_facility", "emergency:amenity", "emergency:camp_area",
)  # fmt: skip
"""A node without any of these is only a corner of something."""
STREET_KEYS = frozenset({*WAY_TAGS, "name:zh", "name:zh-Hans", "name:en"} - {"area"})
"""What the outline of a square takes over from it as a street."""
LOOKED_FOR = 16
"""How many missing nodes are looked for in the file."""
OUT_OF_ORDER = ("twice in input", "out of order")
"""What libosmium says of a file that is not sorted, where it notices."""
_WKB = osmium.geom.WKBFactory()
_EVERY_NODE = osmium.geom.use_nodes.ALL


def scan(path: Path) -> Raw:
    """Read a file; FileMissingError and UnreadableError say what is wrong with it."""
    head = header(path)
    gathered = _if_sorted(path, head)
    if gathered is None:
        with tidy_copy(path) as sorted_file:
            gathered = _passed(sorted_file, head)
        gathered.counts["file_sorted_first"] = 1
    return gathered.result(head)


def _if_sorted(path: Path, head: Header) -> _Pass | None:
    """What one pass gathers; None when the file must be put in order first."""
    try:
        gathered = _passed(path, head)
    except UnreadableError as error:
        if any(said in str(error.__cause__) for said in OUT_OF_ORDER):
            return None
        raise
    disorder = gathered.counts["objects_repeated"] or gathered.nodes_late or _holds_any(path, gathered.missing)
    return None if disorder else gathered


def _passed(path: Path, head: Header) -> _Pass:
    gathered = _Pass(_plan(path), dated=head.date is not None)
    tagged = KeyFilter(*NODE_KEYS)
    tagged.enable_for(osmium.osm.NODE)
    # An area has twice the number of its way, or of its relation plus one; closed ways are met as ways already.
    of_relations = IdFilter(2 * number + 1 for number in gathered.plan.tags)
    of_relations.enable_for(osmium.osm.AREA)
    with reading(path):
        for thing in osmium.FileProcessor(opened(path)).with_areas().with_filter(tagged).with_filter(of_relations):
            if isinstance(thing, Way):
                gathered.way(thing)
            elif isinstance(thing, Node):
                gathered.node(thing)
            elif isinstance(thing, Area):
                gathered.area(thing)
    return gathered


def _holds_any(path: Path, nodes: set[int]) -> bool:
    """Whether missing nodes are in the file after all; a few are looked for, since each may cost the filter 4 MB."""
    if not nodes:
        return False
    if min(nodes) < 0:
        return True
    few = sorted(nodes)[:: max(1, len(nodes) // LOOKED_FOR)]
    with reading(path):
        wanted = osmium.FileProcessor(opened(path), osmium.osm.NODE).with_filter(IdFilter(few))
        return next(iter(wanted), None) is not None


@dataclass
class _Plan:
    """What relations say: tags, outer ways, the ways that make up squares, shores and borders, and turns."""

    tags: dict[int, Tags] = field(default_factory=dict)
    outer: dict[int, list[int]] = field(default_factory=dict)
    squares: dict[int, Tags] = field(default_factory=dict)
    shores: dict[int, list[int]] = field(default_factory=dict)
    borders: dict[int, list[int]] = field(default_factory=dict)
    turns: list[TurnRule] = field(default_factory=list)

    def take(self, relation: Relation) -> None:
        tags = dict(relation.tags)
        if tags.get("type", "").partition(":")[0] == "restriction":
            members = tuple((m.type, original(m.ref), m.role) for m in relation.members)
            self.turns.append(TurnRule(original(relation.id), tags, members))
            return
        if tags.get("type") not in ("multipolygon", "boundary") or kinds.KEYS.isdisjoint(tags):
            return
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


def _plan(path: Path) -> _Plan:
    plan = _Plan()
    with reading(path):
        for relation in osmium.FileProcessor(opened(path), osmium.osm.RELATION):
            if isinstance(relation, Relation):
                plan.take(relation)
    return plan


@dataclass(frozen=True)
class _Piece:
    """A stretch of a way; ``nodes`` are named only where the way is cut."""

    wkb: bytes
    nodes: tuple[int, ...] = ()


@dataclass
class _Pass:
    """Everything gathered on the way through the file."""

    plan: _Plan
    dated: bool
    ids: list[str] = field(default_factory=list)
    tags: list[Tags] = field(default_factory=list)
    wkb: list[bytes] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    street_row: list[int] = field(default_factory=list)
    street_nodes: list[list[int]] = field(default_factory=list)
    street_wkb: list[bytes] = field(default_factory=list)
    lines: dict[int, bytes] = field(default_factory=dict)
    barriers: list[tuple[int, Tags]] = field(default_factory=list)
    areas: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    newest: str = ""
    ways_seen: bool = False
    nodes_late: bool = False

    def __post_init__(self) -> None:
        parts = (*self.plan.shores.values(), *self.plan.borders.values())
        self._parts = {way for ways in parts for way in ways}

    def node(self, node: Node) -> None:
        """A node that is something."""
        tags = dict(node.tags)
        self.nodes_late |= self.ways_seen
        if "barrier" in tags:
            self.barriers.append((original(node.id), tags))
        if not kinds.KEYS.isdisjoint(tags) and node.location.valid():
            self._keep(f"n{original(node.id)}", tags, _wkb(shapely.Point(node.lon, node.lat)), closed=False)

    def way(self, way: Way) -> None:
        """A way: a street, a line, an outline, or several of these."""
        tags = dict(way.tags)
        self.ways_seen = True
        if "highway" not in tags and way.id in self.plan.squares:
            tags = {**self.plan.squares[way.id], **tags}
        wanted, part = not kinds.KEYS.isdisjoint(tags), way.id in self._parts
        if not (wanted or part):
            return
        if not self.dated:
            self.newest = max(self.newest, way.timestamp.isoformat())
        pieces = self._pieces(way)
        if pieces and part:
            self.lines[way.id] = _joined([piece.wkb for piece in pieces])
        if pieces and wanted:
            self._keep_way(way, tags, pieces)

    def area(self, area: Area) -> None:
        """An area that a relation encloses; one that could not be put together has no rings."""
        number = area.orig_id()
        if area.num_rings()[0] and number in self.plan.tags:
            self.areas.add(number)
            shape = bytes.fromhex(_WKB.create_multipolygon(area))
            self._keep(f"r{original(number)}", self.plan.tags[number], shape, closed=True)

    def result(self, head: Header) -> Raw:
        """What was gathered, for the whole file."""
        for number in self.plan.tags.keys() - self.areas:
            self.counts[_cut_off(self.plan.tags[number])] += 1
        things = Things(self.ids, self.tags, _shapes(self.wkb), np.array(self.closed, dtype=bool))
        numbers = [int(self.ids[row][1:]) for row in self.street_row]
        streets = Streets(self.street_row, numbers, self.street_nodes, _shapes(self.street_wkb))
        head = Header(head.bounds, head.date or _real_day(self.newest))
        return Raw(
            head, things, streets, self._cut_off(self.plan.shores), self._cut_off(self.plan.borders),
            self._outlines(), self.barriers, self.plan.turns, self.counts,
        )  # fmt: skip

    def _cut_off(self, relations: dict[int, list[int]]) -> Things:
        """Those of the relations that became no area, with the lines there are of them."""
        there = {r: [self.lines[w] for w in ways if w in self.lines] for r, ways in relations.items()}
        cut = [r for r in sorted(there.keys() - self.areas) if there[r]]
        tags, shapes = [self.plan.tags[r] for r in cut], _shapes(_joined(there[r]) for r in cut)
        return Things([f"r{original(r)}" for r in cut], tags, shapes, np.zeros(len(cut), dtype=bool))

    def _outlines(self) -> dict[str, list[Tags]]:
        outlines: dict[str, list[Tags]] = {}
        for number in self.areas:
            for way in self.plan.outer[number]:
                outlines.setdefault(f"w{original(way)}", []).append(self.plan.tags[number])
        return outlines

    def _keep(self, name: str, tags: Tags, wkb: bytes, *, closed: bool) -> bool:
        if name in self.seen:
            self.counts["objects_repeated"] += 1
            return False
        self.seen.add(name)
        self.ids.append(name)
        self.tags.append(tags)
        self.wkb.append(wkb)
        self.closed.append(closed)
        return True

    def _keep_way(self, way: Way, tags: Tags, pieces: list[_Piece]) -> None:
        whole = not pieces[0].nodes
        self.counts["ways_cut_by_missing_nodes"] += not whole
        closed = whole and way.is_closed() and len(way.nodes) > 3
        line = _joined([piece.wkb for piece in pieces])
        if self._keep(f"w{original(way.id)}", tags, line, closed=closed) and "highway" in tags:
            for piece in pieces:
                self.street_row.append(len(self.ids) - 1)
                self.street_nodes.append([original(n) for n in piece.nodes or [node.ref for node in way.nodes]])
                self.street_wkb.append(piece.wkb)

    def _pieces(self, way: Way) -> list[_Piece]:
        """The way, or its parts between missing nodes; none when no two nodes in a row are known."""
        try:
            return [_Piece(bytes.fromhex(_WKB.create_linestring(way, _EVERY_NODE)))]
        except (RuntimeError, osmium.InvalidLocationError):
            pieces = self._cut(way)
            self.counts["ways_without_line"] += not pieces
            return pieces

    def _cut(self, way: Way) -> list[_Piece]:
        runs: list[list[tuple[int, float, float]]] = [[]]
        for node in way.nodes:
            if node.location.valid():
                runs[-1].append((node.ref, node.lon, node.lat))
            else:
                self.missing.add(node.ref)
                runs.append([])
        long = (run for run in runs if len(run) > 1)
        return [_Piece(_wkb(shapely.LineString([p[1:] for p in run])), tuple(p[0] for p in run)) for run in long]


def _wkb(shape: shapely.Geometry) -> bytes:
    return bytes(shapely.to_wkb(shape))


def _joined(lines: list[bytes]) -> bytes:
    if len(lines) == 1:
        return lines[0]
    return _wkb(shapely.MultiLineString([*shapely.get_parts(shapely.from_wkb(lines))]))


def _shapes(wkb: Iterable[bytes]) -> Shapes:
    return np.asarray(shapely.from_wkb(np.array(list(wkb), dtype=object)), dtype=object)


def _cut_off(tags: Tags) -> str:
    """Under which count a relation goes whose area cannot be closed."""
    if kinds.is_unit(tags):
        return "boundaries_cut_off"
    if kinds.is_building(tags):
        return "buildings_cut_off"
    return "water_cut_off" if kinds.area(tags) == "water" else "areas_cut_off"


def _real_day(stamp: str) -> str | None:
    """The day of a time stamp; files without time stamps have them all at the beginning of 1970."""
    return None if stamp < "1971" else day(stamp)
