"""What a hazard's intensity does to speed and safety: curves and classes, their numbers from data/standards.

Sources: M. Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020 (water depth and vehicle speed); AIDR Guideline 7-3
and Australian Rainfall and Runoff 2019 (hazard classes H1-H6 by depth, velocity and their product); W. Tobler 1993
(walking speed and slope); GB/T 20480-2017 (levels of sand and dust weather); the Japan Meteorological Agency's table of
wind and its effects. Levels run from 0, none, to 5, the worst.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from geo.standards import Standards

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Family = Literal["walk", "drive"]

LEVELS = 5
"""The worst level of a hazard that is given in levels."""
MM = 1000.0
"""Millimetres a metre."""
SLOWEST_KMH = 1.0
"""No curve goes below this speed: a street that is not closed can be passed."""


class Sourced(BaseModel):
    """Parameters that the standards know under ``subject``: ``subject.name`` for each field."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    subject: ClassVar[str]

    @classmethod
    def of(cls, standards: Standards) -> Self:
        """The defaults as the standards give them."""
        return cls.model_validate({name: standards[f"{cls.subject}.{name}"].value for name in cls.model_fields})


def _numbers(least: float, most: float, *, rising: bool = False, falling: bool = False) -> Any:
    """A check for five numbers written as words."""

    def check(words: tuple[str, ...]) -> tuple[str, ...]:
        values = [float(word) for word in words]
        if not all(least <= value <= most for value in values):
            raise ValueError(f"should be numbers from {least:g} to {most:g}")
        if rising and values != sorted(values):
            raise ValueError("should be numbers that do not fall")
        if falling and values != sorted(values, reverse=True):
            raise ValueError("should be numbers that do not rise")
        return words

    return AfterValidator(check)


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Shares = Annotated[tuple[Word, ...], Field(min_length=LEVELS, max_length=LEVELS), _numbers(0, 1)]
Speeds = Annotated[tuple[Word, ...], Field(min_length=LEVELS, max_length=LEVELS), _numbers(1, 200)]
Bounds = Annotated[tuple[Word, ...], Field(min_length=LEVELS, max_length=LEVELS), _numbers(0, 100, rising=True)]
Rising = Annotated[tuple[Word, ...], Field(min_length=LEVELS, max_length=LEVELS), _numbers(1e-3, 1e3, rising=True)]
Falling = Annotated[tuple[Word, ...], Field(min_length=LEVELS, max_length=LEVELS), _numbers(0, 1e3, falling=True)]


class HazardParams(Sourced):
    """Which streets a hazard does not reach."""

    bridge_exempt: bool = Field(description="Whether bridges are out of the hazard's reach.")
    tunnel_exempt: bool = Field(description="Whether tunnels are out of the hazard's reach.")


class FloodParams(HazardParams):
    """What water does to people and vehicles."""

    subject = "flood"
    curve_square: float = Field(
        ge=0, le=0.1, description="Speed of vehicles by depth: factor of the squared depth, km/h per mm²."
    )
    curve_linear: float = Field(
        ge=-10, le=0, description="Speed of vehicles by depth: factor of the depth, km/h per mm."
    )
    curve_dry_kmh: float = Field(gt=0, le=200, description="Speed of vehicles in the shallowest water, km/h.")
    curve_end_m: float = Field(
        gt=0, le=2, description="Depth at which the curve ends, metres; stretched to the depth that closes a vehicle."
    )
    film_m: float = Field(
        ge=0, le=1, description="Depth up to which moving water is a film that closes nothing, metres."
    )
    class_depth_m: Bounds = Field(description="Largest depth of classes H1 to H5, metres; beyond is H6.")
    class_velocity_ms: Bounds = Field(description="Largest velocity of classes H1 to H5, m/s; beyond is H6.")
    class_product_m2s: Bounds = Field(description="Largest depth times velocity of classes H1 to H5, m²/s.")


class LevelParams(HazardParams):
    """What a hazard given in levels does to people and vehicles."""

    walk_factors: Shares = Field(description="Share of the walking speed left at levels 1 to 5; 0 closes the street.")
    drive_factors: Shares = Field(description="Share of the driving speed left at levels 1 to 5; 0 closes the street.")

    def left(self, level: Floats, *, family: Family) -> Floats:
        """The share of the speed that is left, shape of ``level``; 1 where the level is 0 or not known (NaN)."""
        return by_level(level, self.walk_factors if family == "walk" else self.drive_factors, none=1.0)


class FireHazardParams(LevelParams):
    """Fire and its smoke."""

    subject = "fire_hazard"


class LandslideParams(LevelParams):
    """Landslides."""

    subject = "landslide"


class DebrisParams(LevelParams):
    """Rubble of buildings and what a debris flow leaves."""

    subject = "debris"


class SandParams(LevelParams):
    """Wind-blown sand and dust, by visibility."""

    subject = "sand"
    drive_kmh: Speeds = Field(description="Fastest safe driving at levels 1 to 5, km/h.")

    def cap_kmh(self, level: Floats) -> Floats:
        """The fastest safe driving, km/h, shape of ``level``; infinity where the level is 0 or not known (NaN)."""
        return by_level(level, self.drive_kmh, none=np.inf)


