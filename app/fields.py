"""The columns of results as a reader sees them: which are shown, in which order, under which words and units.

A popup reads from the top: what became of people first, then how it is known. Sentences that come before the first
number stand above the numbers, the others below. Words come from ``app.texts``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd

from app.texts import catalogue, codes, words
from geo.goods import GOODS
from geo.needs import ITEMS
from tiles.layer import Field, Kind
from tiles.text import LANGUAGES, NOTHING, Text

ENGINES = ("fire", "medical", "police")
"""Services that come to the people."""
GROUPS_ON_FOOT = ("elderly", "stroller", "wheelchair")
"""Who walks otherwise than an adult."""
PROFILES = ("fire_engine", "ambulance", "car")
"""Who drives; walkers have layers of their own."""
Names = Callable[[str], Mapping[str, Text]]
"""What the rows are called that ids of a column stand for; empty for a column that holds no ids."""


def joined(topic: Text, short: Text) -> Text:
    """``Fire engine: reach``."""
    return Text(f"{topic.zh}：{short.zh}", f"{topic.en}: {short.en[:1].lower()}{short.en[1:]}")


def field(
    column: str, kind: Kind = "text", *, label: str = "", unit: str = "", missing: str = "", code: str = "",
    normal: str = "", needs: str = "", lacks: str = "", only_some: bool = False,
) -> Field:  # fmt: skip
    """A column as a reader sees it: words by key, codes by the name of their section."""
    return Field(
        column, words(f"field.{label or column}"), kind if not code or kind == "codes" else "code",
        words(f"unit.{unit}") if unit else NOTHING, words(f"missing.{missing}") if missing else NOTHING,
        codes(code) if code else {}, normal, needs, lacks, only_some,
    )  # fmt: skip


def _count(column: str, **more: Any) -> Field:
    return field(column, "count", **more)


def _people(column: str = "people", **more: Any) -> Field:
    """A number of people; that nobody knows it is told."""
    return _count(column, missing="people", **more)


def _some(column: str, unit: str = "people", **more: Any) -> Field:
    """A number of people that is shown where there are any."""
    return _count(column, unit=unit, only_some=True, **more)


def _minutes(column: str, missing: str = "no_way", **more: Any) -> Field:
    return field(column, "minutes", unit="min", missing=missing, **more)


def _longer(column: str, **more: Any) -> Field:
    """Minutes that are shown where it takes any."""
    return field(column, "minutes", unit="min", only_some=True, **more)


def _metres(column: str, **more: Any) -> Field:
    return field(column, "metres", unit="m", **more)


def _of_service(service: str, made: Field) -> Field:
    """A field named after its service: ``Fire engine: stations in time``."""
    return replace(made, label=joined(codes("service")[service], made.label))


# -- communities and people --------------------------------------------------------------------------------------------

NAME = field("name", "name")
REASON = field("reason", "sentence")
FIX = field("fix", "sentence")
EXPOSED = (
    _metres("depth_max_m"), field("share_wet", "share"), field("level_max", "count"),
    field("share_hit", "share"), field("share_unknown", "share", only_some=True),
)  # fmt: skip
SHARES = tuple(
    Field(f"{service}_share", words(f"field.{service}_share"), "share", normal=f"{service}_share_normal")
    for service in (*ENGINES, "supplies", "circle")
)
LEAVE = field("leave_by_h", "hours", missing="leave")
"""The hour on the hazard's clock by which one must have left."""
LAND = (
    *(field(f"{zone}_m2", "area", unit="m2", only_some=True) for zone in ("let", "prevent", "avoid")),
    _count("buildings_in_let", only_some=True), _some("people_in_let"),
    *(field(f"reserve_{name}_m2", "area", unit="m2", only_some=True) for name in ("required", "found", "short")),
    _some("refuge_gain_people"), _count("refuge_candidates", only_some=True), _some("people_without_access"),
    field("access_ok_share", "share"), field("access_after_share", "share"),
    *(_some(f"people_at_risk_{stage}") for stage in ("now", "let", "prevent", "avoid")),
)  # fmt: skip
"""What 让 / 防 / 避 come to in a community."""
COMMUNITY = (
    NAME, REASON, FIX,
    *map(_people, ("people", "people_unserved")), _some("people_full", ""), _people("people_cut_off"),
    _people("people_served", normal="people_served_normal"), _people("people_exposed"),
    _people("people_serious"), _people("people_displaced"), _some("people_housed", ""), _some("people_unhoused", ""),
    _people("people_60plus"), _minutes("walk_s_median", "nobody", normal="walk_s_median_normal", needs="people"),
    _minutes("clearance_s", "nobody_walks", needs="people"), _longer("delay_max_s"), LEAVE,
    _count("shelters_usable"), _count("shelter_capacity", unit="people"),
    field("shelter_m2_per_person", "area", unit="m2"), field("shelter_two_share", "share"), *SHARES,
    field("circle_missing", code="category", label="circle_missing_most"),
    field("cover_days", "hours", unit="day", lacks="stock_en"), *LAND, field("source"),
    field("stock", "sentence", label="reason"),
    *(field(f"{engine}_reason", "sentence", label="reason") for engine in ENGINES),
)  # fmt: skip
TOO_LATE = re.compile(r"(people|street_m)_too_late_(?P<hour>[\d.]+)h")
"""Columns of who can no longer leave at an hour: people, or metres of street where nobody knows them."""
ARRIVAL = {
    service: Field(f"{service}_s", codes("service")[service], "minutes", words("unit.min"),
                   words("missing.nobody_comes"), normal=f"{service}_s_normal")
    for service in (*ENGINES, "supplies")
}  # fmt: skip
DEPTH = {engine: _of_service(engine, _count(f"{engine}_depth", label="depth")) for engine in ENGINES}
PLACE = (
    _people(unit="people"), field("state", code="state"), _some("people_unserved"),
    _minutes("walk_s", normal="walk_s_normal"), _some("people_displaced"), _some("people_unhoused"), LEAVE,
    *(made for service in ARRIVAL for made in (ARRIVAL[service], DEPTH.get(service)) if made),
    field("circle_missing", "codes", code="category", missing="complete"),
    _metres("depth_max_m"), field("level_max", "count"), field("level_combined", "count"), _metres("snap_m"),
)  # fmt: skip
EVACUEE = (
    *PLACE[:4], field("shelter_id"), field("nearest_s", "minutes", unit="min"), field("stay_id"), _longer("stay_s"),
    *PLACE[4:],
)  # fmt: skip
"""The same with where they go: the words for shelters are many, so only few layers carry them."""

