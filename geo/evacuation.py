"""Who walks to which shelter, how long, and who cannot: before and under a hazard.

Each place with people walks to the nearest shelter that is usable, by the quickest open streets; room is not a limit
here (``geo.refuge`` deals it out). The walk counts from the door to the street, along the streets, and from the
street to the site.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo import routing
from geo.profiles import WalkerParams
from geo.routing import Forest, Starts
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STATES = (
    *("served", "full", "too_far", "not_usable", "cut_off"),
    *("street_closed", "no_shelter", "not_snapped", "outside_data"),
)
"""What becomes of a place: exactly one each; ``served`` first, then the reasons why not.

``full`` usable shelters within the limit, but no room left in them · ``too_far`` a usable shelter, but beyond the
limit · ``not_usable`` a way to shelters, but to none that is usable now · ``cut_off`` the hazard took every way there
was to any · ``street_closed`` the place's own street is closed by the hazard · ``no_shelter`` never a way to any
shelter · ``not_snapped`` no street near by · ``outside_data`` none, and the place lies beyond the streets of the data.
"""


class WalkParams(WalkerParams):
    """How an adult walks and how far is too far."""

    subject = "walk"

    max_minutes: float = Field(gt=0, le=240, description="Longest walk to a shelter that counts as served, minutes.")
    snap_max_m: float = Field(gt=0, le=2000, description="Farthest a place may lie from a street, metres.")
    island_m: float = Field(
        ge=0, le=100_000, description="Streets joined to less than this length of streets in all are islands, metres."
    )


@dataclass(frozen=True)
class Walks:
    """The way of every place to its nearest usable shelter.

    ``walk_s`` (places,) seconds from door to site, NaN where there is no way; ``shelter`` row of the shelter, -1
    where there is none; ``own_street_open`` (places,) whether the place's own street is open.
    """

    walk_s: Floats
    shelter: Ints
    own_street_open: Mask
    ways: Usable
    forest: Forest
    starts: Starts
    places: Snaps


def walk_to_nearest(ways: Usable, places: Snaps, entrances: Snaps, *, speed_ms: float) -> Walks:
    """The nearest shelter of every place along open streets; entrances' ``place`` is the row of the shelter.

    ``speed_ms`` is that of the metres between door and street.
    """
    own = np.zeros(len(places), dtype=bool)
    own[places.found] = ways.usable[places.edge[places.found]]
    open_ = places.only(own)
    last_s = np.nan_to_num(entrances.off_m) / speed_ms
    forest = routing.nearest(ways.graph.reverse, entrances, extra_s=last_s)
    starts = routing.join(ways.graph, forest, open_, entrances, extra_s=last_s)
    walk_s = routing.seconds(starts.cost_ms) + open_.off_m / speed_ms
    return Walks(walk_s, starts.source, own, ways, forest, starts, open_)
