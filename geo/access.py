"""Who may use a street: OSM access tags turned into open or closed for a profile, with the reason.

Sources: OSM wiki, "Key:access" and "OSM tags for routing/Access restrictions": the most specific key wins (``foot``
before ``access``; ``motorcar`` before ``motor_vehicle`` before ``vehicle`` before ``access``). A private street is open
here: in an emergency the people who live on it leave by it, and a gated estate would otherwise be cut off from its own
gate. Emergency vehicles pass whatever ``emergency`` allows; what else binds them is a parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.conditions import Moment, holding
from geo.network import Network
from geo.profiles import ProfileParams, VehicleParams, WheeledWalkerParams
from geo.tags import Tags, length_m, mass_t

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Reasons = NDArray[np.object_]

WALK_KEYS = ("foot", "access")
NOT_FOR_WALKERS = ("motorway", "motorway_link", "busway", "bus_guideway", "escape", "raceway")
NO_STREET = ("construction", "proposed", "abandoned", "razed", "no", "platform")
FOOTWAYS = ("footway", "path", "steps", "pedestrian", "corridor")
ALLOWS = ("yes", "designated", "permissive", "official", "destination", "customers", "private", "residents")
FORBIDS = ("no", "use_sidepath", "military", "agricultural", "forestry")
ONE_WAY = ("yes", "true", "1")
AGAINST = ("-1", "reverse")
ROUNDABOUTS = ("roundabout", "circular")
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
CONDITIONAL = ("access", "motor_vehicle", "oneway")
"""Tags whose ``:conditional`` form is looked up for the time of day."""


@dataclass(frozen=True)
class Said:
    """A network's tags as they hold at a moment, one row a way; ``not_understood`` values of them could not be read."""

    tags: Tags
    not_understood: int


def at(network: Network, moment: Moment | None) -> Said:
    """The tags of the network's ways, those that change by the hour as they are then; at no moment as on any day."""
    tags, bad = Tags(network.tags), 0
    if moment is None:
        return Said(tags, bad)
    for name in CONDITIONAL:
        answers = {word: holding(word, moment) for word in tags.words(f"{name}:conditional")}
        rows = np.flatnonzero(tags.said(f"{name}:conditional"))
        words = network.tags[f"{name}:conditional"].to_numpy(dtype=object)[rows]
        found = {int(row): answers[str(word)] for row, word in zip(rows, words, strict=True)}
        bad += sum(not answer.understood for answer in found.values())
        held = {row: answer.value for row, answer in found.items() if answer.value is not None}
        tags = tags.replaced(name, held) if held else tags
    return Said(tags, bad)


def closed(tags: Tags, profile: ProfileParams) -> Reasons:
    """Why each way is closed to the profile by what is said of it, (ways,): None where it is open.

    Reasons: ``not_a_street`` (being built, …), ``motor_road`` (motorway, motorroad=yes), ``no_access``; on wheels
    ``no_wheelchair``, ``kerb``; vehicles ``not_for_vehicles`` (a class that is not open to it), ``too_narrow``,
    ``too_low``, ``too_heavy``.
    """
    if isinstance(profile, VehicleParams):
        return _first(len(tags), _vehicle_rules(tags, profile))
    return _first(len(tags), [*_walker_rules(tags), *_wheel_rules(tags, profile)])


def _first(n: int, rules: Sequence[tuple[str, Mask]]) -> Reasons:
    """The first rule that holds for each row, None where none does."""
    reason = np.full(n, None, dtype=object)
    for name, holds in reversed(rules):
        reason[holds] = name
    return reason


def _walker_rules(tags: Tags) -> list[tuple[str, Mask]]:
    forbidden, allowed = _verdict(tags, WALK_KEYS, FORBIDS)
    own_yes = tags.among("foot", ALLOWS)
    motor = tags.among("highway", NOT_FOR_WALKERS) | tags.among("motorroad", ONE_WAY)
    return [("not_a_street", _no_street(tags)), ("motor_road", motor & ~own_yes), ("no_access", forbidden & ~allowed)]


def _wheel_rules(tags: Tags, profile: ProfileParams) -> list[tuple[str, Mask]]:
    if not isinstance(profile, WheeledWalkerParams):
        return []
    rules = [("kerb", tags.among("kerb", profile.kerbs))]
    if profile.subject == "wheelchair":
        rules.insert(0, ("no_wheelchair", tags.among("wheelchair", FORBIDS)))
    return rules


def _no_street(tags: Tags) -> Mask:
    return np.asarray(tags.among("highway", NO_STREET) | ~tags.said("highway"))


def _vehicle_rules(tags: Tags, profile: VehicleParams) -> list[tuple[str, Mask]]:
    forbidden, _ = _verdict(tags, profile.keys, profile.forbids)
    _, invited = _verdict(tags, [key for key in profile.keys if key != "access"], profile.forbids)
    open_class = tags.among("highway", profile.highways)
    blue_lights_only = tags.among("service", ("emergency_access",)) & (profile.keys[0] != "emergency")
    return [
        ("not_a_street", _no_street(tags)),
        ("not_for_vehicles", ~open_class & ~invited | tags.among("highway", ("steps",))),
        ("no_access", forbidden | (blue_lights_only & ~invited)),
        ("too_narrow", tags.read("maxwidth", length_m) < profile.width_m),
        ("too_low", tags.read("maxheight", length_m) < profile.height_m),
        ("too_heavy", tags.read("maxweight", mass_t) < profile.weight_t),
    ]