# -- shelters, and the way there ---------------------------------------------------------------------------------------

SHELTER = (
    NAME, REASON, field("capacity", "sentence", label="reason"), _count("people", unit="people", label="people_in"),
    _count("capacity_people", unit="people"), field("load_share", "share"),
    field("capacity_basis", code="capacity_basis", lacks="capacity_en"), _some("people_from_elsewhere"),
    _some("people_lost_without"), field("substitute", code="substitute"), _longer("clearance_s"),
    _longer("gate_wait_s"), _some("stay_people"), _some("stay_capacity_people"),
    field("kind", code="kind"), field("tier", code="tier"), field("tier_basis", code="tier_basis"),
    field("origin", code="origin"), field("state", label="shelter_state", code="shelter_state"),
    _count("people_nearest", unit="people"), _count("entrances_found"),
    field("entrances_short", "bool", only_some=True), field("conversion_h", "hours", unit="h"),
    field("invalid_for", "codes", code="hazard"), field("area_m2", "area", unit="m2"), *EXPOSED,
)  # fmt: skip
ROUTE = (
    field("community_id"), field("shelter_id"), _count("people", unit="people", label="people_that_way"),
    _metres("length_m"), _minutes("walk_s"), *(_minutes(f"{group}_s", "not_passable") for group in GROUPS_ON_FOOT),
    _longer("danger_s"), field("depth_max_m", "metres", unit="m", only_some=True),
    _count("level_max", only_some=True), field("share_exposed", "share", only_some=True),
    field("share_unknown", "share", only_some=True, label="share_unknown_way"), _metres("shared_m", only_some=True),
    field("bottleneck", "words"), field("directions", "steps"),
)  # fmt: skip
FLOW = (
    NAME, _count("people", unit="people", label="people_both"), _some("people_along"), _some("people_against"),
    field("load_h", "load", unit="min", only_some=True),
    field("wait_person_s", "minutes", unit="person_min", only_some=True), _longer("wait_max_s"),
)  # fmt: skip
WEAK_STREET = (
    NAME, _count("rank"), _count("people_minutes", unit="person_min"),
    _some("people_lost", label="people_lost_shelter"), _some("people_later", label="people_longer"),
    _longer("added_s_mean"), _longer("added_s_max"), _count("people", unit="people", label="people_through"),
    _some("people_living"), field("community_id", label="community_most"), _count("communities"),
    field("highway", code="highway"), field("bridge", "bool", only_some=True), _metres("length_m"),
)  # fmt: skip
ISOLATED = (
    _people(unit="people", label="people_on"), field("community_id", label="community_most"), _count("communities"),
    _count("shelter_sites"), _count("hospital_sites"),
    *(_metres(f"reopen{to}_m", missing="nothing_would", only_some=True) for to in ("", "_shelter", "_hospital")),
    _metres("length_m", label="street_m"),
)  # fmt: skip
FIXED = (NAME, FIX, REASON, field("community_id"), _some("people_gained"))

