"""Which layer is drawn from which table: how, with which fields, in which order. What a service draws is told once.

Words come from ``app.texts``, fields from ``app.fields``, colours and classes from ``tiles.style``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd

from app import fields, land_fields
from app.fields import ENGINES, OWNER, PROFILES, joined, named
from app.texts import catalogue, codes, words
from geo.services import CATEGORIES
from tiles import evacuation, land, regions, style
from tiles.layer import Field
from tiles.style import Part, Style
from tiles.text import LANGUAGES, NOTHING, Text

GROUPS = ("hazards", "people", "land", "let", "prevent", "avoid", "shelters", "circles", "streets", "context")
"""Groups of layers in the order in which they are listed."""
SERVICES = (*ENGINES, "supplies", "shelter")
"""Every service that has circles."""
Limits = Mapping[str, float]
"""The minutes within which each service counts as there."""
Geometry = Literal["point", "line", "polygon", "mixed"]
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
    geometry: Geometry
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


def of_service(service: str) -> Iterator[Drawing]:
    """All that is drawn of one service: its circles now and normally and, of an engine, what stands behind them."""
    about = Drawing("", "", "circles", style.lost(), (), "polygon", 0, outlines=True, topic=codes("service")[service])

    def drawn(table: str, words: str, order: int, look: Look, fields: tuple[Field, ...]) -> Drawing:
        return replace(about, layer_id=table, table=table, words=words, order=order, look=look, fields=fields)

    circles = drawn(f"circles_{service}", "circles", 22, lambda t, _: style.rings(service, t["minutes"]), fields.RING)
    yield replace(circles, people="people")
    outlines = drawn(f"circles_{service}_normal", "circles_normal", 28, _outline(service), fields.RING)
    yield replace(outlines, people="people")
    if service not in ENGINES:
        return
    deep = drawn(f"circle_depth_{service}", "circle_depth", 23, _deepest(service), fields.STATIONS_IN_TIME)
    yield replace(deep, people="people")
    parts = drawn(f"responsibility_{service}", "responsibility", 21, _divided, fields.RESPONSIBLE)
    yield replace(parts, people="people", named=True, outlines=False)
    yield replace(
        drawn(f"losses_{service}", "losses", 43, style.losses(), fields.LOSS), geometry="line", outlines=False
    )
    found = drawn(f"stations_{service}", "stations", 61, style.stations(), fields.STATION)
    yield replace(found, geometry="point", outlines=False)
    homes = drawn("demand", "homes", 41, style.arrivals(f"{service}_s"), fields.PLACE)
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
    yield Drawing("circles_everyday", "circles_everyday", "circles", style.everyday(named), fields.RING, "polygon", 28,
                  people="people", outlines=True, topic=topic)  # fmt: skip
    yield Drawing("homes_everyday", "demand", "circles", style.lacking(CATEGORIES), fields.PLACE, "point", 41,
                  people="people", column="circle_missing", topic=topic)  # fmt: skip


def _refuge() -> Iterator[Drawing]:
    """Shelters with the people in them, the ways there, what hangs on which street, and what is needed and brought.

    From above: signs of shelters, ways, flows along streets. Only who is where is seen at first.
    """

    def drawn(table: str, look: Look, told: tuple[Field, ...], geometry: Geometry, order: int) -> Drawing:
        return Drawing(table, table, "shelters", look, told, geometry, order)

    yield replace(drawn("shelters", evacuation.shelters(), fields.SHELTER, "mixed", 60), visible=True, keep_empty=True)
    load = drawn("shelters", evacuation.loads(), fields.SHELTER, "mixed", 61)
    yield replace(load, layer_id="shelters_load", column="load_share", people="people", visible=True)
    yield drawn("fixes", evacuation.fixes(), fields.FIXED, "mixed", 63)
    yield drawn("routes", evacuation.routes(), fields.ROUTE, "line", 54)
    yield drawn("street_flows", evacuation.flows(), fields.FLOW, "line", 34)
    yield drawn("critical_streets", evacuation.critical(), fields.WEAK_STREET, "line", 44)
    yield replace(drawn("isolated", evacuation.isolated(), fields.ISOLATED, "line", 33), people="people")
    yield drawn("needs", _needed, fields.NEED, "mixed", 62)
    yield drawn("depots", evacuation.depots(), fields.DEPOT, "mixed", 58)
    yield drawn("deliveries", evacuation.deliveries(), fields.DELIVERY, "line", 52)


def _needed(table: gpd.GeoDataFrame, _: Limits) -> Style:
    """Needs by how much of them is brought, where stock is known at all."""
    return evacuation.supplied() if "supplied_share" in table else evacuation.needs()


def _land() -> Iterator[Drawing]:
    """让 / 防 / 避: what becomes of ground, lots and buildings, then what each of the three is made of.

    From above: places that can become refuge, what a fire engine does not reach, what stands in the wrong place.
    """

    def drawn(table: str, group: str, look: Look, told: tuple[Field, ...], geometry: Geometry, order: int) -> Drawing:
        return Drawing(table, table, group, look, told, geometry, order)

    zones = drawn("zones", "land", land.zones(), land_fields.ZONE, "polygon", 24)
    yield replace(zones, column="zone", outlines=True)
    yield replace(drawn("lots", "land", land.lots(), land_fields.JUDGED, "polygon", 25), column="verdict")
    buildings = drawn("buildings", "land", land.buildings(), land_fields.JUDGED, "polygon", 26)
    yield replace(buildings, column="verdict", outlines=True)
    yield replace(drawn("conflicts", "let", land.conflicts(), land_fields.CONFLICT, "mixed", 56), people="people",
                  column="step")  # fmt: skip
    setbacks = drawn("setbacks", "let", land.setbacks(), land_fields.SETBACK, "polygon", 14)
    yield replace(setbacks, column="zone", outlines=True)
    sources = drawn("setback_sources", "let", land.setback_sources(), land_fields.SOURCE, "mixed", 15)
    yield replace(sources, column="layer")
    yield replace(drawn("regions", "prevent", land.regions(), land_fields.REGION, "polygon", 12), column="kind",
                  named=True)  # fmt: skip
    yield replace(drawn("reserve", "prevent", land.reserve(), land_fields.RESERVE, "polygon", 27), column="chosen")
    audit = drawn("access_audit", "prevent", land.access_audit(), land_fields.ACCESS, "mixed", 47)
    yield replace(audit, column="passes", outlines=True)
    blocked = drawn("blocked_streets", "prevent", land.blocked_streets(), land_fields.BLOCKED, "line", 36)
    yield replace(blocked, column="reason")
    yield replace(drawn("corridors", "prevent", land.corridors(), land_fields.CORRIDOR, "line", 35),
                  column="state")  # fmt: skip
    yield replace(drawn("joined", "prevent", land.joined(), land_fields.JOINED, "mixed", 55), column="ways")
    yield drawn("refuge_candidates", "avoid", land.refuge_candidates(), land_fields.REFUGE, "mixed", 57)


DRAWINGS = (
    Drawing("communities", "communities", "people", style.status(), fields.COMMUNITY, "polygon", 20, people="people",
            number="people_unserved", visible=True, keep_empty=True),
    Drawing("demand", "demand", "people", style.walking(), fields.EVACUEE, "point", 40, people="people"),
    Drawing("demand_state", "demand", "people", evacuation.homes(), fields.EVACUEE, "point", 41, people="people",
            column="state"),
    Drawing("cut_off", "cut_off", "people", style.lost(), fields.PLACE, "point", 50, people="people"),
    *_refuge(),
    *(drawing for service in SERVICES for drawing in of_service(service)),
    *_everyday(),
    Drawing("streets", "streets", "streets", style.open_streets(), fields.STREET, "line", 30),
    *(Drawing(f"streets_{profile}", "streets", "streets", style.open_streets(profile), fields.STREET, "line", 31,
              column=f"{profile}_usable") for profile in PROFILES),
    Drawing("streets_depth", "streets", "streets", style.depth(px=3), fields.STREET, "line", 32, column="depth_max_m"),
    Drawing("facilities", "facilities", "context", style.facilities(), fields.FACILITY, "point", 45),
    *_land(),
)  # fmt: skip
