"""The columns of 让 / 防 / 避 as a reader sees them: zones, verdicts, what moves, what is reserved, how help gets in.

Read as ``app.fields``: what it means first, then what it is, then how it is known.
"""

from __future__ import annotations

from dataclasses import replace

from app.fields import NAME, REASON, field
from app.texts import codes
from geo.regions import KINDS as GROUND_KINDS
from geo.standards import GRADES
from geo.suitability import PARTS
from tiles.layer import Field
from tiles.text import Text

USES: dict[str, Text] = {**codes("kind"), **codes("use")}
"""Words for what stands on ground or is planned; what is none of these is shown as the data have it."""
USE = replace(field("use", code="use"), codes=USES)
AREA = field("area_m2", "area", label="ground_m2", unit="m2")
SHARES = tuple(field(f"{zone}_share", "share", only_some=True) for zone in ("let", "avoid", "prevent"))
CLASS = field("building_class", code="building_class", missing="no_class")
LOSES = field("people", "count", unit="people", missing="people", label="people_there")


def _sentence(column: str) -> Field:
    """More that is said in a sentence."""
    return field(column, "sentence", label="reason")


def _metres(column: str, *, only_some: bool = False) -> Field:
    return field(column, "metres", unit="m", only_some=only_some)


TO_STREET = field("street_m", "metres", unit="m", label="to_street_m")


GRADE = replace(field("grade"), kind="code", codes={code: Text(zh, en) for code, (en, zh) in GRADES.items()})
ZONE = (REASON, field("zone", code="zone"), AREA, field("community_id"))
JUDGED = (
    NAME, REASON, field("verdict", code="zone"), *SHARES, USE, CLASS, field("important", "bool", only_some=True),
    field("people", "count", unit="people", only_some=True), AREA, field("community_id"),
)  # fmt: skip
"""Lots and buildings."""
SETBACK = (
    NAME, field("zone", code="zone"), field("distance"), _metres("least_distance_m", only_some=True),
    _metres("most_distance_m", only_some=True), field("sources", "count"), field("standard"), field("clause"),
    GRADE, field("set"), AREA,
)  # fmt: skip
SOURCE = (NAME, field("layer", code="source_layer"), replace(field("kind", code="kind"), codes={
    **codes("kind"), **codes("source_kind"),
}), _metres("distance_m"))  # fmt: skip
CONFLICT = (
    NAME, _sentence("step"), REASON, field("order", "count", label="order_move"), LOSES,
    field("people_60plus", "count", unit="people", only_some=True),
    field("object", code="object"), USE, CLASS, field("important", "bool", only_some=True),
    field("let_share", "share"), field("level_max", "count", label="level_combined"), field("community_id"),
)  # fmt: skip
REGION = (
    NAME, _sentence("sentence"), field("kind", code="ground_kind", label="ground_kind"), AREA,
    field("land_m2", "area", unit="m2"), field("bounded_by", "words"),
    *(field(f"{kind}_share", "share", only_some=True) for kind in GROUND_KINDS),
    field("people", "count", unit="people", missing="people", only_some=True),
    *(field(f"reserve_{name}_m2", "area", unit="m2") for name in ("required", "found", "short")),
)  # fmt: skip
RESERVE = (
    NAME, REASON, field("chosen", "bool"), field("taken_m2", "area", unit="m2", only_some=True),
    field("usable_m2", "area", unit="m2"), AREA, field("rank", "count"), field("score", "share"),
    *(field(f"{name}_score", "share") for name in ("safe", "flat", "size", "compact", "access", "use")),
    field("share_steep", "share", only_some=True), TO_STREET,
    replace(field("kind", code="kind"), codes=USES), field("region_id"),
)  # fmt: skip
REFUGE = (
    NAME, REASON, _sentence("dual"), field("order", "count", label="order_open"), field("phase", "count"),
    field("gain_people", "count", unit="people"), field("cumulative_people", "count", unit="people"),
    field("gain_alone_people", "count", unit="people", only_some=True),
    field("capacity_people", "count", unit="people"),
    field("stay_capacity_people", "count", unit="people", only_some=True),
    field("suitability", "share"), *(field(part, "share") for part in PARTS),
    field("suitability_known_share", "share"), field("cost", "count", unit="cny_k"),
    field("indoor", code="indoor"), replace(field("kind", code="kind"), codes=USES), field("tier", code="tier"),
    field("usable_m2", "area", unit="m2"), TO_STREET, field("ways_in", "count"),
    field("share_let", "share", only_some=True), field("built_year", "text"),
    field("missing", "codes", code="lacking"), field("not_known", "codes", code="lacking"),
    field("conversion_h", "hours", unit="h"), field("opening"), field("community_id"),
)  # fmt: skip
ACCESS = (
    NAME, REASON, field("passes", "bool"), field("passes_after", "bool"), field("failing", "codes", code="access"),
    field("street_m", "metres", unit="m", label="lane_m"), _metres("width_m"), _metres("clear_m"),
    _metres("widest_after_m"), field("ways_in", "count"), field("ways_in_after", "count"),
    field("dead_end_m", "metres", unit="m", only_some=True),
    _metres("hydrant_m"), field("height_limit_m", "metres", unit="m", missing="no_limit"),
    _metres("corridor_asked_m", only_some=True), _metres("corridor_m", only_some=True), field("tier", code="tier"),
    replace(field("object", code="object"), codes=codes("object")), field("community_id"),
)  # fmt: skip
CORRIDOR = (
    NAME, _sentence("text"), field("class", code="corridor", label="corridor_class"), _metres("need_m"),
    _metres("clear_m"), _metres("short_m", only_some=True), _metres("short_length_m", only_some=True),
    _metres("length_m"), field("cost", "count", unit="cny_k"), field("terminals", "count"),
)  # fmt: skip
JOINED = (
    NAME, _sentence("text"), field("object", code="object"), field("ways", "count"), _metres("length_1_m"),
    _metres("length_2_m"), _metres("narrowest_m"), _metres("need_m"), field("bottleneck"),
)  # fmt: skip
BLOCKED = (
    NAME, REASON, field("highway", code="highway"), field("buildings_behind", "count", only_some=True),
    field("people_behind", "count", unit="people", only_some=True), field("buildings_on", "count", only_some=True),
    field("people_on", "count", unit="people", label="people_living", only_some=True), _metres("width_m"),
    _metres("clear_m"), _metres("length_m"),
)  # fmt: skip
