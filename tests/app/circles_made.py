"""The run made by hand with its service circles: every table and column that services add, small enough to read.

::

        one fire station in the west, one in the east that is too far from most; police that reach nobody any more
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from app.store import Outcome, Run, Workspace
from geo.services import CATEGORIES
from tests.app.hand_made import CRS, HOSTILE, outcome, recipe, table, workspace

ENGINES, SERVICES = ("fire", "medical", "police"), ("fire", "medical", "police", "supplies", "shelter")
WHOLE = shapely.box(0, 0, 600, 200)


def _rings(people: list[int]) -> gpd.GeoDataFrame:
    """Rings of 15, 10 and 5 minutes round the western station, one of them in two parts with a hole."""
    parts = shapely.union(shapely.box(0, 0, 200, 200), shapely.box(400, 50, 500, 150))
    shapes = [WHOLE, shapely.difference(parts, shapely.box(50, 50, 60, 60)), shapely.box(0, 0, 40, 40)]
    numbers = {"people": people, "buildings": [2, 1, 0], "facilities": [2, 1, 1], "street_km": [0.6, 0.31234, 0.04]}
    return table(shapes, minutes=[15.0, 10.0, 5.0], **numbers)


def _everyday() -> gpd.GeoDataFrame:
    shapes = [shapely.box(0, 0, 100 + 80 * i, 200) for i in range(6)]
    numbers = {"minutes": [15.0] * 6, "people": [7] * 6, "buildings": [1] * 6, "facilities": [1] * 6}
    return table(shapes, **numbers, street_km=[0.1] * 6, category=list(CATEGORIES))


def _responsibility() -> gpd.GeoDataFrame:
    shapes = [shapely.box(0, 0, 250, 200), shapely.box(250, 0, 450, 200), shapely.box(450, 0, 600, 200)]
    names = {"name": [HOSTILE, "East", None], "name_zh": [None, "东站", None], "name_en": [None, None, None]}
    return table(
        shapes, facility_id=["f1", "f2", None], **names, people=[7, 5, 0], people_in_time=[7, 0, 0],
        s_p95=[100.0, 900.0, np.nan], area_km2=[0.05, 0.04, 0.03], too_large=[False, True, False],
    )  # fmt: skip


def _losses() -> gpd.GeoDataFrame:
    lines = [shapely.LineString([(0, 10), (600, 10)]), shapely.LineString([(0, 90), (600, 90)])]
    return table(
        lines, street_id=["e1", "e2"], name=["Oudestraat", None], name_zh=[None] * 2, name_en=[None] * 2,
        cause=["closed", "slowed"], people_lost=[5, 0], people_later=[0, 7], added_s_median=[np.nan, 42.123],
    )  # fmt: skip


def tables(faced: bool) -> dict[str, gpd.GeoDataFrame]:
    """The tables of their own; on an ordinary day without what only a hazard has."""
    found = {f"circles_{service}": _rings([7, 7, 0]) for service in SERVICES} | {"circles_everyday": _everyday()}
    found["circles_police"] = found["circles_police"].set_geometry([shapely.MultiPolygon()] * 3, crs=CRS)
    for engine in ENGINES:
        shapes = [WHOLE, shapely.box(0, 0, 300, 200), shapely.box(0, 0, 100, 100)]
        found[f"circle_depth_{engine}"] = table(shapes, depth=[1, 2, 3], people=[12, 7, 0])
        found[f"responsibility_{engine}"] = _responsibility()
    points = [shapely.Point(150, 100)] * 2
    found["community_circles"] = table(
        points, community_id=["c1"] * 2, service=["fire"] * 2, when=["normal", "now"], minutes=[5.0] * 2, people=[7, 0],
        buildings=[1, 0], facilities=[1, 0],
    )  # fmt: skip
    if not faced:
        return found
    normal = {f"circles_{service}_normal": _rings([12, 12, 7]) for service in SERVICES}
    return found | normal | {f"losses_{engine}": _losses() for engine in ENGINES}


def _demand() -> Mapping[str, object]:
    columns: dict[str, object] = {}
    for service in SERVICES:
        columns |= {f"{service}_s": [90.0, np.nan], f"{service}_s_normal": [90.0, 240.0], f"{service}_id": ["f1", None]}
    columns |= {f"{engine}_depth": [2, 0] for engine in ENGINES}
    return columns | {"circle_missing": ["", "medical;safety"], "circle_missing_normal": ["", "safety"]}


def _communities() -> Mapping[str, object]:
    """The first row is c2, where all is well; the second c1, which lost everything but the police."""
    columns: dict[str, object] = {}
    for engine, now in (("fire", 0.0), ("medical", 0.0), ("police", 1.0)):
        columns |= {f"{engine}_share": [1.0, now], f"{engine}_share_normal": [1.0, 0.98765]}
        columns |= {f"{engine}_s_median": [90.0, np.nan], f"{engine}_people_lost": [0, int(7 * (1 - now))]}
        columns |= {f"{engine}_reason_en": ["All is well.", f"The {engine} loses 7."]}
        columns |= {f"{engine}_reason_zh": ["全部到达。", "7人失去。"]}
    columns |= {"supplies_share": [1.0, np.nan], "supplies_share_normal": [1.0, np.nan]}
    columns |= {"supplies_s_median": [60.0, np.nan], "circle_share": [1.0, 0.0], "circle_share_normal": [1.0, 0.5]}
    return columns | {"circle_missing": [None, "medical"]}


def covered(*, faced: bool = True) -> Outcome:
    """The outcome made by hand with what services add to it."""
    plain = outcome()
    held = dict(plain.tables) | tables(faced)
    held["demand"] = held["demand"].assign(**_demand())
    held["communities"] = held["communities"].assign(**_communities())
    reasons = {"walk": "flooded", "car": "flooded", "fire_engine": None, "ambulance": "too_narrow"}
    for profile, reason in reasons.items():
        held["streets"][f"{profile}_usable"] = reason is None
        held["streets"][f"{profile}_reason"] = np.array([reason], dtype=object)
    shares = {"fire_share": 5 / 12, "fire_share_normal": 1.0, "medical_share": 5 / 12, "medical_share_normal": 1.0,
              "police_share": 1.0, "police_share_normal": 1.0, "supplies_share": float("nan"),
              "supplies_share_normal": float("nan"), "circle_share": 5 / 12, "circle_share_normal": 0.7}  # fmt: skip
    return replace(plain, tables=held, headline=dict(plain.headline) | shares)


def saved(folder: Path, *, faced: bool = True) -> tuple[Workspace, Run]:
    """A workspace with the study and its second scenario, service circles and all."""
    made = workspace(folder)
    run = made.save(recipe(made.study("kampen").file, 1), covered(faced=faced))
    made.mark_latest(run)
    return made, run
