"""The shelters as a state of the city leaves them: usable or not and why, their room, their doors, their community."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import communities as areas_of_planning
from geo import ground, shelters
from geo.city import PlanParams
from geo.exposures import Faced
from geo.ground import Survey
from geo.reasons import for_shelter
from geo.snapping import Snaps
from geo.tables import beside
from geo.usable import Usable

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def open_doors(doors: Snaps, ways: Usable) -> Snaps:
    """The doors of a normal day whose street is open: a hazard opens no new one."""
    return doors.where(doors.found & ways.usable[doors.edge])


def rated(
    sites: gpd.GeoDataFrame, surveyed: Survey, doors: Snaps, now: Snaps, faced: Faced, communities: gpd.GeoDataFrame, *,
    way: Ints, params: PlanParams,
) -> gpd.GeoDataFrame:  # fmt: skip
    """The shelters with their exposure, whether they are usable and why, tier, room, ways in, and their community.

    ``surveyed`` are the same sites against the map; ``doors`` those of a normal day, ``now`` those of them that are
    open (``open_doors``); ``way`` (edges,) numbers the streets that edges are of.
    """
    found = faced.sites(sites)
    rating = shelters.rate(
        found["share_wet"].to_numpy(),
        found["share_hit"].to_numpy(),
        found["share_unknown"].to_numpy(),
        valid=shelters.declared_valid(sites, faced.kinds),
        reached_normally=_reached(doors, len(sites)),
        reached_now=_reached(now, len(sites)),
        state=sites.get("state"),
        near_hazard=ground.near_hazard(surveyed, faced.kinds, params=params.site),
        params=params.shelter,
    )
    left = ground.usable(surveyed, found, faced, params=params.site)
    room = shelters.rooms(sites, left, params=params.tiers)
    ways_in = shelters.ways_in(sites, doors, room["tier"], params=params.tiers, way=way)
    unit = areas_of_planning.locate(sites.geometry.representative_point(), communities)
    words = _shelter_words(rating["reason_code"], found)
    place = pd.DataFrame({"community_id": unit})
    return beside(sites.drop(columns="tier"), rating, words, room, left, ways_in, found, place)


def _reached(doors: Snaps, n: int) -> Mask:
    """Which sites have an entrance from an open street, (sites,)."""
    return np.asarray(np.bincount(doors.place[doors.found], minlength=n) > 0)


def _shelter_words(codes: pd.Series, found: pd.DataFrame) -> pd.DataFrame:
    columns = (found[name] for name in ("share_wet", "share_hit", "share_unknown", "depth_max_m"))
    said = [
        for_shelter(code, wet=wet, hit=hit, unknown=unknown, depth=depth)
        for code, wet, hit, unknown, depth in zip(codes, *columns, strict=True)
    ]
    return pd.DataFrame({"reason_en": [s.en for s in said], "reason_zh": [s.zh for s in said]}, dtype="object")
