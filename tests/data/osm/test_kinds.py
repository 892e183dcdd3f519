from __future__ import annotations

from typing import ClassVar

import pytest

from data.osm import kinds
from data.osm.scan import NODE_KEYS
from data.osm.values import built_year, names, other_names


@pytest.mark.parametrize(("tags", "closed", "why_not"), [
    ({"highway": "residential"}, False, None), ({"highway": "footway"}, True, None),
    ({"highway": "pedestrian", "area": "yes"}, True, None),
    ({"highway": "platform"}, False, None), ({"highway": "platform"}, True, "not_a_street"),
    ({"highway": "platform", "area": "yes"}, False, "not_a_street"), ({"highway": "raceway"}, False, "not_a_street"),
    ({"highway": "construction"}, False, "not_built"), ({"highway": "proposed"}, False, "not_built"),
])  # fmt: skip
def test_streets(tags: dict[str, str], closed: bool, why_not: str | None) -> None:
    assert kinds.street(tags, closed=closed) == why_not


@pytest.mark.parametrize(("tags", "kind"), [
    ({"amenity": "fire_station"}, "fire_station"), ({"amenity": "hospital", "building": "yes"}, "hospital"),
    ({"healthcare": "doctor"}, "doctors"), ({"leisure": "stadium"}, "sports"), ({"shop": "supermarket"}, "supermarket"),
    ({"emergency": "fire_hydrant"}, "hydrant"), ({"man_made": "gasometer"}, "storage_tank"),
    ({"social_facility": "group_home"}, "nursing_home"), ({"disused:amenity": "school"}, None),
    ({"amenity": "bench"}, None), ({"emergency": "siren"}, "siren"), ({"emergency": "phone"}, "emergency_phone"),
    ({"emergency": "water_tank"}, "water_tank"), ({"emergency": "defibrillator"}, "defibrillator"),
    ({"emergency": "ambulance_station"}, "ambulance_station"), ({"aeroway": "helipad"}, "landing_site"),
    ({"emergency:staging_area": "rescue", "highway": "service"}, "staging_area"),
    ({"emergency": "disaster_help_point"}, "disaster_help_point"), ({"amenity": "fuel"}, "fuel"),
    ({"power": "substation"}, "substation"), ({"power": "plant"}, "power_plant"),
])  # fmt: skip
def test_facilities(tags: dict[str, str], kind: str | None) -> None:
    assert kinds.facility(tags) == kind


@pytest.mark.parametrize(("tags", "kind"), [
    ({"building": "school"}, None), ({"building": "school", "name": "A"}, "school"),
    ({"building": "fire_station"}, "fire_station"), ({"building": "house", "name": "A"}, None),
])  # fmt: skip
def test_what_a_building_was_built_as_counts_with_a_name(tags: dict[str, str], kind: str | None) -> None:
    assert kinds.built_as(tags) == kind


@pytest.mark.parametrize(("tags", "kind"), [
    ({"emergency": "assembly_point"}, "assembly_point"),
    ({"amenity": "school", "emergency:social_facility": "shelter"}, "school"),
    ({"amenity": "social_facility", "social_facility": "shelter"}, "social_facility"),
    ({"social_facility": "shelter", "social_facility:for": "displaced"}, "social_facility"),
    ({"emergency:camp_area": "yes"}, "camp_area"), ({"evacuation_centre": "yes"}, "evacuation_centre"),
    ({"leisure": "park", "name": "鼓楼应急避难场所"}, "park"), ({"name": "应急避难场所"}, "named_refuge"),
    # What is none:
    ({"amenity": "shelter"}, None), ({"amenity": "shelter", "shelter_type": "public_transport"}, None),
    ({"social_facility": "shelter", "social_facility:for": "refugee"}, None),
    ({"social_facility": "shelter", "social_facility:for": "homeless"}, None),
    ({"highway": "bus_stop", "name": "应急避难场所"}, None), ({"information": "board", "name": "避难场所"}, None),
    ({"emergency": "assembly_point", "disused": "yes"}, None), ({"amenity": "school"}, None),
])  # fmt: skip
def test_refuges_are_what_the_map_says_is_one(tags: dict[str, str], kind: str | None) -> None:
    assert kinds.refuge(tags) == kind


