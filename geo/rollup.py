"""Results of communities added up to the units above them: people and ground as sums, shares from those sums.

At every level the sums are those of the communities: who is part of no unit of a level has a row of that level's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.parentage import LEVEL_NAMES, ancestors
from geo.tables import COMMUNITIES, without_nan

COUNTED = ("people", "buildings", "facilities", "shelters")
"""Columns that begin so count something."""
MEASURED = ("_m2", "_m3", "_km", "_length_m", "shelter_capacity")
"""Columns that end so measure an amount of something; ``_m`` alone may be a depth or a distance."""
SHARE = ("_share", "_share_normal")
"""Columns that end so are shares of ``people``, or of what ``of`` says."""
NO_UNIT = "none"
"""Ids of rows for those in no unit of a level begin so."""


def rolled_up(
    units: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, *, of: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """One row a unit above, every level, with its communities' results: COMMUNITIES columns, ``communities``, results.

    ``units`` are communities with results, ``parents`` the units above (COMMUNITIES). Counts and amounts are sums (see
    ``_sum`` for what is not known). A share is the mean weighted by ``people``, or by the column that ``of`` names for
    it: the same as dividing sums, over the communities of which it is known. Medians, statuses and reasons cannot be
    added and are left out. Units without communities have zeros. Communities that are part of no unit of a level, the
    people outside among them, share a row of that level, ``none_<level>``, so that every level adds up to the same.
    """
    above = ancestors(units, parents)
    names = [str(c) for c in units.columns if pd.api.types.is_numeric_dtype(units[c])]
    levels = [_level(units, parents, above[level], names, of or {}) for level in above]
    if levels:
        return gpd.GeoDataFrame(pd.concat(levels, ignore_index=True), crs=units.crs)
    columns = [*(c.name for c in COMMUNITIES.columns), "communities", *filter(_is_sum, names)]
    return gpd.GeoDataFrame(pd.DataFrame(columns=columns), geometry=gpd.GeoSeries([], crs=units.crs), crs=units.crs)


def _level(
    units: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, above: pd.Series, names: list[str], of: Mapping[str, str]
) -> gpd.GeoDataFrame:
    """The units of one level, and a row for those in none."""
    level = str(above.name)
    rows = parents.loc[parents["level"] == level, [*(c.name for c in COMMUNITIES.columns), "geometry"]]
    label = above.fillna(f"{NO_UNIT}_{level}")
    if above.isna().any():
        rows = pd.concat([rows, _nowhere(units[above.isna()], level)], ignore_index=True)
    ids = rows["community_id"].to_numpy(dtype=object)
    columns = {"communities": label.value_counts().reindex(ids, fill_value=0).to_numpy(dtype=np.int64)}
    columns |= {name: _sum(units[name], label, ids) for name in names if _is_sum(name)}
    weights = {
        name: of.get(name, "people") for name in names if name.endswith(SHARE) and (name in of or _of_people(name))
    }
    columns |= {name: _share(units, name, weight, label, ids) for name, weight in weights.items() if weight in units}
    plain = without_nan(rows.drop(columns="geometry").reset_index(drop=True)).assign(**columns)
    return gpd.GeoDataFrame(plain, geometry=rows.geometry.to_numpy(), crs=units.crs)


def _is_sum(name: str) -> bool:
    counted = name.startswith(COUNTED) or name.endswith(MEASURED) or "_people_" in name
    return counted and "_per_" not in name and not name.endswith(SHARE)


def _of_people(name: str) -> bool:
    """Whether a share is one of people; shares of streets are of lengths that the table need not have."""
    return "_street_share" not in name


def _sum(values: pd.Series, label: pd.Series, ids: np.ndarray) -> np.ndarray:
    """The sum in each unit: whole where the values are; 0 where no community is.

    People are NaN where some community does not know them: not known is not nobody. Amounts (ground, room) are those
    known, NaN where no community knows any.
    """
    known = values.notna().groupby(label)
    enough = known.all() if "people" in str(values.name) else known.any()
    found = values.groupby(label).sum().where(enough).reindex(ids)
    empty = ~np.isin(ids, label.to_numpy(dtype=object))
    filled = found.where(~empty, 0)
    return np.asarray(filled.to_numpy(dtype=np.int64 if values.dtype.kind in "iu" else np.float64))


def _share(units: gpd.GeoDataFrame, name: str, weight: str, label: pd.Series, ids: np.ndarray) -> np.ndarray:
    known = units[name].notna() & (units[weight] > 0)
    whole = units[weight].where(known).groupby(label).sum(min_count=1).reindex(ids)
    part = (units[name] * units[weight]).where(known).groupby(label).sum(min_count=1).reindex(ids)
    return np.asarray((part / whole).to_numpy(dtype=np.float64))


def _nowhere(units: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """The row of communities that are part of no unit of a level."""
    zh = LEVEL_NAMES[level]
    row = {
        "community_id": f"{NO_UNIT}_{level}", "name": f"In no {level}", "name_zh": f"不属于任何{zh}",
        "name_en": f"In no {level}", "parent_id": None, "level": level, "source": "communities without a unit above",
    }  # fmt: skip
    shape = shapely.union_all(np.asarray(units.geometry.to_numpy(), dtype=object))
    return gpd.GeoDataFrame(
        {name: pd.Series([value], dtype=object) for name, value in row.items()}, geometry=[shape], crs=units.crs
    )
