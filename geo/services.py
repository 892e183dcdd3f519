"""What a city's people must be able to reach, or be reached by: fire, medical, police, supplies, everyday needs.

A service is given by facilities of some kinds, over streets that a profile may use, from the station to the people
(``from``: an engine that turns out) or from the people to the place (``towards``: a walk to the shop).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import Field

from geo.curves import Sourced
from geo.tables import NAMES

SHELTER = "shelter"
"""The kind under which the plan's usable shelters count as facilities."""
GROUPS = {f"shelter_{group}": group for group in ("elderly", "stroller", "wheelchair")}
"""Services of their own: the walk to a shelter for those who walk otherwise; name and profile."""
TURNOUT = "turnout_s"
"""Optional column of facilities: a station's own time from the call to leaving, seconds; NaN where not known."""
STATION_COLUMNS = ("facility_id", *NAMES, "kind")


class ServiceParams(Sourced):
    """How a service is given and how soon it must be there."""

    kinds: tuple[str, ...] = Field(min_length=1, description="Kinds of facilities that give the service.")
    profile: str = Field(
        pattern="^(walk|elderly|stroller|wheelchair|car|fire_engine|ambulance)$",
        description="Who moves: walk, elderly, stroller, wheelchair, car, fire_engine, ambulance.",
    )
    direction: str = Field(
        pattern="^(from|towards)$",
        description="from: out from the facility to the people; towards: from the people to it.",
    )
    minutes: float = Field(gt=0, le=240, description="Longest time that counts as served, minutes, turnout included.")
    turnout_s: float = Field(ge=0, le=3600, description="Time from the call to leaving the station, seconds.")
    max_area_km2: float = Field(
        ge=0, le=10_000, description="Largest area one station should answer for, square kilometres; 0: no limit."
    )


class FireParams(ServiceParams):
    """The fire engine."""

    subject = "fire"


class MedicalParams(ServiceParams):
    """The ambulance."""

    subject = "medical"


class PoliceParams(ServiceParams):
    """The police."""

    subject = "police"


class SuppliesParams(ServiceParams):
    """Food and everyday supplies."""

    subject = "supplies"


class EverydayParams(Sourced):
    """The six categories of the 15-minute circle, each reached on foot."""

    subject = "everyday"

    minutes: float = Field(gt=0, le=240, description="Longest walk to a category that counts as reached, minutes.")
    shopping: tuple[str, ...] = Field(description="Kinds of facilities for shopping.")
    medical: tuple[str, ...] = Field(description="Kinds of facilities for medical care.")
    education: tuple[str, ...] = Field(description="Kinds of facilities for education.")
    safety: tuple[str, ...] = Field(description="Kinds of facilities for safety.")
    service: tuple[str, ...] = Field(description="Kinds of facilities for public services.")
    emergency: tuple[str, ...] = Field(description="Kinds of facilities for emergency handling.")


CATEGORIES = tuple(name for name in EverydayParams.model_fields if name != "minutes")
"""The six categories, in the order in which they are shown."""
EVERYDAY = {f"everyday_{category}": category for category in CATEGORIES}
"""The categories as services of their own: name and category."""


class CircleParams(Sourced):
    """How circles are drawn and counted."""

    subject = "circle"

    minutes: tuple[Annotated[float, Field(gt=0, le=240)], ...] = Field(
        min_length=1, description="The rings to draw and count, minutes."
    )
    depth: int = Field(ge=1, le=5, description="Up to which number of stations at the same place they are told apart.")
    barriers: tuple[str, ...] = Field(description="Kinds of areas and lines that no circle jumps over.")
    max_share_affected: float = Field(
        ge=0, le=1, description="Largest share of a facility's ground in a hazard at which it still serves, 0-1."
    )
    spacing_m: float = Field(
        gt=0, le=500, description="Distance of the points on streets by which areas of responsibility are told, metres."
    )


def stations(facilities: gpd.GeoDataFrame, shelters: gpd.GeoDataFrame, kinds: Iterable[str]) -> gpd.GeoDataFrame:
    """The facilities (``geo.tables.FACILITIES``) of some kinds, and the shelters where ``shelter`` is among them.

    ``STATION_COLUMNS`` and geometry, and ``turnout_s`` where the facilities have it; shelters go under their
    ``shelter_id``. Rows keep the order of the tables.
    """
    wanted = set(kinds)
    more = [TURNOUT] if TURNOUT in facilities else []
    found = facilities.loc[facilities["kind"].isin(wanted), [*STATION_COLUMNS, *more, "geometry"]]
    refuges = shelters if SHELTER in wanted else shelters.iloc[:0]
    refuges = refuges.rename(columns={"shelter_id": "facility_id"})[[*STATION_COLUMNS, "geometry"]]
    refuges = refuges[~refuges["facility_id"].isin(found["facility_id"])]
    every = pd.concat([found, refuges], ignore_index=True) if len(refuges) else found.reset_index(drop=True)
    return gpd.GeoDataFrame(every, geometry="geometry", crs=facilities.crs)


def turnouts(stations: gpd.GeoDataFrame, params: ServiceParams) -> np.ndarray:
    """Seconds from the call to leaving each station (stations,): its own where it has one, else the service's."""
    if TURNOUT not in stations:
        return np.full(len(stations), params.turnout_s)
    own: np.ndarray = stations[TURNOUT].to_numpy(dtype=float)
    return np.where(np.isnan(own), params.turnout_s, own)


def ids(stations: gpd.GeoDataFrame, rows: np.ndarray) -> np.ndarray:
    """The facility ids of rows (n,), None for -1."""
    found: np.ndarray = np.r_[stations["facility_id"].to_numpy(dtype=object), None][rows]
    return found
