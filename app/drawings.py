"""Which layer is drawn from which table: how, with which fields, in which order. What a service draws is told once.

Words come from ``app.texts``, colours and classes from ``tiles.style``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import pandas as pd

from app.texts import catalogue, codes, words
from geo.services import CATEGORIES
from tiles import regions, style
from tiles.layer import Field, Kind
from tiles.style import Part, Style
from tiles.text import LANGUAGES, NOTHING, Text

GROUPS = ("hazards", "people", "shelters", "circles", "streets", "context")
"""Groups of layers in the order in which they are listed."""
ENGINES = ("fire", "medical", "police")
"""Services that come to the people."""
SERVICES = (*ENGINES, "supplies", "shelter")
"""Every service that has circles."""
PROFILES = ("fire_engine", "ambulance", "car")
"""Who drives; walkers have layers of their own."""
Limits = Mapping[str, float]
"""The minutes within which each service counts as there."""
Look = Style | Callable[[gpd.GeoDataFrame, Limits], Style]


@dataclass(frozen=True)
class Drawing:
    """How a table becomes a layer; ``column`` must hold some value, else there is nothing to draw.

    ``look`` is a style, or makes one from the table and the services' limits. ``words`` is the key of title and note
    where it is not ``layer_id``; ``topic`` is what several drawings of a group are about. ``outlines``: few shapes of
    many vertices.
    """

    layer_id: str
    table: str
    group: str
    look: Look
    fields: tuple[Field, ...]
    geometry: Literal["point", "line", "polygon", "mixed"]
    order: int
    people: str = ""
    number: str = ""
    named: bool = False
    visible: bool = False
    column: str = ""
    keep_empty: bool = False
    outlines: bool = False
    words: str = ""
    topic: Text = NOTHING

    def style(self, frame: gpd.GeoDataFrame, limits: Limits) -> Style:
        """The style of this table."""
        return self.look if isinstance(self.look, Style) else self.look(frame, limits)

    @property
    def short(self) -> Text:
        """The title under its topic."""
        return words(f"layer.{self.words or self.layer_id}")

    @property
    def title(self) -> Text:
        """The title where it stands alone."""
        return joined(self.topic, self.short) if self.topic else self.short

    @property
    def note(self) -> Text:
        """What to know when looking at it."""
        key = f"note.{self.words or self.layer_id}"
        return words(key) if key in catalogue(LANGUAGES[0]) else NOTHING


def joined(topic: Text, short: Text) -> Text:
    """``Fire engine: reach``."""
    return Text(f"{topic.zh}：{short.zh}", f"{topic.en}: {short.en[:1].lower()}{short.en[1:]}")


def field(
    column: str, kind: Kind = "text", *, label: str = "", unit: str = "", missing: str = "", code: str = "",
    normal: str = "", needs: str = "", lacks: str = "",
) -> Field:  # fmt: skip
    """A column as a reader sees it: words by key, codes by the name of their section."""
    return Field(
        column, words(f"field.{label or column}"), kind if not code or kind == "codes" else "code",
        words(f"unit.{unit}") if unit else NOTHING, words(f"missing.{missing}") if missing else NOTHING,
        codes(code) if code else {}, normal, needs, lacks,
    )  # fmt: skip


def _count(column: str, **more: str) -> Field:
    return field(column, "count", **more)


def _people(column: str = "people", **more: str) -> Field:
    """A number of people; that nobody knows it is told."""
    return _count(column, missing="people", **more)


def _minutes(column: str, missing: str = "no_way", **more: str) -> Field:
    return field(column, "minutes", unit="min", missing=missing, **more)


def _of_service(service: str, made: Field) -> Field:
    """A field named after its service: ``Fire engine: stations in time``."""
    return replace(made, label=joined(codes("service")[service], made.label))


NAME = field("name", "name")
REASON = field("reason", "sentence")
EXPOSED = (
    field("depth_max_m", "metres", unit="m"), field("share_wet", "share"), field("level_max", "count"),
    field("share_hit", "share"), field("share_unknown", "share"),
)  # fmt: skip
SHARES = tuple(
    Field(f"{service}_share", words(f"field.{service}_share"), "share", normal=f"{service}_share_normal")
    for service in (*ENGINES, "supplies", "circle")
)
COMMUNITY = (
    NAME, field("status", code="status"), REASON, *(field(f"{e}_reason", "sentence", label="reason") for e in ENGINES),
    *map(_people, ("people", "people_unserved", "people_cut_off")),
    _people("people_served", normal="people_served_normal"), _people("people_exposed"),
    *map(_people, ("people_serious", "people_displaced", "people_60plus")),
    _minutes("walk_s_median", "nobody", normal="walk_s_median_normal", needs="people"), *SHARES,
    field("circle_missing", code="category", label="circle_missing_most"), _count("shelters_usable"),
    _count("shelter_capacity", unit="people"), field("shelter_m2_per_person", "area", unit="m2"), field("source"),
)  # fmt: skip
ARRIVAL = {
    service: Field(f"{service}_s", codes("service")[service], "minutes", words("unit.min"),
                   words("missing.nobody_comes"), normal=f"{service}_s_normal")
    for service in (*ENGINES, "supplies")
}  # fmt: skip
DEPTH = {engine: _of_service(engine, _count(f"{engine}_depth", label="depth")) for engine in ENGINES}
PLACE = (
    _people(unit="people"), field("state", code="state"), _minutes("walk_s", normal="walk_s_normal"),
    *(made for service in ARRIVAL for made in (ARRIVAL[service], DEPTH.get(service)) if made),
    field("circle_missing", "codes", code="category", missing="complete"),
    field("depth_max_m", "metres", unit="m"), field("level_max", "count"), field("level_combined", "count"),
    field("snap_m", "metres", unit="m"),
)  # fmt: skip
SHELTER = (
    NAME, field("usable", "bool"), REASON, field("kind", code="kind"), field("tier", code="tier"),
    field("origin", code="origin"), _count("capacity_people", unit="people"),
    field("capacity_basis", code="capacity_basis"), _count("people_nearest", unit="people"),
    field("area_m2", "area", unit="m2"), *EXPOSED,
)  # fmt: skip
STREET = (
    NAME, field("highway", code="highway"),
    *(field(f"{profile}_reason", label=f"{profile}_open", code="street_reason", missing="open")
      for profile in ("walk", *PROFILES)),
    field("length_m", "metres", unit="m"), *EXPOSED, field("bridge", "bool"), field("tunnel", "bool"),
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
)  # fmt: skip
LOSS = (
    NAME, field("cause", code="cause"), _people("people_lost", unit="people"), _people("people_later", unit="people"),
    _minutes("added_s_median", "nobody_later"),
)  # fmt: skip


def of_service(service: str) -> Iterator[Drawing]:
    """All that is drawn of one service: its circles now and normally and, of an engine, what stands behind them."""
    about = Drawing("", "", "circles", style.lost(), (), "polygon", 0, outlines=True, topic=codes("service")[service])

    def drawn(table: str, words: str, order: int, look: Look, fields: tuple[Field, ...]) -> Drawing:
        return replace(about, layer_id=table, table=table, words=words, order=order, look=look, fields=fields)

    circles = drawn(f"circles_{service}", "circles", 22, lambda t, _: style.rings(service, t["minutes"]), RING)
    yield replace(circles, people="people")
    outlines = drawn(f"circles_{service}_normal", "circles_normal", 28, _outline(service), RING)
    yield replace(outlines, people="people")
    if service not in ENGINES:
        return
    deep = drawn(f"circle_depth_{service}", "circle_depth", 23, _deepest(service), STATIONS_IN_TIME)
    yield replace(deep, people="people")
    parts = drawn(f"responsibility_{service}", "responsibility", 21, _divided, RESPONSIBLE)
    yield replace(parts, people="people", named=True, outlines=False)
    yield replace(drawn(f"losses_{service}", "losses", 43, style.losses(), LOSS), geometry="line", outlines=False)
    found = drawn(f"stations_{service}", "stations", 61, style.stations(), STATION)
    yield replace(found, geometry="point", outlines=False)
    homes = drawn("demand", "homes", 41, style.arrivals(f"{service}_s"), PLACE)
    yield replace(homes, layer_id=f"homes_{service}", geometry="point", people="people", column=f"{service}_s_normal",
                  outlines=False)  # fmt: skip


def _outline(service: str) -> Look:
    return lambda table, limits: style.ring_line(service, table["minutes"], limits.get(service))


def _deepest(service: str) -> Look:
    return lambda table, _: style.depths(service, int(table["depth"].max()))


def _divided(table: gpd.GeoDataFrame, _: Limits) -> Style:
    """A colour and a name for each station's ground, those with most people first."""
    colours = regions.numbered(table.geometry.to_numpy())
    owned = table.assign(colour=colours).dropna(subset=OWNER)
    rows = owned.sort_values("people", ascending=False, kind="stable")
    parts = [
        Part(row[OWNER], named(row) or words("page.unnamed"), row["colour"], bool(row["too_large"]))
        for row in rows.to_dict("records")
    ]
    return style.divided(OWNER, parts, nobody=words("legend.nobody_comes"), marked=words("legend.too_large"))