# -- needs and deliveries ----------------------------------------------------------------------------------------------

UNITS = {"L": "litres", "rations": "rations", "kcal": "kcal", "m2": "m2"}
"""Units of goods that are not what is counted itself."""


def _goods(column: str, unit: str, en: str, zh: str, *, missing: Text = NOTHING) -> Field:
    said = words(f"unit.{UNITS[unit]}") if unit in UNITS else NOTHING
    return Field(column, Text(zh, en[:1].upper() + en[1:]), "count", said, missing, only_some=True)


ITEM = {item.name: Text(item.zh, item.en[:1].upper() + item.en[1:]) for item in ITEMS.values()}
"""The words for each need."""
NEED = (
    NAME, field("stay", code="stay"), _count("people", unit="people", label="people_supplied"),
    *(_goods(item.name, item.unit, item.en, item.zh) for item in ITEMS.values()), field("supplied_share", "share"),
    *(Field(f"{name}_share", joined(words("field.delivered"), said), "share") for name, said in ITEM.items()),
)  # fmt: skip
DEPOT = (
    NAME, field("tier", label="depot_tier", code="depot_tier"),
    *(_goods(name, *said, missing=words("missing.amount")) for name, said in GOODS.items()),
    field("community_id"),
)  # fmt: skip
DELIVERY = (
    field("depot_id"), field("shelter_id", label="to_shelter"), replace(field("item"), kind="code", codes=ITEM),
    _count("quantity"), _minutes("drive_s"),
)  # fmt: skip

# -- streets and services ----------------------------------------------------------------------------------------------

