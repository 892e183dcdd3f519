"""Which tag means what: the one place where OpenStreetMap's vocabulary is turned into ours.

Tables map ``(key, value)`` to a kind; the first match in the order written counts. ``disused:amenity`` and the like
are other keys, so what is closed is not found. See the OpenStreetMap wiki for each tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from data.osm.values import CHINESE, LANGUAGE, OTHER_NAMES
from geo.network import BARRIER_TAGS, WAY_TAGS

Tags = Mapping[str, str]
Rules = Mapping[str, Mapping[str, str]]
"""key -> value -> kind."""


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


def _all(kind: str, *values: str) -> dict[str, str]:
    return dict.fromkeys(values, kind)


NOT_YET_A_STREET = frozenset({"proposed", "planned", "construction"})
NOT_A_STREET = frozenset({
    "no", "abandoned", "razed", "demolished", "disused", "raceway", "rest_area", "services", "elevator", "bus_stop",
    "street_lamp", "traffic_signals", "crossing", "toll_gantry", "trailhead", "via_ferrata",
})  # fmt: skip

FACILITIES: Rules = {
    "amenity": _same(
        "fire_station", "hospital", "clinic", "doctors", "pharmacy", "police", "school", "kindergarten", "college",
        "university", "community_centre", "townhall", "place_of_worship", "library", "marketplace", "fuel",
        "nursing_home",
    ) | {"childcare": "kindergarten"},
    "emergency": {
        **_same("ambulance_station", "siren", "defibrillator", "water_tank", "assembly_point", "suction_point",
                "landing_site", "fire_station"),
        "fire_hydrant": "hydrant", "phone": "emergency_phone", "fire_water_pond": "water_tank",
        **_same("disaster_help_point", "disaster_response", "water_rescue", "mountain_rescue"),
    },
    "healthcare": {"hospital": "hospital", "clinic": "clinic", "centre": "clinic", "doctor": "doctors",
                   "pharmacy": "pharmacy"},
    "social_facility": _all("nursing_home", "nursing_home", "assisted_living", "group_home"),
    "leisure": _all("sports", "sports_centre", "sports_hall", "stadium"),
    "shop": _same("supermarket"),
    "man_made": {"storage_tank": "storage_tank", "gasometer": "storage_tank", "works": "works",
                 "wastewater_plant": "wastewater_plant", "water_works": "water_works"},
    "power": {"substation": "substation", "plant": "power_plant"},
    "railway": {"station": "railway_station"},
    "aeroway": {"helipad": "landing_site"},
    "emergency:staging_area": _all("staging_area", "rescue", "yes"),
}  # fmt: skip
BUILT_AS: Rules = {
    "building": _same("fire_station", "hospital", "school", "kindergarten", "college", "university")
    | _all("sports", "sports_hall", "sports_centre", "stadium") | {"storage_tank": "storage_tank"},
}  # fmt: skip
"""What a building without another tag was built as: weaker evidence than an amenity."""
SURE_WITHOUT_NAME = frozenset({"fire_station", "storage_tank"})
"""Of those, what a building is even without a name; a nameless ``building=school`` is as likely a shed of one."""

CANDIDATES = frozenset({
    "school", "kindergarten", "college", "university", "sports", "community_centre", "townhall", "place_of_worship",
    "library",
})  # fmt: skip
"""Facilities that could become shelters."""
OPEN_SPACES: Rules = {
    "leisure": {"park": "park", "common": "park", "recreation_ground": "recreation_ground"},
    "landuse": {"recreation_ground": "recreation_ground", "village_green": "park"},
    "place": {"square": "square"},
}
"""Open ground that could become an emergency shelter."""

AREAS: Rules = {
    "natural": {"water": "water", "wetland": "wetland", "wood": "forest", "scrub": "scrub", "heath": "scrub",
                "grassland": "grass", "beach": "sand", "sand": "sand", "shingle": "sand", "bare_rock": "rock",
                "scree": "rock", "glacier": "ice"},
    "waterway": _all("water", "riverbank", "dock"),
    "landuse": {
        **_all("water", "reservoir", "basin"), "forest": "forest",
        **_all("grass", "grass", "village_green", "greenfield"),
        **_all("farmland", "farmland", "orchard", "vineyard", "plant_nursery", "allotments", "greenhouse_horticulture"),
        "meadow": "meadow", "farmyard": "farmyard", "residential": "residential", "industrial": "industrial",
        **_all("commercial", "commercial", "retail"), "construction": "construction", "brownfield": "construction",
        "cemetery": "cemetery", "railway": "railway", "military": "military", "recreation_ground": "recreation",
        **_all("quarry", "quarry", "landfill"), "port": "industrial", "education": "education",
    },
    "leisure": {**_all("park", "park", "garden", "common"), **_all("recreation", "pitch", "playground", "sports_centre",
                "stadium", "track", "golf_course", "recreation_ground")},
    "amenity": {**_all("education", "school", "kindergarten", "college", "university"),
                **_all("medical", "hospital", "clinic"), "grave_yard": "cemetery", "parking": "parking",
                "fuel": "industrial"},
    "power": _all("industrial", "substation", "plant"),
    "man_made": {"works": "industrial", "wastewater_plant": "industrial", "water_works": "industrial",
                 "pier": "pier"},
    "place": {"square": "square"},
    "aeroway": {"aerodrome": "airfield"},
}  # fmt: skip

LINES: Rules = {
    "waterway": {**_same("river", "canal", "stream", "ditch", "drain"), "tidal_channel": "stream", "dam": "dam",
                 "weir": "dam"},
    "railway": {**_all("railway", "rail", "light_rail", "narrow_gauge", "monorail"), **_same("tram", "subway")},
    "power": {"line": "power_line", "minor_line": "power_line", "cable": "power_cable"},
    "man_made": {"pipeline": "pipeline", "dyke": "dyke", "embankment": "embankment"},
    "natural": {"coastline": "coastline"},
    "barrier": _all("wall", "wall", "city_wall", "retaining_wall"),
}  # fmt: skip

HAZARDS = frozenset({
    "flood", "flooding", "tsunami", "landslide", "rock_fall", "rockfall", "falling_rocks", "avalanche", "debris_flow",
    "erosion", "unstable_ground", "fire", "hurricane", "volcano", "storm_surge",
})  # fmt: skip
"""Values of ``hazard`` that are a danger to a place; others warn drivers (bends, children, animals)."""

PLACES = frozenset({
    "city", "borough", "city_district", "district", "subdistrict", "suburb", "quarter", "neighbourhood", "town",
    "village", "hamlet", "isolated_dwelling", "island", "locality",
})  # fmt: skip
"""Names for the base map."""
PLACE_AREAS = PLACES - {"island", "locality", "isolated_dwelling"}
"""Kinds of place that are a unit people live in."""

NOT_A_BUILDING = frozenset({"no", "entrance", "underpass_entrance"})
UNTOLD_USE = frozenset({"yes", "public", "civic", "building", "unclassified"})
"""Building values that do not say what the building is for."""
USES: Rules = {
    "amenity": _same("school", "kindergarten", "college", "university", "hospital", "clinic", "fire_station", "police",
                     "townhall", "place_of_worship", "library", "community_centre", "marketplace", "theatre", "cinema",
                     "restaurant", "bank", "fuel", "parking", "prison", "courthouse", "post_office", "nursing_home"),
    "tourism": {**_same("hotel", "museum"), **_all("hotel", "hostel", "motel", "guest_house")},
    "leisure": _all("sports", "sports_centre", "sports_hall", "stadium"),
    "railway": {"station": "train_station"},
    "man_made": _all("industrial", "works", "wastewater_plant", "water_works") | {"storage_tank": "storage_tank"},
    "power": _all("industrial", "substation", "plant"),
}  # fmt: skip

REFUGE_NAME = re.compile("应急避难|避难场所|避灾|避難|避险场所|应急避险")
NOT_A_REFUGE = ("highway", "railway", "public_transport", "information", "route")
"""Keys of things named after a shelter that are not one: its bus stop, its sign."""
REFUGE_TAGS: Rules = {
    "emergency": {"assembly_point": "assembly_point", "evacuation_centre": "evacuation_centre",
                  "evacuation_center": "evacuation_centre"},
    "emergency:social_facility": {"shelter": "evacuation_centre"},
    "emergency:amenity": {"shelter": "evacuation_centre"},
    "emergency:camp_area": {"yes": "camp_area"},
    "evacuation_centre": {"yes": "evacuation_centre"},
    "evacuation_center": {"yes": "evacuation_centre"},
    "amenity": _all("evacuation_centre", "evacuation_centre", "evacuation_center"),
}  # fmt: skip
BOMB_SHELTER = frozenset({"bomb", "bomb_shelter"})

DETAILS = {
    "hydrant": ("fire_hydrant:type",), "storage_tank": ("content", "substance"), "power_plant": ("plant:source",),
    "substation": ("substation",), "water_tank": ("water_tank:volume",),
}  # fmt: skip
"""Keys that say more exactly what a facility of a kind is; the first that is written counts."""

KEYS = frozenset(
    {"highway", "building", "place", "boundary", "shop", "office", "name", "social_facility", "shelter_type",
     "bunker_type", "evacuation_route", "flood_prone", "hazard", "hazard_prone"}
    | FACILITIES.keys() | AREAS.keys() | LINES.keys() | OPEN_SPACES.keys() | REFUGE_TAGS.keys()
)  # fmt: skip
"""An object without any of these keys is of no interest."""
READ = KEYS | USES.keys() | frozenset({*WAY_TAGS, *BARRIER_TAGS, *NOT_A_REFUGE, *OTHER_NAMES, *CHINESE}) | {
    *(key for keys in DETAILS.values() for key in keys),
    "type", "disused", "abandoned", "demolished", "social_facility:for", "emergency:hazard_type", "emergency:capacity",
    "capacity", "building:levels", "height", "building:flats", "voltage", "admin_level", "population", "name:en",
    "start_date", "construction_date", "year_of_construction", "building:structure", "building:material",
}  # fmt: skip
"""Keys that some rule looks at; no other is kept."""
READ_FAMILIES = ("assembly_point:",)
"""Beginnings of more such keys."""


def is_read(key: str) -> bool:
    """Whether some rule looks at this key."""
    return key in READ or key.startswith(READ_FAMILIES) or bool(LANGUAGE.match(key))


def is_of_interest(tags: Tags) -> bool:
    """Whether this may be something."""
    return not KEYS.isdisjoint(tags)


def is_plain_building(tags: Tags) -> bool:
    """Whether this is a building and nothing else: most objects of a town, which no other rule needs to look at."""
    return "building" in tags and KEYS & tags.keys() == {"building"} and tags["building"] not in BUILT_AS["building"]


def kind_of(tags: Tags, rules: Rules) -> str | None:
    """The kind of the first rule that fits."""
    for key, kinds in rules.items():
        if (value := tags.get(key)) is not None and value in kinds:
            return kinds[value]
    return None


def out_of_use(tags: Tags) -> bool:
    """Whether the mapper says that it no longer serves."""
    return any(tags.get(key) == "yes" for key in ("disused", "abandoned", "demolished"))


def street(tags: Tags, *, closed: bool) -> str | None:
    """Why a ``highway`` is not a street: ``not_built`` or ``not_a_street``; None when it is one.

    Squares (``area=yes``) are streets, people walk along their outline; platforms drawn as areas are not.
    """
    value = tags["highway"]
    if value in NOT_YET_A_STREET:
        return "not_built"
    as_area = value == "platform" and (closed or tags.get("area") == "yes")
    return "not_a_street" if value in NOT_A_STREET or as_area else None


def facility(tags: Tags) -> str | None:
    """What serves here, by its own tag."""
    return kind_of(tags, FACILITIES)


def built_as(tags: Tags) -> str | None:
    """What serves here, judging by the building alone."""
    kind = kind_of(tags, BUILT_AS)
    return kind if "name" in tags or kind in SURE_WITHOUT_NAME else None


def is_building(tags: Tags) -> bool:
    """Whether this is a building with an outline of its own; parts and entrances are not."""
    value = tags.get("building")
    return value is not None and value not in NOT_A_BUILDING


def use(tags: Tags) -> str:
    """What a building is for: its ``building`` value or, where that does not say, what is in it."""
    value = tags["building"].strip().lower() or "yes"
    if value not in UNTOLD_USE:
        return value
    return kind_of(tags, USES) or ("retail" if "shop" in tags else "office" if "office" in tags else value)


def detail(tags: Tags) -> str | None:
    """What a facility is more exactly: ``pillar`` of a hydrant, what a tank holds; None when not said."""
    keys = DETAILS.get(facility(tags) or "", ())
    return next((tags[key] for key in keys if key in tags), None)


def emergency_use(tags: Tags) -> str | None:
    """What a place becomes in an emergency, ``shelter;staging_area``; None when nothing is said."""
    uses = {
        "shelter": bool(kind_of(tags, REFUGE_TAGS)), "camp_area": tags.get("emergency:camp_area") == "yes",
        "staging_area": tags.get("emergency:staging_area", "no") != "no",
    }  # fmt: skip
    return ";".join(sorted(use for use, is_one in uses.items() if is_one)) or None


def dangers(tags: Tags) -> tuple[str, ...]:
    """Hazards that a place or a stretch of street is said to be prone to, in order: ``("flood",)``."""
    said = {word.strip() for word in tags.get("hazard", "").split(";")} & HAZARDS
    if tags.get("flood_prone") == "yes" or "flooding" in said:
        said = said - {"flooding"} | {"flood"}
    if tags.get("hazard_prone") == "yes" and not said:
        said = {"unknown"}
    return tuple(sorted(said))


def evacuated_from(tags: Tags) -> tuple[str, ...]:
    """Hazards that an evacuation route is for, in order; ``("any",)`` when only said to be one, none when it is not."""
    words = {word.strip() for word in tags.get("evacuation_route", "").split(";")} - {"", "no"}
    if not words and tags.get("type") == "route" and tags.get("route") == "evacuation":
        words = {"yes"}
    return tuple(sorted("any" if word == "yes" else word for word in words))


def line(tags: Tags) -> str | None:
    """The kind of a line that is kept: its own, else a street bit that is a route to safety or floods."""
    if kind := kind_of(tags, LINES):
        return kind
    if evacuated_from(tags):
        return "evacuation_route"
    return "hazard_prone" if "highway" in tags and dangers(tags) else None


def hazards_of_line(tags: Tags) -> str | None:
    """What an evacuation route leads away from, or what a line is prone to, ``flood;tsunami``; None when neither."""
    return ";".join(evacuated_from(tags) or dangers(tags)) or None


def area(tags: Tags) -> str | None:
    """What kind of land or water an outline encloses; buildings and highways are told apart elsewhere.

    ``hazard_prone`` is what is mapped for its danger alone.
    """
    if tags.get("highway") in ("pedestrian", "footway"):
        return "square" if tags.get("area") == "yes" or tags.get("type") == "multipolygon" else None
    return kind_of(tags, AREAS) or ("hazard_prone" if dangers(tags) and "highway" not in tags else None)


def is_unit(tags: Tags) -> bool:
    """Whether an outline is an administrative unit or a named part of a town."""
    boundary = tags.get("boundary")
    if boundary == "administrative":
        return True
    return tags.get("place") in PLACE_AREAS or (boundary == "place" and "name" in tags and "place" not in tags)


def refuge(tags: Tags) -> str | None:
    """The kind of refuge when it is mapped as one; None otherwise.

    ``amenity=shelter`` keeps rain off people at a bus stop: it never counts. A ``social_facility=shelter`` for a stated
    group (refugees, the homeless) serves that group, and only one for displaced people is a refuge.
    """
    if out_of_use(tags):
        return None
    if kind := kind_of(tags, REFUGE_TAGS):
        return facility(tags) or kind
    if tags.get("social_facility") == "shelter":
        group = tags.get("social_facility:for", "")
        return "social_facility" if not group or "displaced" in group else None
    if REFUGE_NAME.search(tags.get("name", "")) and not any(key in tags for key in NOT_A_REFUGE):
        return facility(tags) or kind_of(tags, OPEN_SPACES) or "named_refuge"
    return None


def candidate(tags: Tags) -> str | None:
    """The kind of open ground or civil-defence shelter that could become a shelter; None otherwise."""
    if tags.get("amenity") != "shelter" and (
        tags.get("shelter_type") in BOMB_SHELTER or tags.get("bunker_type") in BOMB_SHELTER
    ):
        return "civil_defence"
    return kind_of(tags, OPEN_SPACES)


def hazards_said(tags: Tags, *, valid: bool) -> str | None:
    """Hazards an assembly point is said to be valid (or not) for, ``earthquake;flood``; None when nothing is said.

    ``assembly_point:tsunami`` may hold a height: that says yes.
    """
    prefix = "assembly_point:"
    said = {key[len(prefix) :] for key, value in tags.items() if key.startswith(prefix) and (value != "no") == valid}
    if valid and (more := tags.get("emergency:hazard_type")):
        said |= {part.strip() for part in more.split(";")}
    return ";".join(sorted(said)) or None
