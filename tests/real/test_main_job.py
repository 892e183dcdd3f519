"""The main job on real cities, through the command line as a planner types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from tests import shared_data
from tests.real import kept, plans

KAMPEN, NANJING = ("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif"), "osm/nanjing-hongtao45_bbox.osm.xml"


def renxing(workspace: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", *map(str, words), "--workspace", str(workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def answer(workspace: Path, *words: str | Path) -> Any:
    return json.loads(renxing(workspace, *words, "--json").stdout)


@pytest.fixture(name="kampen", scope="module")
def _kampen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if why_not := shared_data.why_not(*KAMPEN):
        pytest.skip(why_not)
    workspace, _ = kept.plan(tmp_path_factory, "kampen", folder="工作区")
    return workspace


@pytest.fixture(name="runs", scope="module")
def _runs(kampen: Path) -> dict[str, Any]:
    return {run["scenario_id"]: run for run in answer(kampen, "show", "kampen")["runs"]}


# Goldens: readable numbers of one extract (2023-01-30), one raster and today's defaults. The estimate of people may
# move when its rules do; the tolerance is what a planner would not notice.


def test_the_estimate_of_people_is_near_the_census(runs: dict[str, Any]) -> None:
    """The municipality has some 55 000 inhabitants; the extract holds nearly all of it and a little more."""
    assert runs["flood"]["headline"]["people"] == pytest.approx(55_000, rel=0.1)


def test_who_reaches_a_shelter_before_and_under_the_flood(runs: dict[str, Any]) -> None:
    flood = runs["flood"]["headline"]
    assert flood["people_served_normal"] / flood["people"] == pytest.approx(0.93, abs=0.03)
    # Six of 43 shelters stay usable, with room for 11,072; at most their room is served, where it is reached.
    assert flood["people_served"] / flood["people"] == pytest.approx(0.165, abs=0.02)
    assert flood["people_served"] <= flood["shelter_capacity"] == pytest.approx(11_072, rel=0.05)
    assert flood["people_exposed"] / flood["people"] == pytest.approx(0.69, abs=0.03)
    assert flood["shelters_usable"] < flood["shelters"] / 3
    assert runs["normal"]["headline"]["people_cut_off"] == 0


@pytest.mark.parametrize("scenario", ["normal", "flood"])
def test_people_are_conserved(runs: dict[str, Any], scenario: str) -> None:
    run = runs[scenario]
    for measure in ("people", "people_served", "people_unserved", "people_cut_off", "people_exposed"):
        assert sum(unit[measure] for unit in run["communities"]) == run["headline"][measure]
    assert run["headline"]["people_served"] + run["headline"]["people_unserved"] == run["headline"]["people"]


def test_every_community_has_its_reason_in_both_languages(runs: dict[str, Any]) -> None:
    for unit in runs["flood"]["communities"]:
        assert unit["reason_en"].endswith(".") and unit["reason_zh"].endswith("。")
    names = {unit["name"] for unit in runs["flood"]["communities"]}
    assert {"Kampen", "IJsselmuiden", "Grafhorst", "Wilsum"} <= names


def test_the_flood_shortens_nobodys_walk_to_the_nearest_shelter(kampen: Path, tmp_path: Path) -> None:
    """Their own shelter may be nearer than on a normal day: others who filled it cannot come."""
    both = []
    for scenario in ("normal", "flood"):
        out = tmp_path / f"{scenario}.gpkg"
        renxing(kampen, "export", "kampen", "--scenario", scenario, "--format", "gpkg", "--out", out)
        both.append(pyogrio.read_dataframe(out, layer="demand", read_geometry=False).set_index("demand_id"))
    before, now = both[0]["nearest_s"], both[1]["nearest_s"].reindex(both[0].index)
    assert (now >= before - 1e-6)[now.notna()].all() and before[now.notna()].notna().all()
    assert both[1]["walk_s_normal"].equals(both[0]["walk_s"].reindex(both[1].index))


def test_bridges_stand_above_the_water(kampen: Path, tmp_path: Path) -> None:
    renxing(kampen, "export", "kampen", "--scenario", "flood", "--format", "geojson", "--out", tmp_path / "out")
    streets = gpd.read_file(tmp_path / "out" / "streets.geojson")
    bridges = streets["bridge"].astype(bool)
    assert bridges.sum() > 50 and (streets.loc[bridges, "depth_max_m"] == 0).all()
    wet = streets[~bridges & (streets["depth_max_m"] > 0.5)]
    assert not wet["walk_usable"].astype(bool).any()
    assert np.isclose(streets["length_m"].sum() / 1000, 602, rtol=0.01)


def test_the_same_study_gives_the_same_bytes(kampen: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    plans.made("kampen", other)
    ran = answer(other, "run", "kampen", "--scenario", "normal", "--scenario", "flood")["runs"]
    first, second = (
        {
            path.relative_to(where): path.read_bytes()
            for run in ran
            for path in sorted((where / "studies/kampen/runs" / run["run_id"]).rglob("*"))
            if path.is_file()
        }
        for where in (kampen, other)
    )
    assert first.keys() == second.keys() and len({name.parts[3] for name in first}) == len(ran) == 2
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_another_limit_is_another_run_beside_the_first(kampen: Path, runs: dict[str, Any]) -> None:
    near = answer(kampen, "run", "kampen", "--scenario", "flood", "--set", "walk.max_minutes=5")["runs"][0]
    assert near["run_id"] != runs["flood"]["run_id"]
    assert near["headline"]["people_served"] < runs["flood"]["headline"]["people_served"]
    again = answer(kampen, "run", "kampen", "--scenario", "flood")["runs"][0]
    assert again["run_id"] == runs["flood"]["run_id"]


def test_chinese_names_come_through_to_the_terminal(tmp_path: Path) -> None:
    if why_not := shared_data.why_not(NANJING):
        pytest.skip(why_not)
    renxing(tmp_path, "new", "nanjing", "--osm", shared_data.folder() / NANJING, "--name", "南京鼓楼")
    renxing(tmp_path, "run", "nanjing")
    shown = renxing(tmp_path, "show", "nanjing", "--lang", "zh").stdout
    assert "南京鼓楼" in shown and "人" in shown and "网格" in shown
    renxing(tmp_path, "export", "nanjing", "--format", "geojson", "--out", tmp_path / "导出")
    shelters = gpd.read_file(tmp_path / "导出" / "shelters.geojson")
    assert "金陵中学" in set(shelters["name"])
    assert shelters.crs.to_epsg() in (4326, None) or shelters.crs.name.startswith("WGS 84")
