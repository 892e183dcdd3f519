"""Which scenario a hazard comes into force in, and what it is called in both languages."""

from __future__ import annotations

import pytest

from app.emergencies import set_scenario, title_of, with_scenario
from app.store import Workspace
from data.study import Layer, Scenario, StudyFile
from geo.errors import NotFoundError

NORMAL = Scenario(scenario_id="normal", name="Normal day", name_zh="平时")


def flood(name: str, **more: object) -> Layer:
    return Layer(layer_id=name, kind="hazard", file=f"inputs/{name}.tif", hazard="flood", unit="m", **more)  # type: ignore[arg-type]


def slide(name: str) -> Layer:
    return Layer(layer_id=name, kind="hazard", file=f"inputs/{name}.tif", hazard="landslide", unit="level")


def derived(kind: str, name: str = "") -> Layer:
    return Layer(layer_id=name or kind, kind="hazard", hazard=kind, derived=True)


def joined(*added: tuple[Layer, str], first: tuple[Scenario, ...] = (NORMAL,)) -> list[Scenario]:
    """The scenarios of a study to which layers came one after another, each with what was said of its scenario."""
    file = StudyFile(study_id="s", name="S", crs="EPSG:32631", scenarios=list(first))
    for layer, named in added:
        file = with_scenario(file.model_copy(update={"layers": [*file.layers, layer]}), layer, named)
    return file.scenarios


def titles(scenarios: list[Scenario]) -> list[tuple[str, str | None]]:
    return [(scenario.name, scenario.name_zh) for scenario in scenarios]


def test_a_hazard_comes_with_an_emergency_of_its_own() -> None:
    _, new = joined((flood("flood"), ""))
    assert (new.scenario_id, new.name, new.name_zh, new.state) == ("flood", "Flood", "洪水", "emergency")
    assert new.hazards == ("flood",)
    assert joined((Layer(layer_id="p", kind="population", file="inputs/p.csv"), "")) == [NORMAL]


def test_a_second_hazard_joins_the_title_of_the_first() -> None:
    _, risk = joined((derived("waterside"), "risk"))
    assert titles([risk]) == [("Waterside · risk", "临水地带 · risk")]
    _, both = joined((derived("waterside"), "risk"), (derived("fuel_industry"), "risk"))
    assert titles([both]) == [
        ("Waterside + Near fuel and industry · risk", "临水地带 + 加油站、储罐和工业周边 · risk")
    ]  # fmt: skip
    assert both.hazards == ("waterside", "fuel_industry")


def test_three_hazards_of_which_two_are_called_the_same() -> None:
    hours = (flood("a", return_period_y=25), flood("b", return_period_y=25), slide("slide"))
    _, together = joined(*((layer, "storm") for layer in hours))
    assert titles([together]) == [("Flood, 1 in 25 years + Landslide", "25年一遇洪水 + 滑坡")]
    assert together.hazards == ("a", "b", "slide")


def test_another_layer_of_the_same_title_leaves_it_as_it_is() -> None:
    scenarios = joined((flood("a"), "flood"), (flood("c"), ""), (flood("e"), "flood"))
    assert titles(scenarios[1:]) == [("Flood", "洪水"), ("Flood · c", "洪水 · c")]
    assert [scenario.hazards for scenario in scenarios] == [(), ("a", "e"), ("c",)]


def test_a_title_that_a_person_chose_stays() -> None:
    _, chosen = joined((flood("flood"), "Spring tide"), (slide("slide"), "Spring tide"))
    assert (chosen.name, chosen.name_zh, chosen.hazards) == ("Spring tide", "Spring tide", ("flood", "slide"))
    alert = Scenario(scenario_id="alert", name="Warning", name_zh="预警")
    assert titles(joined((flood("flood"), "alert"), first=(alert,))) == [("Warning", "预警")]


def test_a_hazard_may_join_an_ordinary_day_and_leaves_its_title() -> None:
    (normal,) = joined((flood("flood"), "normal"))
    assert (normal.name, normal.name_zh, normal.hazards, normal.state) == ("Normal day", "平时", ("flood",), "normal")


def test_no_two_scenarios_are_called_the_same() -> None:
    scenarios = joined(
        (flood("flood"), ""), (slide("landslide"), "flood"), (flood("other"), "x"), (slide("again"), "x")
    )  # fmt: skip
    names = [scenario.name for scenario in scenarios]
    assert names == ["Normal day", "Flood + Landslide", "Flood + Landslide · x"]
    assert len({scenario.name_zh for scenario in scenarios}) == 3


def test_a_second_scenario_of_a_title_gives_both_their_ids() -> None:
    scenarios = joined((flood("a", hours=1), ""), (flood("b", hours=1), ""))
    assert titles(scenarios[1:]) == [
        ("Flood, hour 1 · a", "洪水（第1小时） · a"), ("Flood, hour 1 · b", "洪水（第1小时） · b"),
    ]  # fmt: skip


def test_what_layers_are_called() -> None:
    assert title_of(derived("old_dense", "x")) == ("Dense old buildings", "老旧密集建筑")
    assert title_of(flood("a", return_period_y=100, hours=6)) == (
        "Flood, 1 in 100 years, hour 6", "100年一遇洪水（第6小时）",
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path: object) -> Workspace:
    opened = Workspace.open(tmp_path / "w")  # type: ignore[operator]
    layers = [derived("waterside"), derived("power_line")]
    opened.create(StudyFile(study_id="town", name="T", crs="EPSG:32631", scenarios=[NORMAL]), {})
    opened.edit("town", lambda file: file.model_copy(update={"layers": layers}))
    return opened


def test_a_scenario_is_made_and_changed_by_what_is_told(workspace: Workspace) -> None:
    set_scenario(workspace, "town", "Market day", time="day", hazards=["waterside"])
    changed = set_scenario(workspace, "town", "market-day", state="alert", title_zh="集市日").file.scenarios[-1]
    assert changed == Scenario(
        scenario_id="market-day", name="Market day", name_zh="集市日", state="alert", time="day", hazards=("waterside",)
    )
    cleared = set_scenario(workspace, "town", "market-day", hazards=[]).file.scenarios
    assert [scenario.hazards for scenario in cleared] == [(), ()]


def test_a_scenario_of_hazards_there_are_not_is_refused(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"a hazard of the study \(waterside, power_line\), found 'flood'"):
        set_scenario(workspace, "town", "wet", hazards=["flood"])
    assert workspace.study("town").file.scenarios == [NORMAL]


def test_a_scenario_is_told_apart_by_the_name_of_its_file_not_by_a_hash() -> None:
    told = flood("hazard-f6991428", title="内水浸水想定区域")
    found = joined((flood("flood"), ""), (told, ""))
    assert titles(found)[2] == ("Flood · 内水浸水想定区域", "洪水 · 内水浸水想定区域")
    assert found[2].scenario_id == "hazard-f6991428"
    assert joined((told, ""))[1].name_zh == "洪水 · 内水浸水想定区域"
