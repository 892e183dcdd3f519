"""A made city with everything that asks for ground: as many square kilometres as one likes, a thousand buildings each.

Every square kilometre is a community of 144 blocks with a row of seven houses wall to wall, a park with a shelter, a
school and a fuel station. Rivers wind from west to east with dykes beside them, railways, power lines, pipelines and a
motorway run straight, a flood follows the rivers, slopes slide in the north-eastern corner.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data import rules
from geo import tables
from geo.city import City
from geo.hazards import Grid, Hazard
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways
from geo.tables import Schema

CRS, KM, BLOCKS, HOUSES = "EPSG:32631", 1000.0, 12, 7
WEST, SOUTH = 600_000.0, 5_800_000.0
STEP_M = KM / BLOCKS
FLOOD_M, SLIDE_M = 10.0, 25.0
"""Metres: sides of the cells of the flood and of the landslides."""
USES = np.array(["house", "apartments", "yes", "retail", "school", "hospital", "industrial", "garage"], dtype=object)
OFTEN = (0.42, 0.2, 0.2, 0.08, 0.02, 0.01, 0.04, 0.03)


def table(schema: Schema, shapes: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    blank = {c.name: [np.nan if c.kind == "float" else None] * len(shapes) for c in schema.columns}
    ids = [f"{schema.name}{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(blank | {schema.id_column: ids} | columns, geometry=shapes, crs=CRS)


def squares(side: int) -> tuple[np.ndarray, np.ndarray]:
    """South-western corners of the square kilometres, row by row."""
    return WEST + np.arange(side**2) % side * KM, SOUTH + np.arange(side**2) // side * KM


def ways(side: int) -> Ways:
    """Streets round every block; every fourth kilometre a primary one, one motorway and one trunk road."""
    n, node = side * BLOCKS + 1, np.arange((side * BLOCKS + 1) ** 2).reshape(-1, side * BLOCKS + 1)
    lines = np.concatenate([node, node.T])
    pieces = np.concatenate([lines[:, k * BLOCKS : (k + 1) * BLOCKS + 1] for k in range(side)])
    row = np.tile(np.r_[:n, :n], side)
    kinds = [row == side // 2 * BLOCKS, row == side // 3 * BLOCKS, row % (4 * BLOCKS) == 0, row % BLOCKS == 0]
    highway = np.select(kinds, ["motorway", "trunk", "primary", "secondary"], "residential")
    tags = pd.DataFrame({name: None for name in WAY_TAGS}, index=range(len(pieces)), dtype=object)
    tags = tags.assign(way_id=np.arange(len(pieces)), highway=highway.astype(object))
    flat = pieces.ravel()
    barriers = pd.DataFrame({"node_id": np.zeros(0, dtype=np.int64), **{name: [] for name in BARRIER_TAGS}})
    start = np.arange(len(pieces) + 1) * (BLOCKS + 1)
    return Ways(tags, start, flat, WEST + flat % n * STEP_M, SOUTH + flat // n * STEP_M, barriers, CRS)


def rivers(side: int) -> np.ndarray:
    """A winding river for every four kilometres, with a corner every 20 m."""
    x = np.arange(0, side * KM + 1, 20.0)
    at = np.arange(0.5, side, 4) * KM
    return np.array([
        shapely.LineString(np.column_stack([WEST + x, SOUTH + y + 300 * np.sin(x / 900 + y) + 40 * np.sin(x / 150)]))
        for y in at
    ], dtype=object)  # fmt: skip


def buildings(side: int, random: np.random.Generator, wet: np.ndarray, parks: np.ndarray) -> gpd.GeoDataFrame:
    """A row of houses in every block, none in rivers and parks."""
    block = np.arange((side * BLOCKS) ** 2)
    x, y = WEST + block % (side * BLOCKS) * STEP_M, SOUTH + block // (side * BLOCKS) * STEP_M
    left = np.repeat(x + random.uniform(6, 18, len(block)), HOUSES) + np.tile(np.arange(HOUSES) * 8.0, len(block))
    low = np.repeat(y + random.uniform(6, 60, len(block)), HOUSES)
    shapes = shapely.box(left, low, left + 8.0, low + random.uniform(8, 14, len(low)))
    taken = np.unique(shapely.STRtree(shapes).query(np.r_[wet, parks], predicate="intersects")[1])
    shapes = np.delete(shapes, taken)
    levels = random.choice([1.0, 2.0, 3.0, 6.0, 12.0], len(shapes), p=[0.2, 0.4, 0.2, 0.15, 0.05])
    height = np.where(random.random(len(shapes)) < 0.5, levels * 3.0, np.nan)
    use = random.choice(USES, len(shapes), p=OFTEN)
    return table(tables.BUILDINGS, shapes, use=use, levels=levels, height_m=height)


def lines(side: int, river: np.ndarray) -> gpd.GeoDataFrame:
    end = side * KM
    at = np.arange(0.3, side, 2) * KM
    north = shapely.linestrings([[(WEST + a, SOUTH), (WEST + a + end / 5, SOUTH + end)] for a in at])
    east = shapely.linestrings([[(WEST, SOUTH + a), (WEST + end, SOUTH + a + end / 7)] for a in at])
    dykes = np.concatenate([shapely.offset_curve(river, metres) for metres in (80, -80)])
    parts = [("river", river), ("dyke", dykes), ("power_line", north), ("railway", north[::3]), ("stream", east[::2]),
             ("canal", east[1::4]), ("pipeline", east[::5])]  # fmt: skip
    kind = np.concatenate([np.full(len(shapes), name, dtype=object) for name, shapes in parts])
    volts = np.resize([10_000.0, 110_000.0, 330_000.0, np.nan], len(kind))
    shapes = np.concatenate([shapes for _, shapes in parts])
    return table(tables.LINES, shapes, kind=kind, voltage_v=np.where(kind == "power_line", volts, np.nan))


def areas(side: int, wet: np.ndarray, parks: np.ndarray) -> gpd.GeoDataFrame:
    x, y = squares(side)
    homes = shapely.box(x + 20, y + 20, x + 600, y + 980)
    farms, woods = shapely.box(x + 620, y + 20, x + 800, y + 180)[::2], shapely.box(x + 620, y + 20, x + 800, y + 180)
    works, ponds = shapely.box(x + 820, y + 20, x + 980, y + 200)[::7], shapely.Point(0, 0).buffer(40)
    ponds = np.array([shapely.affinity.translate(ponds, a + 700, b + 700) for a, b in zip(x, y, strict=True)])[::2]
    parts = [("water", wet), ("park", parks), ("residential", homes), ("farmland", farms), ("forest", woods[1::2]),
             ("industrial", works), ("water", ponds)]  # fmt: skip
    kind = np.concatenate([np.full(len(shapes), name, dtype=object) for name, shapes in parts])
    return table(tables.AREAS, np.concatenate([shapes for _, shapes in parts]), kind=kind)


def facilities(side: int, random: np.random.Generator) -> gpd.GeoDataFrame:
    n = side**2
    often = {"fire_hydrant": 40 * n, "school": 2 * n, "fuel": n // 2, "storage_tank": n // 8, "substation": n // 8,
             "hospital": n // 20 + 1, "fire_station": n // 20 + 1, "police": n // 20 + 1, "works": n // 20 + 1,
             "supermarket": n}  # fmt: skip
    kind = np.repeat(np.array(list(often), dtype=object), list(often.values()))
    x, y = random.uniform(0, side * KM, (2, len(kind)))
    return table(tables.FACILITIES, shapely.points(WEST + x, SOUTH + y), kind=kind)


def shelters(side: int, parks: np.ndarray) -> gpd.GeoDataFrame:
    """The parks are shelters of four tiers in turn; beside each lies a school yard that could become one."""
    x, y = squares(side)
    yards = shapely.box(x + 300, y + 330, x + 360, y + 380)
    n = side**2
    tiers = np.resize(np.array(["emergency", "emergency", "short", "emergency", "long"], dtype=object), n)
    return table(
        tables.SHELTERS, np.r_[parks, yards], kind=["park"] * n + ["school"] * n, tier=np.r_[tiers, np.full(n, None)],
        origin=["mapped"] * n + ["candidate"] * n, area_m2=[40_000.0] * n + [3_000.0] * n,
    )  # fmt: skip


def hazards(side: int, river: np.ndarray) -> dict[str, Hazard]:
    """Depth by the distance to the river, landslide levels by a hillside that is wrinkled."""
    cells = int(side * KM / FLOOD_M)
    x, y = (WEST + (np.arange(cells) + 0.5) * FLOOD_M), SOUTH + side * KM - (np.arange(cells) + 0.5) * FLOOD_M
    middle = [np.interp(x, *shapely.get_coordinates(line).T) for line in river]
    off = np.min([np.abs(y[:, None] - line[None]) for line in middle], axis=0)
    depth = np.clip(2.5 - off / 150 + 0.4 * np.sin(x / 70)[None] * np.sin(y / 50)[:, None], 0, None)
    flood = Grid(depth.astype(np.float32), (FLOOD_M, 0, WEST, 0, -FLOOD_M, SOUTH + side * KM), CRS)
    cells = int(side * KM / SLIDE_M)
    at = (np.arange(cells) + 0.5) * SLIDE_M / KM
    hill = np.clip((at[None] + at[::-1][:, None]) / side - 1.4, 0, None) * 6
    rough = np.sin(at * 7)[None] * np.sin(at * 9)[:, None]
    level = np.where(hill > 0, np.clip(np.round(hill + 2 * rough), 0, 5), 0).astype(np.float32)
    slide = Grid(level, (SLIDE_M, 0, WEST, 0, -SLIDE_M, SOUTH + side * KM), CRS)
    return {"flood": Hazard("flood", "flood", "m", flood), "slide": Hazard("slide", "landslide", "level", slide)}


def city(side: int) -> City:
    """``side`` by ``side`` square kilometres."""
    random, (x, y), river = np.random.default_rng(side), squares(side), rivers(side)
    wet, parks = shapely.buffer(river, 30.0), shapely.box(x + 400, y + 400, x + 600, y + 600)
    return City(
        crs=CRS, ways=ways(side), buildings=buildings(side, random, wet, parks), facilities=facilities(side, random),
        shelters=shelters(side, parks), areas=areas(side, wet, parks), lines=lines(side, river),
        boundaries=tables.empty(tables.BOUNDARIES, crs=CRS),
        communities=table(tables.COMMUNITIES, shapely.box(x, y, x + KM, y + KM), level=["community"] * side**2,
                          source=["made"] * side**2),
        hazards=hazards(side, river), rules=rules.load(),
    )  # fmt: skip
