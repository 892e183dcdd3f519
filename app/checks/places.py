"""Whether a layer's shapes are where they belong, or shifted as Chinese map services draw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.checks.findings import told
from app.checks.reading import Read, of_kind, shapes
from app.checks.report import FindingModel
from app.showing import street_lines
from data.osm import Extract
from geo import offsets
from geo.crs import in_china_grid
from geo.offsets import Reference
from geo.shifts import SYSTEMS

LAID = ("communities", "population", "shelters", "facilities", "buildings", "streets", "lots", "sources")
"""Kinds of layers that are laid on the map."""
NOT_ON_ITSELF = {"buildings": "buildings", "streets": "streets"}
"""What a kind is not laid on: given buildings need not be those of the map."""


def misplaced(reads: Sequence[Read]) -> Iterator[FindingModel]:
    """What is to be said of where each layer's shapes are."""
    on_map = [read.content for read in of_kind(reads, "osm") if isinstance(read.content, Extract)]
    references = _references(on_map[0]) if on_map else []
    for kind in LAID:
        for read in of_kind(reads, kind):
            yield from _shifted(read, references)


def _references(extract: Extract) -> list[Reference]:
    """The map, to lay a layer on."""
    places = extract.facilities
    return [
        Reference("namesakes", shapes(places), places["name"].to_numpy(dtype=object)),
        Reference("buildings", shapes(extract.buildings)),
        Reference("streets", shapes(street_lines(extract.ways))),
        Reference("boundaries", shapes(extract.boundaries)),
    ]


def _shifted(read: Read, references: Sequence[Reference]) -> Iterator[FindingModel]:
    """A layer that says WGS 84 and seems to be drawn in GCJ-02 or BD-09, or of which nobody can tell."""
    table, of = read.table, read.layer
    if table is None or not len(table) or (of.crs or "").lower() in SYSTEMS:
        return
    names = table["name"].to_numpy(dtype=object) if "name" in table.columns else None
    laid_on = [each for each in references if each.what != NOT_ON_ITSELF.get(of.kind)]
    crs = table.crs.to_string()
    found = offsets.suspect(shapes(table), reference=laid_on, crs=crs, names=names)
    if found is not None:
        yield from told([offsets.finding(found)], layer_id=of.layer_id)
    elif of.crs is None and (middle := _chinese_middle(read)) is not None:
        fits = offsets.fits(shapes(table), reference=laid_on, crs=crs, names=names)
        if all(fit.system is None for fit in fits):
            yield from told([offsets.unknown_origin(*middle)], layer_id=of.layer_id)


def _chinese_middle(read: Read) -> tuple[float, float] | None:
    """The middle, in degrees, of a table in China that came in degrees; None for another."""
    if read.raw is None or read.table is None or not read.raw.table.crs.is_geographic:
        return None
    west, south, east, north = read.raw.table.total_bounds
    lon, lat = float((west + east) / 2), float((south + north) / 2)
    return (lon, lat) if in_china_grid(lon, lat) else None
