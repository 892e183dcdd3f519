"""A study and a run made by hand: small enough to read, with every awkward value once.

::

        a ── street s1 ── b        two homes, the second without a way; one shelter between them
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from app.store import Outcome, Raster, Recipe, Run, Workspace
from data.study import Layer, Scenario, StudyFile
from geo.hazards import Grid

CRS = "EPSG:32631"
EAST, NORTH = 703_000.0, 5_826_000.0
HOSTILE = "=1+1 <script>alert(1)</script> {{ 7*7 }} 坎彭"


def study_file(study_id: str = "kampen", **changes: object) -> StudyFile:
    """A definition with one extract and two scenarios."""
    osm = Layer(layer_id="osm", kind="osm", file="inputs/osm.osm.pbf", attribution="© OpenStreetMap contributors",
                source="OpenStreetMap", licence="ODbL-1.0", date="2023-01-30")  # fmt: skip
    scenarios = [Scenario(scenario_id="normal", name="Normal", name_zh="平时"),
                 Scenario(scenario_id="flood", name="Flood", name_zh="洪水", state="emergency")]  # fmt: skip
    whole = StudyFile(study_id=study_id, name="Kampen", name_zh="坎彭", crs=CRS, layers=[osm], scenarios=scenarios)
    return whole.model_copy(update=changes)


def extract(folder: Path) -> Path:
    """A file that stands for an extract; nothing here reads it."""
    path = folder / "town.osm.pbf"
    path.write_bytes(b"an extract")
    return path


def recipe(file: StudyFile, scenario: int = 0, **parameters: object) -> Recipe:
    """What decides a run of this definition."""
    return Recipe(
        program="0", standards="5" * 64,
        study=file.model_dump(mode="json", include={"study_id", "name", "name_zh", "crs"}),
        inputs=[layer.model_dump(mode="json") for layer in file.layers],
        scenario=file.scenarios[scenario].model_dump(mode="json"), parameters=dict(parameters),
    )  # fmt: skip


def table(geometry: list[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    """A table in the study's CRS, shapes in metres from the corner."""
    moved = shapely.transform(np.array(geometry, dtype=object), lambda xy: xy + np.array([EAST, NORTH]))
    return gpd.GeoDataFrame(columns, geometry=moved, crs=CRS)


def outcome() -> Outcome:
    """A run's results: communities, homes, shelters of two kinds of geometry, an empty layer, a flood."""
    square = shapely.box(0, 0, 300, 200)
    text = {"name": ["Kern", HOSTILE], "name_zh": ["核心", None], "name_en": [None, None]}
    communities = table(
        [shapely.box(300, 0, 600, 200), square], community_id=["c2", "c1"], **text, parent_id=[None, None],
        level=["community"] * 2, source=["drawn"] * 2, people=[5, 7], people_exposed=[0, 3], people_served=[5, 0],
        people_served_normal=[5, 7], people_unserved=[0, 7], people_cut_off=[0, 7], people_lost_access=[0, 7],
        shelters=[1, 0], shelters_usable=[1, 0], shelter_capacity=[100.0, 0.0], shelter_m2_per_person=[3.14159, np.nan],
        walk_s_median=[125.4321, np.nan], walk_s_p95=[200.0, np.nan], walk_s_median_normal=[125.0, 400.0],
        status=["good", "bad"], reason_code=["served", "cut_off"],
        reason_en=["All 5 people reach one.", "7 are cut off."],
        reason_zh=["5人可到达。", "7人被隔断。"],
    )  # fmt: skip
    demand = table(
        [shapely.Point(400, 50), shapely.Point(10, 10)], demand_id=["b", "a"], community_id=["c2", "c1"], people=[5, 7],
        walk_s=[125.4321, np.nan], walk_s_normal=[125.0, 400.0], shelter_id=["s1", None], state=["served", "cut_off"],
        snap_m=[3.14159, 2.0], lost_way=[False, True], depth_max_m=[0.0, 1.25],
    )  # fmt: skip
    shelters = table(
        [shapely.box(450, 50, 480, 80), shapely.Point(20, 20)], shelter_id=["s1", "s2"], **text,
        kind=["school", "park"], tier=[None, None], origin=["official"] * 2,
        area_m2=[900.0, np.nan], floor_m2=[np.nan] * 2,
        capacity=[np.nan] * 2,
        usable=[True, False], reason_code=["usable", "flooded"], reason_en=["Usable.", "Flooded."],
        reason_zh=["可用。", "被淹。"], capacity_people=[100.0, np.nan], capacity_basis=["open", "unknown"],
        depth_max_m=[0.0, 2.0], share_wet=[0.0, 1.0], share_unknown=[0.0, 0.123456789], people_nearest=[5, 0],
        community_id=["c2", "c1"],
    )  # fmt: skip
    streets = table(
        [shapely.LineString([(0, 10), (600, 10)])], street_id=["e1"], way_id=[1], name=["Oudestraat"], name_zh=[None],
        name_en=[None], highway=["residential"], length_m=[600.0], bridge=[False], tunnel=[False], depth_max_m=[1.5],
        depth_mean_m=[0.5], share_wet=[0.5], share_unknown=[0.0], walk_usable=[False], walk_reason=["flooded"],
    )  # fmt: skip
    depth = np.array([[0, 1, 2, np.nan], [0, 0.5, 4, np.nan], [0, 0, 0, 0]], dtype=np.float32)
    flood = Grid(depth, (150.0, 0.0, EAST, 0.0, -100.0, NORTH + 250), CRS)
    return Outcome(
        tables={"communities": communities, "demand": demand, "shelters": shelters, "streets": streets,
                "cut_off": demand.iloc[:0]},
        rasters={"hazard_flood": Raster(flood, "flood", "m")},
        headline={"people": 12, "people_served": 5, "people_unserved": 7, "shelters": 2, "shelters_usable": 1,
                  "people_cut_off": 7, "walk_s_median": 125.4, "walk_s_median_normal": float("nan"),
                  "people_served_normal": 12, "people_lost_access": 7, "people_exposed": 3},
        audit=[{"name": "people", "expected": 12, "found": 12, "ok": True}],
        notes=[{"code": "drawn", "en": "Drawn by hand.", "zh": "手绘。"}],
    )  # fmt: skip


def workspace(folder: Path, study_id: str = "kampen", *, of: Callable[[Path], Workspace] = Workspace.open) -> Workspace:
    """A workspace with the study in it, opened by ``of``."""
    made = of(folder / "workspace")
    made.create(study_file(study_id), {"osm": extract(folder)})
    return made


def saved(folder: Path, *, of: Callable[[Path], Workspace] = Workspace.open) -> tuple[Workspace, Run]:
    """A workspace with the study and a run of its second scenario."""
    made = workspace(folder, of=of)
    run = made.save(recipe(made.study("kampen").file, 1), outcome())
    made.mark_latest(run)
    return made, run
