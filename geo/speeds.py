"""How fast a profile moves along each street on an ordinary day: on foot by ground and slope, driving by limits.

Sources: OSM wiki, "Key:maxspeed", "Key:incline", "Key:smoothness"; numbers and their sources are parameters. What
cannot be passed at all (steps for a wheelchair, ground too soft or too steep) is closed here, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.access import ALLOWS
from geo.curves import SlopeParams, slope_factor
from geo.network import Network
from geo.profiles import (
    DriveParams,
    GroundParams,
    ProfileParams,
    Rules,
    VehicleParams,
    WalkerParams,
    WheeledWalkerParams,
)
from geo.tags import Tags, incline, speed_kmh

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

KMH_MS = 1 / 3.6
"""One kilometre an hour in metres per second."""
CLASSES = {
    **{name: f"{name}_kmh" for name in ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified")},
    **{name: f"{name}_kmh" for name in ("residential", "living_street", "service", "track")},
    **dict.fromkeys(("pedestrian", "footway", "path", "cycleway", "bridleway", "corridor"), "foot_kmh"),
}
"""Which driving speed each class of street has; all others have ``other_kmh``."""
LINK = "_link"


@dataclass(frozen=True)
class Pace:
    """Speeds along and against the drawing, metres per second, and the reason why a street cannot be passed, or None.

    All (edges,); a closed edge's speeds mean nothing.
    """

    forward_ms: Floats
    backward_ms: Floats
    closed: NDArray[np.object_]

    def __repr__(self) -> str:
        return f"Pace({len(self.closed)} edges)"


def pace(network: Network, tags: Tags, profile: ProfileParams, *, rules: Rules, climb: Floats | None = None) -> Pace:
    """The profile's speed on every edge.

    ``climb`` (edges,) is the rise in metres from the start of the edge to its end, NaN where not known: there, and
    without it, the tag ``incline`` says what it can. Slope binds walkers only; steps have their own factor instead.
    """
    if isinstance(profile, VehicleParams):
        return _drive(network, tags, profile, rules)
    if isinstance(profile, WalkerParams):
        return _walk(network, tags, profile, rules, climb)
    raise TypeError(f"no pace for {type(profile).__name__}")


def level_speed_ms(profile: WalkerParams, rules: Rules) -> float:
    """How fast somebody on foot walks on level firm ground at this time of day, metres per second."""
    return profile.speed_ms * (profile.night_factor if rules.time.night else 1.0)


def _walk(network: Network, tags: Tags, profile: WalkerParams, rules: Rules, climb: Floats | None) -> Pace:
    steps, ramp = tags.among("highway", ("steps",)), _ramp(tags, profile)
    ground = np.where(_surveyed(tags, profile), 1.0, _ground(tags, profile, rules.ground))
    way = ground * np.where(steps & ~ramp, profile.stairs_factor, 1.0)
    level = level_speed_ms(profile, rules)
    slope = np.where(steps[network.way], np.nan, _slope(network, tags, climb))
    reason = np.full(len(network.u), None, dtype=object)
    reason[(ground == 0)[network.way]] = "surface"
    if isinstance(profile, WheeledWalkerParams):
        surveyed = _surveyed(tags, profile)[network.way]
        reason[(np.abs(slope) > profile.max_incline) & ~surveyed] = "too_steep"
    reason[(steps & ~ramp & (profile.stairs_factor == 0))[network.way]] = "steps"
    flat = (level * way)[network.way]
    up, down = (_on_slope(flat, rise, params=rules.slope) for rise in (slope, -slope))
    return Pace(up, down, reason)


def _on_slope(flat_ms: Floats, slope: Floats, *, params: SlopeParams) -> Floats:
    """The speed on the level, slowed where a slope is known."""
    known = np.flatnonzero(~np.isnan(slope))
    speed = flat_ms.copy()
    speed[known] *= slope_factor(slope[known], params=params)
    return speed


def _ramp(tags: Tags, profile: WalkerParams) -> Mask:
    """Steps (ways,) with a ramp for the profile's wheels."""
    if not isinstance(profile, WheeledWalkerParams):
        return np.zeros(len(tags), dtype=bool)
    return np.asarray(tags.among(profile.ramp_key, ("yes", "separate", "automatic")) | _surveyed(tags, profile))


def _surveyed(tags: Tags, profile: WalkerParams) -> Mask:
    """Ways (ways,) that somebody has found fit for wheelchairs: that outweighs what other tags let one expect."""
    if not isinstance(profile, WheeledWalkerParams):
        return np.zeros(len(tags), dtype=bool)
    return tags.among("wheelchair", ALLOWS)


def _ground(tags: Tags, profile: ProfileParams, ground: GroundParams) -> Floats:
    """Speed by ground as a share of that on firm ground, (ways,); 0 is not passable."""
    rough = tags.among("surface", ground.rough_surfaces) | tags.among("smoothness", ground.rough_smoothness)
    soft = tags.among("surface", ground.soft_surfaces) | tags.among("smoothness", ground.soft_smoothness)
    soft |= tags.among("tracktype", ground.soft_tracks)
    stops = tags.among("smoothness", ground.impassable_smoothness) & profile.on_wheels
    return np.select([stops, soft, rough], [0.0, profile.soft_factor, profile.rough_factor], default=1.0)


def _slope(network: Network, tags: Tags, climb: Floats | None) -> Floats:
    """Rise per length along each edge's drawing, (edges,); NaN where not known."""
    tagged = tags.read("incline", incline)[network.way]
    if climb is None:
        return np.asarray(tagged)
    known = ~np.isnan(climb) & (network.length_m > 0)
    return np.where(known, np.divide(climb, network.length_m, out=np.zeros_like(climb), where=known), tagged)


def _drive(network: Network, tags: Tags, profile: VehicleParams, rules: Rules) -> Pace:
    ground = _ground(tags, profile, rules.ground)
    forward, backward = (
        np.minimum(kmh * ground * profile.speed_factor, profile.max_kmh) * KMH_MS for kmh in _limits(tags, rules.drive)
    )
    reason = np.full(len(network.u), None, dtype=object)
    reason[(ground == 0)[network.way]] = "surface"
    return Pace(forward[network.way], backward[network.way], reason)


def _limits(tags: Tags, drive: DriveParams) -> tuple[Floats, Floats]:
    """Driving speed of each way along and against its drawing, km/h: by its limit, else by its class; (ways,) each."""
    words = drive.limits_kmh
    by_class = tags.read("highway", lambda name: class_kmh(name, params=drive))

    def read(name: str) -> Floats:
        return tags.read(name, lambda text: speed_kmh(text, limits=words)) * drive.limit_factor

    either = read("maxspeed")
    both = np.where(np.isnan(either), by_class, either)
    sided = (read("maxspeed:forward"), read("maxspeed:backward"))
    forward, backward = (np.where(np.isnan(side), both, side) for side in sided)
    return forward, backward


def class_kmh(highway: str, *, params: DriveParams) -> float:
    """The driving speed of a class of street without a recorded limit, km/h."""
    name = highway.removesuffix(LINK)
    speed = float(getattr(params, CLASSES.get(name, "other_kmh")))
    return speed * params.link_factor if name != highway else speed
