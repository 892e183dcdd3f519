"""What the hazards in force do to a profile's way through each street: how much longer it takes, and what closes it.

Each street is cut at the cells it crosses; every piece is passed at the slowest of the speeds that the hazards there
allow. A street is closed as a whole when one piece of it is (docs/decisions/0004); what is not known neither closes nor
slows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import hazards, levels
from geo.curves import HazardParams, LevelParams, SandParams, WindParams, hazard_class, water_speed_kmh
from geo.errors import InputError, refuse
from geo.hazards import Cuts, Hazard
from geo.levels import DECIMALS, WATER
from geo.network import NO_TUNNEL, Network
from geo.profiles import ProfileParams, Rules, VehicleParams
from geo.speeds import KMH_MS

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

REASONS = {
    **dict.fromkeys(WATER, "flooded"), "fire": "fire", "wildfire": "fire",
    "landslide": "landslide", "debris_flow": "landslide", "debris": "debris", "collapse": "debris",
    "sand": "sand", "wind": "wind",
}  # fmt: skip
"""Kinds of hazards that close streets, and the reason they leave; of several the first is named."""
MOVE = {*REASONS, "flood_velocity"}
"""Kinds that do something to streets. The others (shaking, how long water stays, what lies near) are not asked."""
UNITS = levels.UNITS
"""The kinds that have rules, with the unit their values must have."""


@dataclass(frozen=True)
class Slowing:
    """What hazards do to one profile, (edges,) each.

    ``closed`` reason or None; ``share_unknown`` of the length, the largest of any hazard in force. Pieces that are
    passed slower: their ``edge``, ``length_m``, ``factor`` of the free speed, and ``cap_ms`` that no speed exceeds.
    """

    closed: NDArray[np.object_]
    share_unknown: Floats
    edge: NDArray[np.int32]
    length_m: Floats
    factor: Floats
    cap_ms: Floats

    def __repr__(self) -> str:
        shut = np.count_nonzero(self.closed != None)  # noqa: E711  each element is compared
        return f"Slowing({shut} of {len(self.closed)} edges closed, {len(self.edge)} pieces slower)"

    def longer_s(self, speed_ms: Floats) -> Floats:
        """The seconds that each edge takes longer than at its free speed (edges,), never less than 0."""
        free = speed_ms[self.edge]
        slow = np.minimum(free * self.factor, self.cap_ms)
        with np.errstate(divide="ignore", invalid="ignore"):
            more = np.where(slow < free, self.length_m / slow - self.length_m / free, 0.0)
        return np.bincount(self.edge, weights=more, minlength=len(speed_ms)).astype(np.float64)


def slowing(network: Network, profile: ProfileParams, faced: Sequence[Hazard], *, rules: Rules) -> Slowing:
    """What the hazards in force do to a profile on each street; each is of a kind of ``UNITS``.

    Several hazards of one kind count as the worst of them on each piece. A velocity of the water speaks only where
    there is a flood: on each piece both rasters' own cells meet. Kinds that are not in ``MOVE`` do nothing. Raises
    InputError for a kind or a unit without a rule.
    """
    refuse(InputError, [fault for hazard in faced for fault in levels.faults(hazard)])
    faced = [hazard for hazard in faced if hazard.kind in MOVE]
    if not faced:
        return _nothing(len(network.u))
    cuts = hazards.cut_lines(network.px, network.py, network.start, crs=network.crs, faced=faced)
    felt = {kind: _felt(network, cuts, faced, kind, rules) for kind in dict.fromkeys(h.kind for h in faced)}
    factor, cap, reason = np.ones(len(cuts)), np.full(len(cuts), np.inf), np.zeros(len(cuts), dtype=np.int8)
    for place, kind in reversed(list(enumerate(REASONS, start=1))):
        if kind in felt:
            left, cap_kmh, shut = _effect(kind, felt, profile, rules)
            factor, cap = np.minimum(factor, left), np.minimum(cap, cap_kmh * KMH_MS)
            reason[shut] = place
    return _gathered(network, cuts, factor, cap, reason, _unknown(network, cuts, felt))


def _nothing(n: int) -> Slowing:
    none = np.zeros(0)
    return Slowing(np.full(n, None, dtype=object), np.zeros(n), np.zeros(0, dtype=np.int32), none, none, none)


def _felt(network: Network, cuts: Cuts, faced: Sequence[Hazard], kind: str, rules: Rules) -> Floats:
    """The worst value of one kind on each piece; 0 where the street is out of its reach, NaN where not known."""
    # Rasters hold 0.3 as 0.300000012: a bound would be passed by what was written as exactly that.
    value = np.round(np.fmax.reduce(cuts.values[[h.kind == kind for h in faced]]), DECIMALS)
    return np.where(exempt(network, rule_of(kind, rules))[cuts.line], 0.0, value)


def rule_of(kind: str, rules: Rules) -> HazardParams | None:
    """The rule of a kind of hazard, None for one that does nothing to streets."""
    return {
        **dict.fromkeys((*WATER, "flood_velocity"), rules.flood),
        **dict.fromkeys(("fire", "wildfire"), rules.fire_hazard),
        **dict.fromkeys(("landslide", "debris_flow"), rules.landslide),
        **dict.fromkeys(("debris", "collapse"), rules.debris),
        **{"sand": rules.sand, "wind": rules.wind},
    }.get(kind)


def exempt(network: Network, rule: HazardParams | None) -> Mask:
    """Streets (edges,) out of a hazard's reach: bridges above it, tunnels below; none without a rule."""
    found = np.zeros(len(network.u), dtype=bool)
    if rule is None:
        return found
    if rule.bridge_exempt:
        found |= network.edge_is("bridge")
    if rule.tunnel_exempt:
        found |= network.edge_is("tunnel", never=NO_TUNNEL)
    return found


