"""A made place on a real fault: houses, hospitals, a school and a park at told distances from the Longmen Shan.

The fault is row 185 of faults/HimaTibetMap.geojson (drawn at 1 : 1 000 000 or so: what stands on it is made, and the
distances are exact only to the line as drawn)::

        NW   ▪ 50 ▪ 99 ▪ 101 …   m from the line to the near wall, a house and a hospital each
    ─────────────────────────────── Longmen Shan Thrust Belt, from SW to NE
        SE   lots: a school at 150 m, a park on the line
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.affinity import affine_transform

from app.adding import Addition, add, new_study
from app.store import Study, Workspace

FILE = "faults/HimaTibetMap.geojson"
CRS = "EPSG:4544"
ROW, STRETCH = 185, (2, 4)
"""The fault, and the corners between which the place is made: from 104.003 E 31.203 N to 104.056 E 31.295 N."""
DISTANCES = (50, 99, 101, 150, 199, 201, 300, 399, 401)
"""Metres from the fault to the near wall of a house and of a hospital."""
FOLDS = "Type!=anticline,fold,syncline"
SIDE_M = 20.0


def study(folder: Path, faults: Path) -> Study:
    """The study in a workspace in ``folder``: an outline, a lattice, made buildings and lots, the real faults."""
    workspace = Workspace.open(folder / "workspace")
    made = files(folder, faults)
    new_study(workspace, "longmen", None, boundary=made["box"], streets="lattice", name="龙门山")
    add(workspace, "longmen", Addition("buildings", made["buildings"]))
    add(workspace, "longmen", Addition("lots", made["lots"]))
    add(workspace, "longmen", Addition("sources", faults, name="faults", constants={"kind": "活动断裂"}, where=(FOLDS,),
                                       source="HimaTibetMap", licence="ODC-BY-1.0"))  # fmt: skip
    return workspace.study("longmen")


def files(folder: Path, faults: Path) -> dict[str, Path]:
    """The made files of the place, written into ``folder``: ``box``, ``buildings`` and ``lots``."""
    place = _place(faults)
    return {"box": _box(folder, place), "buildings": _buildings(folder, place), "lots": _lots(folder, place)}


def _place(faults: Path) -> list[float]:
    """From metres along and away from the fault, to the north-west, to the CRS (``affine_transform``)."""
    fault = gpd.read_file(faults).to_crs(CRS).geometry[ROW]
    start, end = np.array(fault.coords)[slice(*STRETCH)]
    (along_x, along_y), middle = (end - start) / np.hypot(*(end - start)), (start + end) / 2
    return [along_x, -along_y, along_y, along_x, *middle]


def _laid(place: list[float], along: float, away: float, width: float, depth: float) -> shapely.Polygon:
    """A rectangle beside the fault, its near edge ``away`` metres from it."""
    return affine_transform(shapely.box(along, away, along + width, away + depth), place)


def _buildings(folder: Path, place: list[float]) -> Path:
    rows = [(use, metres, _laid(place, 100 * i + 40 * j, metres, SIDE_M, SIDE_M))
            for i, metres in enumerate(DISTANCES, -4) for j, use in enumerate(("house", "hospital"))]  # fmt: skip
    rows.append(("shed", 5, _laid(place, -500, 5, 4, 4)))
    uses, metres, shapes = zip(*rows, strict=True)
    names = [f"{use} {metre}" for use, metre in zip(uses, metres, strict=True)]
    return _written(folder / "buildings.gpkg", shapes, use=list(uses), name=names)


def _lots(folder: Path, place: list[float]) -> Path:
    shapes = (_laid(place, -300, -250, 100, 100), _laid(place, 100, -50, 100, 100))
    return _written(folder / "lots.gpkg", shapes, 用地性质=["学校", "公园绿地"], 地块编号=["school", "park"])


def _box(folder: Path, place: list[float]) -> Path:
    return _written(folder / "box.geojson", [_laid(place, -1000, -1000, 2000, 2000)], name=["box"])


def _written(path: Path, shapes: Sequence[shapely.Polygon], **columns: list[Any]) -> Path:
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS).to_crs("EPSG:4326").to_file(path)
    return path
