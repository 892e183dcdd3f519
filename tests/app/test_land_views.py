"""让 / 防 / 避 as a reader sees them: groups with their gloss, zones and verdicts, what lacks is not drawn."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from app import views
from app.drawings import DRAWINGS, GROUPS
from app.export.qml import qml
from app.texts import catalogue
from geo.stages import STAGES
from tests.app.hand_made import HOSTILE
from tests.app.test_views import Tables
from tiles import land
from tiles.layer import Layer
from tiles.text import LANGUAGES

OF_LAND = ("land", "let", "prevent", "avoid")


def areas(n: int, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(i, 0, i + 1, 1) for i in range(n)], crs="EPSG:4326")


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    why = {"reason_en": ["Beside a river."] * 3, "reason_zh": ["河道沿岸。"] * 3}
    named = {"name": [HOSTILE] * 3, "name_zh": [None] * 3, "name_en": [None] * 3}
    judged = {**named, **why, "use": ["school", "yes", HOSTILE], "verdict": ["let", "prevent", "none"],
              "let_share": [1.0, 0.0, 0.0], "building_class": ["B", "C", ""]}  # fmt: skip
    held = {
        "zones": areas(3, zone=["let", "avoid", "prevent"], area_m2=[1.0, 2.0, 3.0], **why),
        "lots": areas(3, lot_id=["a", "b", "c"], **judged),
        "buildings": areas(3, building_id=["a", "b", "c"], **judged),
        "conflicts": areas(3, **named, **why, step=[1, 2, 3], order=[1, 2, 3], people=[4.0, 0.0, np.nan]),
        "setback_sources": areas(3, **named, layer=["lines", "areas", "hazards"], kind=["river", "water", "flood"]),
        "reserve": areas(3, **named, **why, chosen=[True, False, False], kind=["grass", "park", "meadow"]),
        "refuge_candidates": areas(3, **named, **why, phase=[1.0, 0.0, np.nan], missing=["way_in", "", "water;power"]),
        "access_audit": areas(3, **named, **why, reason=["ok", "one_way_in", "hydrant"], passes=[True, False, False]),
        "joined": areas(3, **named, ways=[0, 1, 2]),
    }  # fmt: skip
    return {layer.layer_id: layer for layer in views.layers(Tables(held))}


def counts(layer: Layer) -> dict[str, int | None]:
    return {row.label.en: row.features for row in layer.legend if row.features}


def test_three_groups_each_with_its_gloss_in_both_languages() -> None:
    assert [group for group in GROUPS if group in OF_LAND] == list(OF_LAND)
    for lang in LANGUAGES:
        assert [catalogue(lang)[f"group.{group}"][0] for group in OF_LAND[1:]] == ["让", "防", "避"]


def test_everything_that_is_there_is_drawn_and_nothing_is_on_at_first(layers: dict[str, Layer]) -> None:
    assert {layer.group for layer in layers.values()} == set(OF_LAND) and len(layers) == 9
    assert not any(layer.visible for layer in layers.values())


def test_legends_count_zones_steps_and_phases(layers: dict[str, Layer]) -> None:
    assert [label[0] for label in counts(layers["zones"])] == ["让", "避", "防"]
    assert sum(n or 0 for n in counts(layers["lots"]).values()) == 3
    assert [row.people for row in layers["conflicts"].legend] == [4, 0, None]
    assert counts(layers["refuge_candidates"]) == {"Beyond the budgets": 1, "Phase 1": 1, "Not in the order": 1}
    assert counts(layers["access_audit"]) == {"Passes": 1, "Only one way in": 1, "No hydrant in reach": 1}
    assert counts(layers["joined"]) == {"Not joined": 1, "Joined once": 1, "Joined twice": 1}


def test_what_no_rule_concerns_is_not_drawn_among_buildings(layers: dict[str, Layer]) -> None:
    assert sum(n or 0 for n in counts(layers["buildings"]).values()) == 2
    assert not land.buildings().classes[3].symbol.seen


def test_a_table_that_lacks_its_column_is_not_drawn() -> None:
    """A run of another version: its tables have other columns, and the map goes on without them."""
    old = {drawing.table: areas(1, name=["x"]) for drawing in DRAWINGS if drawing.group in OF_LAND and drawing.column}
    found = {layer.layer_id for layer in views.layers(Tables(old))}
    assert found & set(old) == set() and len(old) > 8


def test_words_stand_for_codes_and_unknown_words_stay(layers: dict[str, Layer]) -> None:
    use = next(field for field in layers["lots"].fields if field.column == "use").codes
    assert use["school"].zh == "学校" and HOSTILE not in use
    assert all(f.label.zh and f.label.en for layer in layers.values() for f in layer.fields)


def test_styles_go_into_a_geopackage(layers: dict[str, Layer]) -> None:
    written = qml(layers["zones"].style, "polygon")
    assert "b_diagonal" in written and "让" in written and "\"zone\" = 'avoid'" in written.replace("&quot;", '"')


def test_who_is_at_risk_before_and_after_stands_on_top() -> None:
    told = {"people": 10, **{f"people_at_risk_{stage}": 10 - 2 * k for k, stage in enumerate(STAGES)},
            "people_in_let": 3, "reserve_short_m2": 0.0}  # fmt: skip
    found = {n.key: n.value for n in views.numbers(Tables({}, headline=told))}
    assert [found[f"at_risk_{stage}"] for stage in STAGES] == [10, 8, 6, 4]
    assert found["in_let"] == 3 and "reserve_short" not in found
    assert not [key for key in (n.key for n in views.numbers(Tables({}, headline={"people": 1}))) if "risk" in key]
