"""The outlines of a study that tables without places are joined to: its communities, else what the map has."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

import data.study.layers as layers
import data.study.mapped as mapped
from data import joined
from data.study.definition import StudyFile
from data.study.outline import Ground

COMMUNITIES = "communities"


def of(communities: Sequence[gpd.GeoDataFrame], boundaries: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame | None:
    """Outlines with ``unit_id``, names and ``level``: given communities (COMMUNITIES), else a map's (BOUNDARIES).

    All in one CRS; None where there are neither.
    """
    if communities:
        parts = [table.rename(columns={"community_id": joined.ID}) for table in communities]
    elif boundaries is not None and len(boundaries):
        level = boundaries["kind"].astype(str) + boundaries["admin_level"].astype(str)
        parts = [boundaries.rename(columns={"boundary_id": joined.ID}).assign(level=level)]
    else:
        return None
    wanted = [joined.ID, *joined.NAMES, "level", "geometry"]
    every = pd.concat(
        [part[wanted].astype({name: object for name in wanted[:-1]}) for part in parts], ignore_index=True
    )
    return gpd.GeoDataFrame(every, geometry="geometry", crs=parts[0].crs)


def with_units(ground: Ground, study: StudyFile, folder: Path) -> Ground:
    """The ground of a study with its outlines, read from its files; raises what their readers raise."""
    given = [layers.read(layer, folder / layer.file, ground=ground).table for layer in study.of_kind(COMMUNITIES)]
    maps = study.of_kind("osm")[:1] if not given else ()
    boundaries = [mapped.extract_of(layer, study, folder).boundaries for layer in maps]
    return dataclasses.replace(ground, units=of(given, boundaries[0] if boundaries else None))
