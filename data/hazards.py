"""The hazards that can be brought: what each is called, in which units its raster may come, and what cannot be true.

Water is measured; the others come as levels from 0 (none) to 5 (worst), since every source has classes of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048}
"""Units a depth may be in, and what one is in metres."""
DEPTH_MAX_M = 100.0
"""No street is deeper under water: a greater depth is another unit or an undeclared nodata value."""
VELOCITY_MAX_MS = 50.0
"""No flood is faster: a greater velocity is another unit or an undeclared nodata value."""
LEVEL_MAX = 5.0
"""The worst level."""


@dataclass(frozen=True)
class Kind:
    """A kind of hazard: its labels, ``unit`` of its values here, and ``units`` of a file, each as so many of ours.

    ``noun`` is what the values are, ``most`` the largest that can be true, in ``unit``; ``none_is`` what 0 means.
    """

    en: str
    zh: str
    unit: str
    units: Mapping[str, float]
    noun: str
    most: float
    none_is: str = "not affected"


def _levels(en: str, zh: str) -> Kind:
    return Kind(en, zh, "level", {"level": 1.0}, "levels", LEVEL_MAX)


KINDS: Mapping[str, Kind] = {
    "flood": Kind("Flood", "洪水", "m", METRES, "depths", DEPTH_MAX_M, "no water"),
    "flood_velocity": Kind(
        "Flood velocity", "洪水流速", "m/s", {"m/s": 1.0}, "velocities", VELOCITY_MAX_MS, "no flowing water"
    ),
    "fire": _levels("Fire", "火灾"),
    "landslide": _levels("Landslide", "滑坡"),
    "debris": _levels("Debris", "废墟堆积"),
    "sand": _levels("Wind-blown sand", "风沙"),
}
"""Kinds of hazards as study.toml names them."""
HAZARDS = tuple(KINDS)


def usual_unit(kind: str) -> str:
    """The unit of a kind that comes in one only; empty where the file's must be named."""
    units = tuple(KINDS[kind].units) if kind in KINDS else ()
    return units[0] if len(units) == 1 else ""
