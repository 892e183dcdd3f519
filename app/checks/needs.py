"""What a plan is made from: how much of it there is, whether it was given, mapped or assumed, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.checks.findings import filled
from app.checks.reading import Read, of_kind
from app.checks.report import Need, Source, State
from data.osm import Extract
from data.study import StudyFile
from geo.city import PlanParams
from geo.communities import OUTSIDE
from geo.readied import Base

STATES: dict[Source, State] = {
    "map": "there", "given": "there", "map_and_given": "there", "estimated": "assumed", "made": "assumed",
    "assumed": "assumed", "none": "missing",
}  # fmt: skip
ESSENTIAL = frozenset({"streets", "people", "communities", "shelters", "fire", "medical", "police", "hazards"})
"""Needs without which a plan says much less."""
MADE_GRID = "made grid"
"""How the source of communities begins that are squares."""


def needs(file: StudyFile, reads: Sequence[Read], base: Base | None, params: PlanParams | None) -> tuple[Need, ...]:
    """Everything a plan asks for, in the order in which it is used."""
    return (
        _outline(file),
        _streets(file, reads, base),
        _counted("buildings", reads, None if base is None else len(base.city.buildings)),
        _people(reads, base),
        _communities(reads, base),
        _shelters(reads, base),
        *_services(reads, base, params),
        _layered("hazards", reads, "hazard"),
        _layered("elevation", reads, "elevation"),
        _layered("sources", reads, "sources"),
    )


def _need(key: str, count: float | None, source: Source, unit: str = "count") -> Need:
    name, state = filled(f"check.need.{key}"), STATES[source]
    said = None if state == "there" else filled(f"check.{state}.{key}")
    return Need(
        key=key, name_en=name.en, name_zh=name.zh, count=count, unit=unit, source=source, state=state,
        essential=key in ESSENTIAL,
        en=said.en if said else "", zh=said.zh if said else "",
    )  # fmt: skip


def _outline(file: StudyFile) -> Need:
    return _need("outline", 1 if file.boundary else 0, "given" if file.boundary else "assumed")


def _source(reads: Sequence[Read], kind: str) -> Source:
    """Where rows of a kind come from: layers of their own stand in the place of the map's."""
    return "given" if of_kind(reads, kind) else "map" if of_kind(reads, "osm") else "none"


def _streets(file: StudyFile, reads: Sequence[Read], base: Base | None) -> Need:
    km = None if base is None else round(float(base.network.length_m.sum()) / 1000, 1)
    source = _source(reads, "streets")
    made = source == "none" and file.streets == "lattice" and base is not None
    return _need("streets", km if base is not None else None, "made" if made else source, "km")


def _counted(key: str, reads: Sequence[Read], count: int | None) -> Need:
    source = _source(reads, key)
    return _need(key, count, "none" if count == 0 else source)


def _people(reads: Sequence[Read], base: Base | None) -> Need:
    given = bool(of_kind(reads, "population"))
    if base is None:
        return _need("people", None, "given" if given else "none", "people")
    return _need("people", base.people.total, "none" if not base.people.total else "given" if given else "estimated",
                 "people")  # fmt: skip


def _communities(reads: Sequence[Read], base: Base | None) -> Need:
    given = of_kind(reads, "communities")
    if base is None:
        return _need("communities", sum(len(read.table) for read in given if read.table is not None) or None,
                     "given" if given else "none")  # fmt: skip
    grid = base.communities["source"].astype(str).str.startswith(MADE_GRID).any()
    real = int((base.communities["community_id"] != OUTSIDE).sum())
    return _need("communities", real, "given" if given else "made" if grid else "map")


def _shelters(reads: Sequence[Read], base: Base | None) -> Need:
    """Shelters by the word of the map or a list; without any, the places that a plan assumes to be open."""
    given = bool(of_kind(reads, "shelters"))
    if base is None:
        return _need("shelters", None, "given" if given else "none")
    origin = base.city.shelters["origin"].to_numpy(dtype=object)
    mapped, official = int((origin == "mapped").sum()), int((origin == "official").sum())
    if mapped or official:
        both: Source = "map_and_given" if mapped and official else "given" if official else "map"
        return _need("shelters", mapped + official, both)
    return _need("shelters", len(base.shelters), "assumed" if len(base.shelters) else "none")


def _services(reads: Sequence[Read], base: Base | None, params: PlanParams | None) -> Iterator[Need]:
    """Stations and places of each service, by the kinds that the plan's parameters name."""
    if params is None:
        return
    kinds = {name: getattr(params, name).kinds for name in ("fire", "medical", "police", "supplies")}
    kinds["education"] = params.everyday.education
    for name, wanted in kinds.items():
        mapped, given = _of_kinds(reads, wanted)
        found = mapped + given if base is None else int(base.city.facilities["kind"].isin(wanted).sum())
        both: Source = "map_and_given" if mapped and given else "given" if given else "map"
        yield _need(name, found, both if found else "none")


def _of_kinds(reads: Sequence[Read], kinds: Sequence[str]) -> tuple[int, int]:
    """Facilities of these kinds on the map, and in given tables."""
    on_map = [read.content.facilities for read in of_kind(reads, "osm") if isinstance(read.content, Extract)]
    tables = [read.table for read in of_kind(reads, "facilities") if read.table is not None]
    mapped, given = (sum(int(table["kind"].isin(kinds).sum()) for table in each) for each in (on_map, tables))
    return mapped, given


def _layered(key: str, reads: Sequence[Read], kind: str) -> Need:
    there = len(of_kind(reads, kind))
    return _need(key, there, "given" if there else "none")