def _verdict(tags: Tags, keys: Sequence[str], forbids: Collection[str]) -> tuple[Mask, Mask]:
    """Which rows the most specific telling key forbids, and which it allows, (rows,) each.

    The first key is the profile's own: its ``no`` always closes. Values that neither forbid nor allow leave it to the
    next key.
    """
    forbidden, allowed = np.zeros(len(tags), dtype=bool), np.zeros(len(tags), dtype=bool)
    for i, key in enumerate(keys):
        open_ = ~(forbidden | allowed)
        closes = tags.among(key, {*forbids, "no"} if i == 0 else forbids)
        forbidden |= open_ & closes
        allowed |= open_ & ~closes & tags.among(key, ALLOWS)
    return forbidden, allowed


def directions(tags: Tags, profile: ProfileParams) -> tuple[Mask, Mask]:
    """Which ways the profile may use along and against their drawing, two (ways,) masks.

    Vehicles' one-way rules do not bind walkers: only ``oneway:foot`` does, and ``oneway`` on a way for walkers.
    Motorways and roundabouts are one-way without being tagged so, unless ``oneway`` says otherwise, and bind every
    vehicle. ``reversible`` and ``alternating`` are open both ways.
    """
    against, along = tags.among("oneway", ONE_WAY), tags.among("oneway", AGAINST)
    if isinstance(profile, VehicleParams):
        always = tags.among("junction", ROUNDABOUTS) | tags.among("highway", ("motorway",))
        against |= always & ~tags.said("oneway")
        binds = always | profile.oneway
        return ~(along & binds), ~(against & binds)
    own, footway = tags.said("oneway:foot"), tags.among("highway", FOOTWAYS)
    against = np.where(own, tags.among("oneway:foot", ONE_WAY), against & footway)
    along = np.where(own, tags.among("oneway:foot", AGAINST), along & footway)
    return ~along, ~against


def barred(network: Network, profile: ProfileParams) -> Mask:
    """Nodes (nodes,) at which a barrier stops the profile."""
    tags = Tags(network.barriers)
    stopped = _vehicle_stopped(tags, profile) if isinstance(profile, VehicleParams) else _walker_stopped(tags, profile)
    found = np.zeros(len(network.x), dtype=bool)
    found[network.barrier_node[stopped]] = True
    return found


def _walker_stopped(tags: Tags, profile: ProfileParams) -> Mask:
    allowed = tags.among("foot", ALLOWS) | (~tags.said("foot") & tags.among("access", ALLOWS))
    stopped = tags.among("barrier", SOLID_BARRIERS) | tags.among("locked", ("yes",))
    stopped |= tags.among("foot", FORBIDS) | tags.among("access", FORBIDS)
    stopped &= ~allowed
    if isinstance(profile, WheeledWalkerParams):
        stopped |= tags.among("barrier", profile.barriers) & ~tags.among("wheelchair", ALLOWS)
        stopped |= tags.among("wheelchair", FORBIDS) & (profile.subject == "wheelchair")
    return stopped


def _vehicle_stopped(tags: Tags, profile: VehicleParams) -> Mask:
    own = [key for key in profile.keys if key != "access"]
    forbidden, allowed = _verdict(tags, profile.keys, profile.forbids)
    _, invited = _verdict(tags, own, profile.forbids)
    stopped = forbidden | (tags.among("barrier", profile.barriers) & ~invited)
    stopped |= tags.among("locked", ("yes",)) & ~allowed & (not profile.opens_locks)
    stopped |= tags.read("maxwidth", length_m) < profile.width_m
    return np.asarray(stopped | (tags.read("maxheight", length_m) < profile.height_m))


def bound_by(table: pd.DataFrame, profile: ProfileParams, moment: Moment | None) -> Mask:
    """Which turn restrictions (``network.RESTRICTIONS``) bind the profile at a moment, (rows,).

    Those with a condition bind only while it holds; without a moment, or where it is not understood, they do not.
    """
    if not (isinstance(profile, VehicleParams) and profile.turns):
        return np.zeros(len(table), dtype=bool)
    keys = set(profile.keys)
    excepted = table["excepts"].map(lambda text: bool(keys & _listed(text))).to_numpy(dtype=bool)
    everybody = table["vehicle"].isna().to_numpy()
    meant = everybody | table["vehicle"].map(lambda text: bool(keys & _listed(text))).to_numpy(dtype=bool)
    held = table["condition"].map(lambda text: _in_force(text, moment)).to_numpy(dtype=bool)
    return np.asarray(~excepted & meant & held)


def _listed(text: str | None) -> set[str]:
    return {word.strip() for word in text.split(";")} if isinstance(text, str) else set()


def _in_force(condition: str | None, moment: Moment | None) -> bool:
    if not isinstance(condition, str):
        return True
    return moment is not None and holding(condition, moment).value is not None
