"""Draws small OpenStreetMap files: objects at metres from a corner, written as XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from geo.crs import reproject

CRS = "EPSG:32631"
EAST, NORTH = 500_000.0, 5_800_000.0
"""The corner from which is drawn: 3° E, 52.35° N."""

Tags = Mapping[str, str]


@dataclass
class Town:
    """A map being drawn; ``number`` is the next free node."""

    nodes: dict[int, tuple[float, float, Tags]] = field(default_factory=dict)
    ways: dict[int, tuple[list[int], Tags]] = field(default_factory=dict)
    relations: dict[int, tuple[list[tuple[str, int, str]], Tags]] = field(default_factory=dict)
    number: int = 1000

    def node(self, number: int, x: float, y: float, **tags: str) -> Town:
        self.nodes[number] = (x, y, colons(tags))
        return self

    def way(self, number: int, nodes: Sequence[int], **tags: str) -> Town:
        self.ways[number] = (list(nodes), colons(tags))
        return self

    def line(self, number: int, *corners: tuple[float, float], **tags: str) -> Town:
        """A way over new nodes."""
        return self.way(number, [self._new(x, y) for x, y in corners], **tags)

    def box(self, number: int, x: float, y: float, wide: float, deep: float, **tags: str) -> Town:
        """A closed way round a box."""
        corners = [(x, y), (x + wide, y), (x + wide, y + deep), (x, y + deep)]
        nodes = [self._new(*corner) for corner in corners]
        return self.way(number, [*nodes, nodes[0]], **tags)

    def relation(self, number: int, members: Sequence[tuple[str, int, str]], **tags: str) -> Town:
        self.relations[number] = (list(members), colons(tags))
        return self

    def _new(self, x: float, y: float) -> int:
        self.number += 1
        self.node(self.number, x, y)
        return self.number

    def write(self, path: Path, *, order: str = "nwr", head: str = "") -> Path:
        """Write the map; ``order`` of nodes, ways and relations in the file."""
        parts = {"n": self._nodes(), "w": self._ways(), "r": self._relations()}
        body = "\n".join(line for kind in order for line in parts[kind])
        path.write_text(f'<?xml version="1.0"?>\n<osm version="0.6">\n{head}\n{body}\n</osm>\n', encoding="utf-8")
        return path

    def _nodes(self) -> list[str]:
        return [
            f'<node id="{n}" version="1" lat="{lat:.7f}" lon="{lon:.7f}">{marks(tags)}</node>'
            for n, (x, y, tags) in self.nodes.items() for lon, lat in [degrees(x, y)]
        ]  # fmt: skip

    def _ways(self) -> list[str]:
        return [
            f'<way id="{n}" version="1">{"".join(f"<nd ref={quoteattr(str(r))}/>" for r in nodes)}{marks(tags)}</way>'
            for n, (nodes, tags) in self.ways.items()
        ]

    def _relations(self) -> list[str]:
        kinds = {"n": "node", "w": "way", "r": "relation"}
        return [
            f'<relation id="{n}" version="1">'
            + "".join(f'<member type="{kinds[kind]}" ref="{ref}" role="{role}"/>' for kind, ref, role in members)
            + f"{marks(tags)}</relation>"
            for n, (members, tags) in self.relations.items()
        ]


def colons(tags: Mapping[str, str]) -> dict[str, str]:
    """``building__levels`` is ``building:levels``; a last underscore is dropped (``is_`` is ``is``)."""
    return {key.replace("__", ":").rstrip("_"): value for key, value in tags.items()}


def marks(tags: Tags) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


def degrees(x: float, y: float) -> tuple[float, float]:
    lon, lat = reproject(np.array([EAST + x]), np.array([NORTH + y]), source=CRS, target="EPSG:4326")
    return float(lon[0]), float(lat[0])


def street() -> Town:
    """A map with one street, 100 m long: the least that can be read."""
    return Town().node(1, 0, 0).node(2, 50, 0).node(3, 100, 0).way(1, [1, 2, 3], highway="residential", name="Main")