def _everyday() -> Iterator[Drawing]:
    """The six everyday categories, and what each home lacks of them."""
    topic = codes("service")["everyday"]
    named = {category: codes("category")[category] for category in CATEGORIES}
    yield Drawing("circles_everyday", "circles_everyday", "circles", style.everyday(named), RING, "polygon", 28,
                  people="people", outlines=True, topic=topic)  # fmt: skip
    yield Drawing("homes_everyday", "demand", "circles", style.lacking(CATEGORIES), PLACE, "point", 41,
                  people="people", column="circle_missing", topic=topic)  # fmt: skip


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


def spoken(made: Field, table: gpd.GeoDataFrame) -> Field:
    """The field with words for what this table holds, where its codes are not a fixed few: sources of outlines."""
    if made.column != "source":
        return made
    return replace(made, kind="code", codes={said: sourced(said) for said in sorted(set(table["source"].dropna()))})


DRAWINGS = (
    Drawing("communities", "communities", "people", style.status(), COMMUNITY, "polygon", 20, people="people",
            number="people_unserved", visible=True, keep_empty=True),
    Drawing("demand", "demand", "people", style.walking(), PLACE, "point", 40, people="people"),
    Drawing("cut_off", "cut_off", "people", style.lost(), PLACE, "point", 50, people="people"),
    Drawing("shelters", "shelters", "shelters", style.shelters(), SHELTER, "mixed", 60, visible=True, keep_empty=True),
    Drawing("street_flows", "street_flows", "shelters", style.flows(),
            (NAME, _count("people", unit="people", label="people_along")), "line", 34),
    *(drawing for service in SERVICES for drawing in of_service(service)),
    *_everyday(),
    Drawing("streets", "streets", "streets", style.open_streets(), STREET, "line", 30),
    *(Drawing(f"streets_{profile}", "streets", "streets", style.open_streets(profile), STREET, "line", 31,
              column=f"{profile}_usable") for profile in PROFILES),
    Drawing("streets_depth", "streets", "streets", style.depth(px=3), STREET, "line", 32, column="depth_max_m"),
    Drawing("facilities", "facilities", "context", style.facilities(), (NAME, field("kind", code="kind")), "point", 45),
    Drawing("setback_sources", "setback_sources", "context", style.setbacks(),
            (NAME, field("group", code="group"), field("kind", code="kind")), "mixed", 15),
)  # fmt: skip
