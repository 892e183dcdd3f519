"""A study's own rules of distance and their sources, from the command line to the name of a run."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import shapely

from app import run
from app.store import Workspace
from tests.app.command_line import Renxing
from tests.data.osm.drawn import CRS, EAST, NORTH

RULE = "\n[rules.fault_8_c]   # the survey asks for more\ndistance = 150\n"


def fault(folder: Path, **columns: list[str]) -> Path:
    path = folder / "faults.geojson"
    line = shapely.LineString([(EAST + 700, NORTH - 500), (EAST + 700, NORTH + 500)])
    gpd.GeoDataFrame(columns or {"Type": ["thrust"]}, geometry=[line], crs=CRS).to_file(path)
    return path


def named(town: Renxing) -> str:
    """The name that a run of the study would have now."""
    study = Workspace.open(town.workspace).study("town")
    return run.recipe(study, study.file.scenarios[0], run.parameters(study, {})).run_id


def test_sources_are_added_with_a_kind_of_all_rows(town: Renxing, tmp_path: Path) -> None:
    asked = town("add", "town", "sources", fault(tmp_path))
    assert asked.code == 1 and "--map kind:=VALUE" in asked.err
    strange = town("add", "town", "sources", fault(tmp_path), "--map", "kind:=anticline")
    assert strange.code == 1 and "inactive_fault, dyke" in strange.err
    added = town("add", "town", "sources", fault(tmp_path), "--map", "kind:=活动断裂", "--json")
    assert added.code == 0, added.err
    layer = added.json["layers"][-1]
    assert (layer["kind"], layer["constants"]) == ("sources", {"kind": "活动断裂"})
    told = town("check", "town", "--json").json
    layer = next(layer for layer in told["layers"] if layer["kind"] == "sources")
    assert (layer["readable"], layer["rows"]) == (True, 1)
    assert next(need for need in told["needs"] if need["key"] == "sources")["source"] == "given"


def test_a_rule_of_its_own_names_a_run_and_is_told(town: Renxing) -> None:
    path = town.studies / "town" / "study.toml"
    text = path.read_text(encoding="utf-8")
    before = named(town)
    path.write_text(f"{text}{RULE}", encoding="utf-8")
    findings = town("check", "town", "--json").json["findings"]
    said = next(each for each in findings if each["code"] == "rules_changed")
    name = "Active fault, intensity 8, class C building"
    assert said["en"] == f"Rules of distance that differ from ours: {name} (distance 150 m, ours 100 m)."
    assert named(town) != before
    assert town("scenario", "town", "normal", "--title", "Day").code == 0
    assert RULE.strip() in path.read_text(encoding="utf-8")
    path.write_text(text + RULE.replace("150", "-1"), encoding="utf-8")
    refused = town("check", "town")
    line = text.count("\n") + 3
    assert refused.code == 1 and f"line {line}" in refused.err and "rules.fault_8_c.distance" in refused.err