@pytest.mark.parametrize(("tags", "kind"), [
    ({"leisure": "park"}, "park"), ({"place": "square"}, "square"), ({"bunker_type": "bomb_shelter"}, "civil_defence"),
    ({"amenity": "shelter", "shelter_type": "bomb_shelter"}, None), ({"landuse": "grass"}, None),
])  # fmt: skip
def test_candidates(tags: dict[str, str], kind: str | None) -> None:
    assert kinds.candidate(tags) == kind


def test_hazards_an_assembly_point_is_for() -> None:
    tags = {"assembly_point:flood": "no", "assembly_point:tsunami": "12", "assembly_point:fire": "yes",
            "emergency:hazard_type": "earthquake; storm"}  # fmt: skip
    assert kinds.hazards_said(tags, valid=True) == "earthquake;fire;storm;tsunami"
    assert kinds.hazards_said(tags, valid=False) == "flood"
    assert kinds.hazards_said({}, valid=True) is None


@pytest.mark.parametrize(("tags", "detail"), [
    ({"emergency": "fire_hydrant", "fire_hydrant:type": "pillar"}, "pillar"), ({"emergency": "fire_hydrant"}, None),
    ({"man_made": "storage_tank", "content": "fuel", "substance": "oil"}, "fuel"), ({"plant:source": "coal"}, None),
    ({"power": "plant", "plant:source": "coal"}, "coal"),
])  # fmt: skip
def test_what_a_facility_is_more_exactly(tags: dict[str, str], detail: str | None) -> None:
    assert kinds.detail(tags) == detail


@pytest.mark.parametrize(("tags", "use"), [
    ({"amenity": "school"}, None), ({"amenity": "school", "emergency:social_facility": "shelter"}, "shelter"),
    ({"amenity": "parking", "emergency:staging_area": "rescue", "emergency:camp_area": "yes"},
     "camp_area;shelter;staging_area"), ({"emergency:staging_area": "no"}, None),
])  # fmt: skip
def test_what_a_place_becomes_in_an_emergency(tags: dict[str, str], use: str | None) -> None:
    assert kinds.emergency_use(tags) == use


@pytest.mark.parametrize(("tags", "kind", "hazards"), [
    ({"type": "route", "route": "evacuation", "evacuation_route": "tsunami; flood"}, "evacuation_route",
     "flood;tsunami"), ({"type": "route", "route": "evacuation"}, "evacuation_route", "any"),
    ({"highway": "path", "evacuation_route": "yes"}, "evacuation_route", "any"),
    ({"highway": "path", "evacuation_route": "no"}, None, None), ({"type": "route", "route": "bus"}, None, None),
    ({"highway": "service", "flood_prone": "yes"}, "hazard_prone", "flood"),
    ({"highway": "service", "flood_prone": "no"}, None, None),
    ({"highway": "track", "hazard": "landslide;flooding"}, "hazard_prone", "flood;landslide"),
    ({"highway": "track", "hazard": "curve"}, None, None), ({"highway": "track", "hazard_prone": "yes"},
     "hazard_prone", "unknown"), ({"waterway": "river", "flood_prone": "yes"}, "river", "flood"),
])  # fmt: skip
def test_lines_that_lead_to_safety_or_flood(tags: dict[str, str], kind: str | None, hazards: str | None) -> None:
    assert (kinds.line(tags), kinds.hazards_of_line(tags)) == (kind, hazards)


@pytest.mark.parametrize(("tags", "use"), [
    ({"building": "House"}, "house"), ({"building": "yes"}, "yes"),
    ({"building": "yes", "amenity": "school"}, "school"), ({"building": "yes", "shop": "shoes"}, "retail"),
    ({"building": "yes", "office": "it"}, "office"),
    ({"building": "apartments", "shop": "shoes"}, "apartments"), ({"building": "public", "tourism": "hostel"}, "hotel"),
])  # fmt: skip
def test_use_of_a_building(tags: dict[str, str], use: str) -> None:
    assert kinds.use(tags) == use