def _effect(
    kind: str, felt: dict[str, Floats], profile: ProfileParams, rules: Rules
) -> tuple[Floats, Floats | float, Mask]:
    """Share of the speed left, fastest speed in km/h, and whether closed, on each piece."""
    if kind in WATER:
        return _water(felt[kind], felt.get("flood_velocity") if kind == "flood" else None, profile, rules)
    if kind == "wind":
        return _wind(felt[kind], profile, rules.wind)
    rule, level = rule_of(kind, rules), levels.levels_of(kind, felt[kind], rules.levels).astype(np.float64)
    assert isinstance(rule, LevelParams)
    left = rule.left(level, family=profile.family)
    if isinstance(rule, SandParams) and profile.family == "drive":
        return left, rule.cap_kmh(level), left == 0
    return left, np.inf, left == 0


def _water(
    depth: Floats, velocity: Floats | None, profile: ProfileParams, rules: Rules
) -> tuple[Floats, Floats | float, Mask]:
    """Walkers keep their speed up to the depth that closes; vehicles slow down by the curve and stop at theirs."""
    drives = isinstance(profile, VehicleParams)
    shut = ((depth >= profile.close_depth_m) & (depth > 0)) if drives else depth > profile.close_depth_m
    if velocity is not None:
        shut |= (depth > rules.flood.film_m) & (hazard_class(depth, velocity, params=rules.flood) > profile.close_class)
    if not drives:
        return np.ones(len(depth)), np.inf, shut
    return np.ones(len(depth)), water_speed_kmh(depth, close_m=profile.close_depth_m, params=rules.flood), shut


def _wind(speed: Floats, profile: ProfileParams, rule: WindParams) -> tuple[Floats, Floats | float, Mask]:
    """From one speed of the wind on people walk and vehicles drive slower, from another on not at all."""
    if not isinstance(profile, VehicleParams):
        return np.where(speed >= rule.walk_slow_ms, rule.walk_slow_factor, 1.0), np.inf, speed >= rule.walk_close_ms
    cap = np.where(speed >= rule.drive_slow_ms, rule.drive_slow_kmh, np.inf)
    high = profile.height_m >= rule.high_from_m
    return (
        np.ones(len(speed)),
        cap,
        speed >= (min(rule.high_close_ms, rule.drive_close_ms) if high else rule.drive_close_ms),
    )


def _unknown(network: Network, cuts: Cuts, felt: dict[str, Floats]) -> Floats:
    """The largest share of each edge that some kind in force says nothing about, (edges,)."""
    length = cuts.to_m - cuts.from_m
    metres = [np.bincount(cuts.line, length * np.isnan(value), len(network.u)) for value in felt.values()]
    most = np.maximum.reduce(metres)
    share = np.divide(most, network.length_m, out=np.zeros(len(most)), where=network.length_m > 0)
    return np.clip(share, 0, 1)


def _gathered(
    network: Network, cuts: Cuts, factor: Floats, cap: Floats, reason: NDArray[np.int8], unknown: Floats
) -> Slowing:
    """Pieces gathered by street: closed by the first reason of any piece; only slower pieces are kept."""
    first = np.full(len(network.u), len(REASONS) + 1, dtype=np.int8)
    shut = reason > 0
    np.minimum.at(first, cuts.line[shut], reason[shut])
    names = np.array([None, *REASONS.values(), None], dtype=object)
    passable = first[cuts.line] > len(REASONS)
    slow = np.flatnonzero(((factor < 1) | np.isfinite(cap)) & passable)
    length = cuts.to_m[slow] - cuts.from_m[slow]
    return Slowing(names[first], unknown, cuts.line[slow], length, factor[slow], cap[slow])
