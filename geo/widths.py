"""How wide each street is for people on foot, and how many of them it lets through.

A street's width is what is tagged, else its lanes times the width of a lane, else what its class usually has; which of
the three is said. Of a street open to vehicles people have a share, of every street neither margin; what remains times
the largest specific flow (U. Weidmann 1993, Transporttechnik der Fussgänger) is its capacity. Sources of the tags: OSM
wiki, "Key:width", "Key:lanes". Rubble is not taken off here, nor what stands on a pavement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced
from geo.network import Network
from geo.speeds import LINK
from geo.tags import Tags, length_m

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

FOR_VEHICLES = {
    **{name: f"{name}_m" for name in ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified")},
    **{name: f"{name}_m" for name in ("residential", "living_street", "service", "track")},
}
"""The width of each class of street that vehicles use as well."""
FOR_WALKERS = {
    **{name: f"{name}_m" for name in ("pedestrian", "footway", "path", "steps")},
    **{"cycleway": "footway_m", "corridor": "footway_m", "bridleway": "path_m"},
}
"""The width of each class that people have for themselves."""
LARGEST_LANES = 12
"""More lanes than this are a slip of the pen."""


class WidthParams(Sourced):
    """How wide streets are, and how many people pass."""

    subject = "widths"
    lane_m: float = Field(gt=0, le=6, description="Width of a lane, metres.")
    motorway_m: float = Field(gt=0, le=80, description="Width of a carriageway of a motorway, metres.")
    trunk_m: float = Field(gt=0, le=80, description="Width of trunk roads, metres.")
    primary_m: float = Field(gt=0, le=80, description="Width of primary streets, metres.")
    secondary_m: float = Field(gt=0, le=80, description="Width of secondary streets, metres.")
    tertiary_m: float = Field(gt=0, le=80, description="Width of tertiary streets, metres.")
    unclassified_m: float = Field(gt=0, le=80, description="Width of minor streets, metres.")
    residential_m: float = Field(gt=0, le=80, description="Width of residential streets, metres.")
    living_street_m: float = Field(gt=0, le=80, description="Width of living streets, metres.")
    service_m: float = Field(gt=0, le=80, description="Width of service ways and yards, metres.")
    track_m: float = Field(gt=0, le=80, description="Width of tracks, metres.")
    pedestrian_m: float = Field(gt=0, le=80, description="Width of pedestrian streets, metres.")
    footway_m: float = Field(gt=0, le=80, description="Width of footways, cycleways and corridors, metres.")
    path_m: float = Field(gt=0, le=80, description="Width of paths and bridleways, metres.")
    steps_m: float = Field(gt=0, le=80, description="Width of steps, metres.")
    other_m: float = Field(gt=0, le=80, description="Width of streets of any other class, metres.")
    least_m: float = Field(gt=0, le=5, description="Narrowest width that is believed, and that is left, metres.")
    most_m: float = Field(gt=0, le=500, description="Widest recorded width that is believed, metres.")
    shared_share: float = Field(gt=0, le=1, description="Share of streets open to vehicles that people have, 0-1.")
    margin_m: float = Field(ge=0, le=2, description="Strip along each side that nobody walks in, metres.")
    flow_people_ms: float = Field(gt=0, le=3, description="Most people who pass a metre in a second (people/m/s).")
    steps_share: float = Field(gt=0, le=1, description="Flow on steps as a share of the flow on the level, 0-1.")


@dataclass(frozen=True, eq=False)
class Widths:
    """What people have of each street, (edges,) each.

    ``width_m`` is the street's whole width and ``basis`` where it is from: ``tagged``, ``lanes`` or ``class``.
    ``clear_m`` is what people walk in, ``capacity_people_s`` how many pass a second, both directions together.
    """

    width_m: Floats
    basis: Texts
    clear_m: Floats
    capacity_people_s: Floats

    def __len__(self) -> int:
        return len(self.width_m)

    def __repr__(self) -> str:
        tagged = int((self.basis == "tagged").sum())
        typical = f", half at least {np.median(self.clear_m):.1f} m clear" if len(self) else ""
        return f"Widths({len(self)} edges, {tagged} of them tagged{typical})"


def widths(network: Network, *, params: WidthParams) -> Widths:
    """How wide each street of the network is for people, and how many pass."""
    tags = Tags(network.tags)
    own = tags.read("highway", lambda name: float(name.removesuffix(LINK) in FOR_WALKERS)) == 1
    width, basis = _width(tags, own, params)
    clear = np.maximum(width * np.where(own, 1.0, params.shared_share) - 2 * params.margin_m, params.least_m)
    flow = np.where(tags.among("highway", ("steps",)), params.steps_share, 1.0) * params.flow_people_ms
    way = network.way
    return Widths(width[way], basis[way], clear[way], (clear * flow)[way])


def _width(tags: Tags, own: Mask, params: WidthParams) -> tuple[Floats, Texts]:
    """The whole width of each way and where it is from, (ways,) each; ``own`` are ways for walkers alone."""
    tagged = tags.read("width", length_m)
    lanes = tags.read("lanes", _lanes) * params.lane_m
    by_class = tags.read("highway", lambda name: class_m(name, params=params))
    told = (tagged >= params.least_m) & (tagged <= params.most_m)
    counted = ~told & ~np.isnan(lanes) & ~own
    basis = np.select([told, counted], ["tagged", "lanes"], default="class").astype(object)
    return np.select([told, counted], [tagged, lanes], default=np.nan_to_num(by_class, nan=params.other_m)), basis


def class_m(highway: str, *, params: WidthParams) -> float:
    """The usual width of a class of street, metres; slip roads have one lane."""
    name = highway.removesuffix(LINK)
    return params.lane_m if name != highway else float(getattr(params, _FIELDS.get(name, "other_m")))


_FIELDS = FOR_VEHICLES | FOR_WALKERS


def _lanes(text: str) -> float:
    """How many lanes are tagged; NaN for what is no number, the fewest of several."""
    parts = [part.strip() for part in text.split(";")]
    known = [float(part) for part in parts if part.replace(".", "", 1).isdecimal()]
    fits = [value for value in known if 1 <= value <= LARGEST_LANES]
    return min(fits, default=np.nan)
