"""Who may use a street: OSM access tags turned into open or closed, with the reason.

Sources: OSM wiki, "Key:access" and "OSM tags for routing/Access restrictions" (the most specific key wins:
``foot`` before ``access``). A private street is open to walkers here: in an emergency the people who live on it
leave by it, and a gated estate would otherwise be cut off from its own gate. ``foot=no`` and ``access=no`` close.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.network import Network

Mask = NDArray[np.bool_]
Reasons = NDArray[np.object_]

NOT_FOR_WALKERS = ("motorway", "motorway_link", "busway", "bus_guideway", "escape", "raceway")
NO_STREET = ("construction", "proposed", "abandoned", "razed", "no", "platform")
FOOTWAYS = ("footway", "path", "steps", "pedestrian", "corridor")
ALLOWS = ("yes", "designated", "permissive", "official", "destination", "customers", "private", "residents")
FORBIDS = ("no", "use_sidepath", "military", "agricultural", "forestry")
ONE_WAY = ("yes", "true", "1")
AGAINST = ("-1", "reverse")
# Barriers that a walker cannot pass unless a tag says otherwise.
SOLID_BARRIERS = (
    "wall",
    "city_wall",
    "fence",
    "hedge",
    "retaining_wall",
    "ditch",
    "guard_rail",
    "jersey_barrier",
    "debris",
)


def closed_to_walkers(network: Network) -> Reasons:
    """Why each edge is closed to walkers, (edges,): None where it is open.

    Reasons: ``not_a_street`` (being built, …), ``motor_road`` (motorway, motorroad=yes), ``no_access``.
    """
    per_way = _walk_reason(network.tags)
    return np.asarray(per_way[network.way], dtype=object)


def _walk_reason(tags: pd.DataFrame) -> Reasons:
    reason = np.full(len(tags), None, dtype=object)
    said_yes = tags["foot"].isin(ALLOWS)
    reason[(tags["access"].isin(FORBIDS) & ~said_yes) | tags["foot"].isin(FORBIDS)] = "no_access"
    motor = tags["highway"].isin(NOT_FOR_WALKERS) | tags["motorroad"].isin(ONE_WAY)
    reason[motor & ~said_yes] = "motor_road"
    reason[tags["highway"].isin(NO_STREET) | tags["highway"].isna()] = "not_a_street"
    return reason


def walker_directions(network: Network) -> tuple[Mask, Mask]:
    """Which edges a walker may use along and against their drawing, two (edges,) masks.

    Vehicles' one-way rules do not bind walkers: only ``oneway:foot`` does, and ``oneway`` on a way for walkers.
    """
    tags = network.tags
    own = tags["oneway:foot"]
    rule = own.where(own.notna(), tags["oneway"].where(tags["highway"].isin(FOOTWAYS)))
    against, along = rule.isin(ONE_WAY).to_numpy(), rule.isin(AGAINST).to_numpy()
    return ~along[network.way], ~against[network.way]


def barred_to_walkers(network: Network) -> Mask:
    """Nodes (nodes,) at which a barrier stops a walker."""
    barriers = network.barriers
    allowed = barriers["foot"].isin(ALLOWS) | (barriers["foot"].isna() & barriers["access"].isin(ALLOWS))
    stopped = barriers["barrier"].isin(SOLID_BARRIERS) | (barriers["locked"] == "yes")
    stopped |= barriers["foot"].isin(FORBIDS) | barriers["access"].isin(FORBIDS)
    barred = np.zeros(len(network.x), dtype=bool)
    barred[network.barrier_node[(stopped & ~allowed).to_numpy()]] = True
    return barred
