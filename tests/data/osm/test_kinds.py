from __future__ import annotations

import pytest

from data.osm import kinds


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
    ({"amenity": "bench"}, None),
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