STREET = (
    NAME, field("highway", code="highway"),
    *(field(f"{profile}_reason", label=f"{profile}_open", code="street_reason", missing="open")
      for profile in ("walk", *PROFILES)),
    _metres("length_m"), *EXPOSED, field("bridge", "bool"), field("tunnel", "bool"),
)  # fmt: skip
RING = (
    field("minutes", "count", unit="min"), field("category", code="category"), _people(unit="people"),
    _count("buildings"), _count("facilities"), _count("street_km", unit="km"),
)  # fmt: skip
STATIONS_IN_TIME = (field("depth", "count"), _people(unit="people"))
OWNER = "facility_id"
"""The station that ground belongs to; none where no station gets there."""
RESPONSIBLE = (
    NAME, _people(unit="people", label="people_here", needs=OWNER),
    _people(unit="people", label="people_without", lacks=OWNER), _people("people_in_time", unit="people", needs=OWNER),
    _minutes("s_p95", "nobody_comes", needs=OWNER), field("area_km2", "area", unit="km2"),
    field("too_large", "bool", needs=OWNER),
)  # fmt: skip
STATION = (
    NAME, field("kind", code="kind"), field("state", label="station_state", code="station_state"),
    _people(unit="people", label="people_here", normal="people_normal"), _people("people_in_time", unit="people"),
    _some("people_lost_without", label="people_late_without"), field("substitute", code="substitute"),
)  # fmt: skip
LOSS = (
    NAME, field("cause", code="cause"), _people("people_lost", unit="people"), _people("people_later", unit="people"),
    _minutes("added_s_median", "nobody_later"),
)  # fmt: skip
FACILITY = (NAME, field("kind", code="kind"))

# -- words that a table decides ----------------------------------------------------------------------------------------


def named(row: Mapping[str, Any] | pd.Series) -> Text:
    """The name in both languages: the one for the language, else the local one; nothing where there is none."""
    local, zh, en = (value if isinstance(value := row.get(key), str) else "" for key in ("name", "name_zh", "name_en"))
    return Text(zh or local, en or local)


SOURCES = (
    (r"OpenStreetMap place", "place"), (r"OpenStreetMap admin_level (?P<level>\d+)", "admin_level"),
    (r"made grid of (?P<side>[\d.e+]+) m squares", "grid"),
    (r"made grid between streets", "between_streets"), (r"people in no community", "outside"),
    (r"given", "given"),
)  # fmt: skip
"""What ``geo.communities`` writes of where an outline is from, and the key of its words."""
CUT_OFF = ", cut off at the edge of the extract"


def sourced(said: str) -> Text:
    """Where a community's outline is from, in words; what a table says of itself stays as it is."""
    if said.endswith(CUT_OFF):
        whole = sourced(said.removesuffix(CUT_OFF))
        cut = words("source.cut_off")
        return Text(whole.zh + cut.zh, whole.en + cut.en)
    found = ((re.fullmatch(pattern, said), key) for pattern, key in SOURCES)
    return next((words(f"source.{key}", **match.groupdict()) for match, key in found if match), Text(said, said))


def shown(fields: Iterable[Field], table: gpd.GeoDataFrame, names: Names) -> Iterator[Field]:
    """The fields whose columns are there, with words for what this table holds where codes are not a fixed few."""
    for made in fields:
        if set(made.columns) & set(table.columns):
            yield _spoken(made, table, names)
            yield from _too_late(table) if made is LEAVE else ()


def _spoken(made: Field, table: gpd.GeoDataFrame, names: Names) -> Field:
    """A field of outlines' sources or of ids with the words for those that occur."""
    if made.column == "source":
        return replace(made, kind="code", codes={said: sourced(said) for said in _values(table, made.column)})
    called = names(made.column)
    if not called:
        return made
    return replace(made, kind="code", codes={key: called[key] for key in _values(table, made.column) if key in called})


def _values(table: gpd.GeoDataFrame, column: str) -> list[str]:
    return sorted(set(table[column].dropna()))


def _too_late(table: gpd.GeoDataFrame) -> Iterator[Field]:
    """For each hour known of a rising hazard who would leave too late: people, else metres of street."""
    for column in map(str, table.columns):
        if found := TOO_LATE.fullmatch(column):
            unit = "people" if found[1] == "people" else "m"
            label = Text(**{lang: catalogue(lang)["field.too_late"].format(hour=found["hour"]) for lang in LANGUAGES})
            yield Field(column, label, "count", words(f"unit.{unit}"), only_some=True)