class WindParams(HazardParams):
    """What wind does to people and vehicles, by its mean speed."""

    subject = "wind"
    walk_slow_ms: float = Field(gt=0, le=100, description="Wind from which people walk slower, metres per second.")
    walk_slow_factor: float = Field(gt=0, le=1, description="Speed in that wind as a share of the walking speed.")
    walk_close_ms: float = Field(gt=0, le=100, description="Wind from which nobody walks, metres per second.")
    drive_slow_ms: float = Field(gt=0, le=100, description="Wind from which vehicles drive slower, metres per second.")
    drive_slow_kmh: float = Field(ge=1, le=200, description="Fastest safe driving in that wind, km/h.")
    drive_close_ms: float = Field(gt=0, le=100, description="Wind from which nobody drives, metres per second.")
    high_close_ms: float = Field(gt=0, le=100, description="Wind that stops high vehicles, metres per second.")
    high_from_m: float = Field(gt=0, le=10, description="Height from which a vehicle counts as high, metres.")


class LevelTables(Sourced):
    """Where levels 1 to 5 of each measured hazard begin; hazards that come as levels need no table."""

    subject = "levels"
    flood: Rising = Field(description="Depth of flood water from which levels 1 to 5 hold, metres.")
    flood_velocity: Rising = Field(description="Velocity of flood water from which levels 1 to 5 hold, m/s.")
    flood_duration: Rising = Field(description="Time under water from which levels 1 to 5 hold, hours.")
    flood_arrival: Falling = Field(description="Time until the water comes, down from which levels 1 to 5 hold, hours.")
    wind: Rising = Field(description="Mean speed of the wind from which levels 1 to 5 hold, m/s.")
    earthquake: Rising = Field(description="Seismic intensity from which levels 1 to 5 hold, degrees.")
    earthquake_pga: Rising = Field(description="Peak ground acceleration from which levels 1 to 5 hold, g (a number).")
    collapse: Rising = Field(description="Share of collapsed buildings from which levels 1 to 5 hold, 0-1.")
    tsunami: Rising = Field(description="Depth of a tsunami on land from which levels 1 to 5 hold, metres.")
    storm_surge: Rising = Field(description="Depth of a storm surge on land from which levels 1 to 5 hold, metres.")


class SlopeParams(Sourced):
    """Walking speed by slope: Tobler's function relative to the level."""

    subject = "slope"
    steepness: float = Field(ge=0, le=20, description="How fast speed falls with slope (dimensionless).")
    best_descent: float = Field(ge=0, le=1, description="Descent at which walking is fastest, rise per length (share).")
    most: float = Field(ge=1, le=2, description="Largest gain downhill, as a factor of the speed on the level.")


def by_level(level: Floats, words: Sequence[str], *, none: float) -> Floats:
    """What each level stands for; a level between two counts as the worse, ``none`` where it is 0 or NaN."""
    values = np.array([none, *map(float, words)])
    return np.asarray(values[np.ceil(np.clip(np.nan_to_num(level), 0, LEVELS)).astype(np.int64)])


def water_speed_kmh(depth_m: Floats, *, close_m: float, params: FloodParams) -> Floats:
    """The fastest safe driving in water, km/h, shape of ``depth_m``; infinity where dry or not known (NaN).

    Pregnolato et al. 2017 for cars; for a vehicle that closes at another depth than the curve's end the curve is
    stretched to it. What is deeper than ``close_m`` (metres) is closed and has the speed of that depth.
    """
    speed, wet = np.full(np.shape(depth_m), np.inf), depth_m > 0
    share = np.minimum(depth_m[wet] / close_m, 1.0) if close_m > 0 else np.ones(np.count_nonzero(wet))
    w_mm = share * params.curve_end_m * MM
    curve = params.curve_square * w_mm * w_mm + params.curve_linear * w_mm + params.curve_dry_kmh
    speed[wet] = np.maximum(curve, SLOWEST_KMH)
    return speed


def hazard_class(depth_m: Floats, velocity_ms: Floats, *, params: FloodParams) -> Ints:
    """The flood hazard class 1-6 (H1-H6): the worst by depth, velocity and their product; shape of the inputs.

    0 where depth and velocity are not known (NaN); what one of them alone says where the other is not. Dry ground
    (depth 0) is 0 whatever the velocity.
    """
    by_depth, by_flow = _bin(depth_m, params.class_depth_m), flow_class(depth_m, velocity_ms, params=params)
    return np.where(depth_m == 0, 0, np.maximum(by_depth, by_flow))


def flow_class(depth_m: Floats, velocity_ms: Floats, *, params: FloodParams) -> Ints:
    """The class by velocity and by depth times velocity alone: what moving water adds to the depth."""
    by_velocity = _bin(velocity_ms, params.class_velocity_ms)
    return np.maximum(by_velocity, _bin(np.round(depth_m * velocity_ms, 5), params.class_product_m2s))


def _bin(value: Floats, bounds: Sequence[str]) -> Ints:
    """1 up to the first bound (included), one more beyond each; 0 for NaN. Bounds repeat: 2 m/s ends H1 to H4."""
    found = np.searchsorted(np.array([float(word) for word in bounds]), value, side="left") + 1
    return np.where(np.isnan(value), 0, found).astype(np.int64)


def slope_factor(slope: Floats, *, params: SlopeParams) -> Floats:
    """Speed on a slope (rise per length, uphill positive) relative to the level; 1 where not known (NaN).

    W. Tobler: 6 exp(-3.5 |S + 0.05|) km/h, divided by its value on the level, at most ``most``.
    """
    away = np.abs(slope + params.best_descent) - params.best_descent
    return np.where(np.isnan(slope), 1.0, np.minimum(np.exp(-params.steepness * away), params.most))
