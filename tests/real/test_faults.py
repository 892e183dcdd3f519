"""Real active faults as a study's sources: how far which class of building keeps from them (GB 50011 4.1.7)."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from data import standards
from data.study import load
from geo import uses
from geo.city import City
from geo.uses import UseParams
from tests import shared_data
from tests.real import longmen
from tests.real.longmen import DISTANCES, FILE


@pytest.fixture(scope="module", name="city")
def _city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A made place on the Longmen Shan thrust, read as a run reads it (``tests.real.longmen``)."""
    if why_not := shared_data.why_not(FILE):
        pytest.skip(why_not)
    made = longmen.study(tmp_path_factory.mktemp("longmen"), shared_data.folder() / FILE)
    return load(made.file, made.folder)


def test_faults_near_the_study_are_its_sources(city: City) -> None:
    assert city.sources is not None and city.outline is not None
    assert city.sources["kind"].tolist() == ["fault"]
    assert city.sources["name"].tolist() == ["Longmen Shan Thrust Belt"]
    assert np.isnan(city.sources["cover_m"]).all()  # nobody says how deep the soil is: taken for none
    length_km = float(city.sources.length.sum()) / 1000
    assert 5 < length_km < 9  # of a fault of 100 km the stretch in the study and 2 km round it
    said = {note.code: note for note in city.notes}
    assert "637 of 638 sources of rules" in said["sources_far"].en


def let(city: City, name: str, things: uses.Things, intensity: float) -> set[str]:
    """Buildings that a rule puts into 让: those it holds for, nearer to a source of its than it asks."""
    rule, faults = city.rules.rules[name], city.sources
    assert faults is not None
    known = {"intensity": np.full(len(faults), intensity), "cover_m": faults["cover_m"].to_numpy()}
    held, metres = rule.holds(known, len(faults)), rule.metres(known, len(faults))
    shapes = city.buildings.geometry.to_numpy()
    near = [shapely.dwithin(shapes, fault, far - 1e-6) for fault, far in zip(faults.geometry[held], metres[held],
                                                                             strict=True)]  # fmt: skip
    hit = np.any(near, axis=0) if near else np.zeros(len(shapes), dtype=bool)
    return set(city.buildings["name"].to_numpy()[hit & things.meets(rule.applies_to)])


@pytest.mark.parametrize(("intensity", "ordinary", "needed"), [(7.0, 0, 0), (8.0, 100, 200), (9.0, 200, 400)])
def test_classes_keep_their_distances(city: City, intensity: float, ordinary: float, needed: float) -> None:
    """乙 (hospitals) twice as far as 丙 (houses), both twice as far at intensity 9; 丁 (the shed on the line) not."""
    things = uses.of(city.buildings["use"], params=UseParams.of(standards.load()))
    found = set().union(*(let(city, name, things, intensity) for name in city.rules.rules
                          if name.startswith("fault_") and city.rules.rules[name].zone == "let"))  # fmt: skip
    houses = {f"house {metres}" for metres in DISTANCES if metres < ordinary}
    hospitals = {f"hospital {metres}" for metres in DISTANCES if metres < needed}
    assert found == houses | hospitals


def test_lots_come_with_uses_that_rules_understand(city: City) -> None:
    assert city.lots is not None
    things = uses.of(city.lots["use"], params=UseParams.of(standards.load()))
    assert things.class_.tolist() == ["B", ""] and things.tags["open"].tolist() == [False, True]
