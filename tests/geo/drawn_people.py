"""Buildings, land and people drawn beside each other from west to east, for the tests of who is where."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geo.population import PopulationParams
from geo.tables import AREAS, BUILDINGS, checked, empty

CRS = "EPSG:32631"
WEST, SOUTH = 600_000.0, 5_800_000.0
PARAMS = PopulationParams(
    house_m2_per_person=50, apartments_m2_per_person=40, dormitory_m2_per_person=10, dwelling_share=0.8,
    untold_share=0.5, house_levels=2, apartments_levels=4, untold_levels=3, storey_m=3, min_recorded=3,
    min_dwelling_m2=25, max_untold_m2=2500, max_told_share=0.5, street_spacing_m=100, max_crowding=1000,
    closed_land=("water", "industrial"), day_home_share=0.5, day_office_m2_per_person=20, day_shop_m2_per_person=25,
    day_school_m2_per_person=5, day_care_m2_per_person=10, day_industry_m2_per_person=50, day_levels=2,
)  # fmt: skip


def ground(width: float, height: float, *, at: float = 0.0) -> shapely.Polygon:
    return shapely.box(WEST + at, SOUTH, WEST + at + width, SOUTH + height)


def building(
    use: str,
    width: float = 10.0,
    height: float = 10.0,
    *,
    at: float = 0.0,
    levels: float = np.nan,
    high: float = np.nan,
) -> dict[str, object]:
    return {"use": use, "levels": levels, "height_m": high, "geometry": ground(width, height, at=at)}


def town(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    if not rows:
        return empty(BUILDINGS, crs=CRS)
    names = dict.fromkeys(("name", "name_zh", "name_en"))
    table = [{"building_id": f"w{i}", **names, **row} for i, row in enumerate(rows)]
    return checked(gpd.GeoDataFrame(table, geometry="geometry", crs=CRS), BUILDINGS)


def land(kind: str, width: float = 100.0, height: float = 100.0, *, at: float = 0.0) -> gpd.GeoDataFrame:
    row = {"area_id": "a", "name": None, "name_zh": None, "name_en": None, "kind": kind}
    return checked(gpd.GeoDataFrame([row], geometry=[ground(width, height, at=at)], crs=CRS), AREAS)


NOWHERE = empty(AREAS, crs=CRS)


def units(people: list[float], shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    ids = [f"u{i}" for i in range(len(people))]
    return gpd.GeoDataFrame({"demand_id": ids, "people": people}, geometry=shapes, crs=CRS)
