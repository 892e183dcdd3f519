"""The one pass through an OpenStreetMap file: what is of interest, with its tags and its place in degrees.

Three steps. Relations first, to know which ways belong to squares and shores. Then nodes, ways and the areas that
relations enclose: libosmium finds the place of every node of every way and hands on nodes with tags and ways in a plain
form that is read into arrays (``data.osm.blocks``). Then what is missing: a way over nodes that the extract lacks is
kept in pieces, and when those nodes are in the file after all (it is not sorted) it is read again from a sorted copy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from osmium.filter import IdFilter, KeyFilter

import data.osm.kinds as kinds
from data.osm.blocks import FORM, Objects
from data.osm.blocks import read as read_blocks
from data.osm.chains import known, lines, stretches
from data.osm.files import NEW_OBJECT, header, opened, original, originals, reading, refuse_zero_in_text, tidy_copy
from data.osm.raw import NODE, RELATION, WAY, Chains, CutOff, Header, Ints, Raw, Shapes, Things
from data.osm.relations import Areas, Plan
from data.osm.tagging import Tags, joined, one_each
from geo.errors import UnreadableError

NODE_KEYS = (
    "amenity", "emergency", "healthcare", "leisure", "shop", "man_made", "power", "place", "barrier", "social_facility",
    "building", "shelter_type", "bunker_type", "railway", "evacuation_centre", "evacuation_center", "name",
    "emergency:social_facility", "emergency:amenity", "emergency:camp_area", "emergency:staging_area", "aeroway",
    "hazard", "hazard_prone", "flood_prone",
)  # fmt: skip
"""A node without any of these is only a corner of something."""
LOOKED_FOR = 16
"""How many missing nodes are looked for in the file."""
ID_END = 2 * NEW_OBJECT
"""No number of an object is higher; libosmium would make room for all numbers below one that is."""
OUT_OF_ORDER = ("twice in input", "out of order")
"""What libosmium says of a file that is not sorted, where it notices."""
NOWHERE = 2_147_483_647
"""What libosmium writes for a coordinate that it does not know."""
NEVER_STAMPED = 1970
"""Year of the stamps in files without stamps."""
Mask = NDArray[np.bool_]


def scan(path: Path) -> Raw:
    """Read a file; FileMissingError and UnreadableError say what is wrong with it."""
    head = header(path)
    refuse_zero_in_text(path)
    gathered = _if_readable(path)
    if gathered is None or gathered.disorder(path):
        with tidy_copy(path, renumber=gathered is None or gathered.has_new_objects()) as sorted_file:
            gathered = _passed(sorted_file)
        gathered.counts["file_sorted_first"] = 1
    return gathered.result(head)


def _if_readable(path: Path) -> _Pass | None:
    """What one pass gathers; None when libosmium itself says that the file must be put in order first."""
    try:
        return _passed(path)
    except UnreadableError as error:
        if any(said in str(error.__cause__) for said in OUT_OF_ORDER):
            return None
        raise


def _passed(path: Path) -> _Pass:
    plan, areas, making = Plan(), Areas(), osmium.area.AreaManager()
    with reading(path):
        interesting = KeyFilter(*kinds.KEYS)
        with osmium.io.Reader(opened(path), osmium.osm.RELATION) as relations:
            osmium.apply(relations, plan, interesting, making.first_pass_handler())
        with TemporaryDirectory(prefix="renxing-osm-") as folder:
            plain = Path(folder) / "plain.osm.pbf"
            _write_plain(path, plain, making.second_pass_handler(_of_relations(plan), areas))
            nodes, ways, late = read_blocks(plain, wanted=kinds.is_read)
    return _Pass(plan, areas, nodes, _that_matter(ways, plan), late)


def _write_plain(path: Path, target: Path, areas: object) -> None:
    """Nodes with tags and ways with the places of their nodes in the form of ``data.osm.blocks``; areas on the way."""
    places = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    places.ignore_errors()
    tagged = KeyFilter(*NODE_KEYS)
    tagged.enable_for(osmium.osm.NODE)
    with (
        osmium.io.Reader(opened(path), osmium.osm.NODE | osmium.osm.WAY) as reader,
        osmium.SimpleWriter(osmium.io.File(str(target), FORM)) as writer,
    ):
        osmium.apply(reader, places, tagged, writer, areas)


def _of_relations(plan: Plan) -> IdFilter:
    """Lets only areas of relations through: an area has twice the number of its way, or of its relation plus one."""
    of_relations = IdFilter(2 * number + 1 for number in plan.tags if 0 < number < ID_END)
    of_relations.enable_for(osmium.osm.AREA)
    return of_relations


def _holds_any(path: Path, nodes: Ints) -> bool:
    """Whether missing nodes are in the file after all; a few are looked for, since each may cost the filter 4 MB."""
    nodes = nodes[(nodes > 0) & (nodes < ID_END)]
    few = nodes[:: max(1, len(nodes) // LOOKED_FOR)].tolist()
    if not few:
        return False
    with reading(path):
        wanted = osmium.FileProcessor(opened(path), osmium.osm.NODE).with_filter(IdFilter(few))
        return next(iter(wanted), None) is not None


@dataclass(frozen=True)
class _Pass:
    """Everything gathered on the way through the file; ``ways`` are of interest or part of a shore or border."""

    plan: Plan
    areas: Areas
    nodes: Objects
    ways: Objects
    nodes_late: bool
    counts: Counter[str] = field(default_factory=Counter)

    @cached_property
    def wanted(self) -> Mask:
        """Whether a way is something itself."""
        return self.ways.tags.flags(kinds.is_of_interest)

    @cached_property
    def there(self) -> Mask:
        """Whether the place of each node of the ways is known."""
        return known(self.ways)

    @cached_property
    def chains(self) -> Chains:
        """The stretches of the ways."""
        return stretches(self.ways, self.there)

    @cached_property
    def found(self) -> Mask:
        """Whether a way has a stretch."""
        return np.bincount(self.chains.of, minlength=len(self.ways)) > 0

    def disorder(self, path: Path) -> bool:
        """Whether the file must be put in order before all of it can be read."""
        missing = np.unique(self.ways.node[~self.there])
        return bool(self.has_new_objects() or self.nodes_late or self.repeats() or _holds_any(path, missing))

    def has_new_objects(self) -> bool:
        """Whether there are objects drawn but never uploaded that others are made of."""
        numbers = (self.ways.node, self.ways.number, np.array(list(self.plan.tags)))
        return any(bool((number < 0).any()) for number in numbers)

    def repeats(self) -> bool:
        """Whether something is in the file twice."""
        nodes = self.nodes.number[self.nodes.tags.flags(kinds.is_of_interest)]
        every = (nodes, self.ways.number[self.wanted & self.found], np.array(self.areas.number, dtype=np.int64))
        return any((np.diff(np.sort(numbers)) == 0).any() for numbers in every)

    def result(self, head: Header) -> Raw:
        """What was gathered, for the whole file."""
        whole = self._whole()
        self.counts["ways_without_line"] = int((~self.found).sum())
        self.counts["ways_cut_by_missing_nodes"] = int((self.wanted & self.found & ~whole).sum())
        for number in self.plan.tags.keys() - set(self.areas.number):
            self.counts[_cut_off(self.plan.tags[number])] += 1
        things, streets = self._things(whole)
        head = Header(head.bounds, head.date or _day(self.ways.stamp))
        shores, borders = (self._cut_off(relations) for relations in (self.plan.shores, self.plan.borders))
        routes = self._lines_of(self.plan.routes, self.plan.tags_of_routes)
        self._count_the_rest()
        return Raw(
            head, things, streets, shores, borders, routes, self._outlines(), self._barriers(), self.plan.turns,
            self.counts,
        )  # fmt: skip

    def _count_the_rest(self) -> None:
        """What is seen and not kept."""
        tags, gone = self.nodes.tags, (self.ways.lon != NOWHERE) & ~self.there
        self.counts["power_towers"] = int(tags.flags(lambda told: told.get("power") == "tower").sum())
        self.counts["cameras"] = int(tags.flags(lambda told: told.get("man_made") == "surveillance").sum())
        self.counts["hazard_points"] = int(tags.flags(kinds.dangers).sum())
        self.counts["relations_unreadable"] = self.plan.unreadable
        self.counts["nodes_beyond_earth"] = len(np.unique(self.ways.node[gone]))
        here = set(self.ways.number[self.found].tolist())
        self.counts["evacuation_routes_cut"] = sum(not here.issuperset(ways) for ways in self.plan.routes.values())

    def _whole(self) -> Mask:
        """Whether no node of a way is missing."""
        known_before = np.r_[0, np.cumsum(self.there)]
        size = np.diff(self.ways.first)
        return np.asarray((np.diff(known_before[self.ways.first]) == size) & (size > 1), dtype=bool)

    def _things(self, whole: Mask) -> tuple[Things, Chains]:
        nodes, ways = _points(self.nodes), np.flatnonzero(self.wanted & self.found)
        n, relations = len(nodes), self.areas.number
        row = np.full(len(self.ways), -1)
        row[ways] = np.arange(n, n + len(ways))
        along = self.chains.take(row[self.chains.of] >= 0)
        tags = [
            self.nodes.tags.take(nodes),
            self.ways.tags.take(ways),
            one_each([self.plan.tags[r] for r in relations]),
        ]
        closed = np.r_[np.zeros(n, bool), self._closed(whole)[ways], np.ones(len(relations), bool)]
        things = Things(
            np.repeat(np.array([NODE, WAY, RELATION], dtype=np.int8), [n, len(ways), len(relations)]),
            originals(np.r_[self.nodes.number[nodes], self.ways.number[ways], np.array(relations, dtype=np.int64)]),
            joined(tags), closed, _with_points(self.nodes, nodes, along, row), _shapes(self.areas.wkb),
        )  # fmt: skip
        highway = self.ways.tags.flags(lambda said: "highway" in said)
        return things, _renumbered(along.take(highway[along.of]), row)

    def _closed(self, whole: Mask) -> Mask:
        """Whether a way ends where it begins, and goes round something."""
        first, node = self.ways.first, np.r_[self.ways.node, 0]
        return np.asarray(whole & (np.diff(first) > 3) & (node[first[:-1]] == node[first[1:] - 1]), dtype=bool)

    def _cut_off(self, relations: dict[int, list[int]]) -> CutOff:
        """Those of the relations that became no area, with the lines there are of them."""
        areas = set(self.areas.number)
        return self._lines_of({r: ways for r, ways in relations.items() if r not in areas}, self.plan.tags)

    def _lines_of(self, relations: dict[int, list[int]], tags: dict[int, Tags]) -> CutOff:
        """Relations with the lines there are of them."""
        parts = {way for ways in relations.values() for way in ways}
        rows = np.flatnonzero(np.isin(self.ways.number, list(parts)) & self.found)
        along = self.chains.take(np.isin(self.chains.of, rows))
        line = dict(zip(self.ways.number[rows].tolist(), lines(along, *along.degrees(), rows), strict=True))
        there = {r: found for r in sorted(relations) if (found := [line[way] for way in relations[r] if way in line])}
        shapes = np.array([*(_one(found) for found in there.values()), None], dtype=object)[:-1]
        return CutOff([f"r{original(r)}" for r in there], [tags[r] for r in there], shapes)

    def _outlines(self) -> dict[int, list[Tags]]:
        outlines: dict[int, list[Tags]] = {}
        for number in self.areas.number:
            for way in self.plan.outer[number]:
                outlines.setdefault(original(way), []).append(self.plan.tags[number])
        return outlines

    def _barriers(self) -> list[tuple[int, Tags]]:
        rows = np.flatnonzero(self.nodes.tags.flags(lambda tags: "barrier" in tags)).tolist()
        return [(original(int(self.nodes.number[row])), self.nodes.tags[row]) for row in rows]


def _that_matter(ways: Objects, plan: Plan) -> Objects:
    """The ways that are something, or part of a square, a shore or a border; squares lend their outlines their tags."""
    square = np.flatnonzero(np.isin(ways.number, list(plan.squares))).tolist()
    lent = [row for row in square if "highway" not in ways.tags[row]]
    tags = [plan.squares[int(ways.number[row])] | ways.tags[row] for row in lent]
    ways = replace(ways, tags=ways.tags.replaced(lent, tags))
    return ways.take(ways.tags.flags(kinds.is_of_interest) | np.isin(ways.number, list(plan.parts)))


def _points(nodes: Objects) -> Ints:
    """Rows of nodes that are something and somewhere."""
    return np.flatnonzero(nodes.tags.flags(kinds.is_of_interest) & known(nodes))


def _with_points(nodes: Objects, rows: Ints, along: Chains, row: Ints) -> Chains:
    """Nodes, each a stretch of its own, and after them the stretches of ways; ``of`` in rows of all things."""
    n = len(rows)
    return Chains(
        np.r_[np.arange(n), row[along.of]], np.r_[np.arange(n), along.first + n],
        np.r_[nodes.lon[rows], along.lon], np.r_[nodes.lat[rows], along.lat], np.zeros(0, dtype=np.int64),
    )  # fmt: skip


def _renumbered(along: Chains, row: Ints) -> Chains:
    return replace(along, of=row[along.of], node=originals(along.node))


def _one(shapes: list[shapely.Geometry]) -> shapely.Geometry:
    """The lines as one shape."""
    return shapes[0] if len(shapes) == 1 else shapely.MultiLineString([*shapely.get_parts(shapes)])


def _shapes(wkb: list[bytes]) -> Shapes:
    return np.asarray(shapely.from_wkb(np.array(wkb, dtype=object)), dtype=object)


def _cut_off(tags: Tags) -> str:
    """Under which count a relation goes whose area cannot be closed."""
    if kinds.is_unit(tags):
        return "boundaries_cut_off"
    if kinds.is_building(tags):
        return "buildings_cut_off"
    return "water_cut_off" if kinds.area(tags) == "water" else "areas_cut_off"


def _day(stamps: Ints) -> str | None:
    """The day of the newest stamp; files without stamps have them all at the beginning of 1970."""
    newest = datetime.fromtimestamp(int(stamps.max(initial=0)), UTC)
    return newest.date().isoformat() if newest.year > NEVER_STAMPED else None
