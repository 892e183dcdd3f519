"""How tall buildings are."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray


def told(buildings: gpd.GeoDataFrame, *, storey_m: float) -> NDArray[np.float64]:
    """Heights (n,) of ``geo.tables.BUILDINGS`` as recorded, else by their storeys, metres; NaN where neither is."""
    height_m: NDArray[np.float64] = (
        buildings["height_m"].fillna(buildings["levels"] * storey_m).to_numpy(dtype=np.float64)
    )
    return height_m
