"""Makes a large extract out of a small one: the same town again and again, side by side.

Real extracts of 30 or 120 MB are not at hand where tests run. A copy has ids of its own and lies beside the others,
so a reader meets as many different objects as in a real extract of that size, in the same order: nodes, ways,
relations, each by number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import osmium
from osmium.osm import Node, Relation, Way

STEP = 1 << 34
"""Added to all ids from one copy to the next: more than any real id."""
GAP = 1.1
"""How far the next copy lies, in widths of the extract's box."""


def enlarged(source: Path, target: Path, *, copies: int) -> Path:
    """Write ``copies`` of the sorted extract ``source`` to ``target`` (.osm.pbf), in rows west and north of it."""
    with osmium.io.Reader(str(source), osmium.osm.NOTHING) as reader:
        box = reader.header().box()
    wide, high = (GAP * (a - b) for a, b in zip(_corner(box.top_right), _corner(box.bottom_left), strict=True))
    across = math.isqrt(copies - 1) + 1
    shifts = [(-wide * (copy % across), high * (copy // across)) for copy in range(copies)]
    with osmium.SimpleWriter(str(target), header=_header(box, wide, high, across), overwrite=True) as writer:
        for kind in (osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION):
            for copy, (east, north) in enumerate(shifts):
                for thing in _shifted(source, kind, copy * STEP, east, north):
                    writer.add(thing)
    return target


def _corner(corner: osmium.osm.Location) -> tuple[float, float]:
    return corner.lon, corner.lat


def _header(box: osmium.osm.Box, wide: float, high: float, across: int) -> osmium.io.Header:
    (west, south), (east, north) = _corner(box.bottom_left), _corner(box.top_right)
    whole = osmium.osm.Box(west - wide * (across - 1), south, east, north + high * (across - 1))
    return osmium.io.Header().add_box(whole)


def _shifted(source: Path, kind: osmium.osm.osm_entity_bits, step: int, east: float, north: float) -> Iterator[object]:
    for thing in osmium.FileProcessor(str(source), kind):
        if isinstance(thing, Node):
            yield thing.replace(id=thing.id + step, location=(thing.lon + east, thing.lat + north))
        elif isinstance(thing, Way):
            yield thing.replace(id=thing.id + step, nodes=[node.ref + step for node in thing.nodes])
        elif isinstance(thing, Relation):
            members = [(member.type, member.ref + step, member.role) for member in thing.members]
            yield thing.replace(id=thing.id + step, members=members)