@pytest.mark.parametrize(("tags", "kind"), [
    ({"natural": "water"}, "water"), ({"waterway": "riverbank"}, "water"), ({"landuse": "orchard"}, "farmland"),
    ({"highway": "pedestrian"}, None), ({"highway": "pedestrian", "area": "yes"}, "square"),
    ({"highway": "pedestrian", "type": "multipolygon"}, "square"), ({"boundary": "administrative"}, None),
    ({"hazard": "landslide"}, "hazard_prone"), ({"hazard": "landslide", "landuse": "meadow"}, "meadow"),
])  # fmt: skip
def test_areas(tags: dict[str, str], kind: str | None) -> None:
    assert kinds.area(tags) == kind


@pytest.mark.parametrize(("tags", "is_unit"), [
    ({"boundary": "administrative"}, True), ({"place": "suburb"}, True), ({"place": "island"}, False),
    ({"boundary": "place"}, False), ({"boundary": "place", "name": "A"}, True), ({"boundary": "protected_area"}, False),
])  # fmt: skip
def test_units(tags: dict[str, str], is_unit: bool) -> None:
    assert kinds.is_unit(tags) is is_unit


@pytest.mark.parametrize(("tags", "plain"), [
    ({"building": "house"}, True), ({"building": "house", "addr:street": "A"}, True), ({"highway": "path"}, False),
    ({"building": "school"}, False), ({"building": "yes", "name": "A"}, False),
    ({"building": "yes", "amenity": "school"}, False),
])  # fmt: skip
def test_plain_buildings_are_nothing_else(tags: dict[str, str], plain: bool) -> None:
    assert kinds.is_plain_building(tags) is plain
    if plain:
        others = (kinds.facility, kinds.built_as, kinds.refuge, kinds.candidate, kinds.area)
        assert [rule(tags) for rule in others] == [None] * 5
        assert not kinds.is_unit(tags)


@pytest.mark.parametrize("rules", [
    kinds.FACILITIES, kinds.BUILT_AS, kinds.OPEN_SPACES, kinds.AREAS, kinds.LINES, kinds.USES, kinds.REFUGE_TAGS,
])  # fmt: skip
def test_every_rule_is_of_interest_to_the_reader(rules: kinds.Rules) -> None:
    assert set(rules) <= kinds.KEYS | {"tourism"}


class Asked(dict[str, str]):
    """Tags that remember which keys they were asked for."""

    asked: ClassVar[set[str]] = set()

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


def test_no_rule_looks_at_a_key_that_the_reader_throws_away() -> None:
    rules = (
        kinds.facility, kinds.built_as, kinds.refuge, kinds.candidate, kinds.area, kinds.is_unit, kinds.out_of_use,
        kinds.detail, kinds.emergency_use, kinds.line, kinds.hazards_of_line, kinds.is_building, names, other_names,
        built_year,
    )  # fmt: skip
    for tags in (
        {}, {"name": "A", "building": "yes"}, {"type": "route", "route": "evacuation"}, {"building": "public"},
        {"man_made": "storage_tank"}, {"emergency": "fire_hydrant"}, {"social_facility": "shelter"},
    ):  # fmt: skip
        for rule in rules:
            rule(Asked(tags))  # type: ignore[operator]
    kinds.use(Asked({"building": "yes"}))
    kinds.street(Asked({"highway": "platform"}), closed=True)
    assert {key for key in Asked.asked if not kinds.is_read(key)} == set()


def test_nodes_the_reader_lets_through_are_those_that_some_rule_wants() -> None:
    of_nodes = (
        kinds.FACILITIES.keys() | kinds.REFUGE_TAGS.keys() | {"place", "barrier", "name", "hazard", "shelter_type"}
    )
    assert of_nodes <= set(NODE_KEYS)
