"""Who moves: people on foot and vehicles, their speeds, sizes and rights, as data with sources.

A profile says what is its own; ``Rules`` holds what all share: the time of day, driving speeds by class of street,
ground, slope, and what each kind of hazard does. All numbers come from data/standards, under the name of the part.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from geo.conditions import Moment, moment
from geo.curves import (
    DebrisParams,
    Family,
    FireHazardParams,
    FloodParams,
    LandslideParams,
    LevelTables,
    SandParams,
    SlopeParams,
    Sourced,
    WindParams,
    Word,
)
from geo.standards import Standards

Words = tuple[Word, ...]
ANY_TIME = "any"
"""The time of day when nobody said one: restrictions by the hour do not bind."""


class ProfileParams(Sourced):
    """What every profile has."""

    family: ClassVar[Family]
    on_wheels: ClassVar[bool] = True

    close_depth_m: float = Field(ge=0, le=5, description="Water depth that closes a street, metres.")
    close_class: float = Field(
        ge=0, le=6, description="Highest flood hazard class (number of H1 to H6, by moving water) that is passed."
    )
    rough_factor: float = Field(ge=0, le=1, description="Speed on rough ground as a share of the speed on firm ground.")
    soft_factor: float = Field(ge=0, le=1, description="Speed on soft ground as a share; 0: not passable.")


class WalkerParams(ProfileParams):
    """How somebody on foot moves."""

    family = "walk"
    on_wheels = False

    speed_ms: float = Field(gt=0, le=3, description="Walking speed on the level, metres per second.")
    stairs_factor: float = Field(
        ge=0, le=1, description="Speed on steps as a share of the speed on the level; 0: not passable."
    )
    close_depth_m: float = Field(
        ge=0, le=5, description="Water depth above which a street is closed to walkers, metres."
    )
    night_factor: float = Field(gt=0, le=1, description="Speed at night as a share of the speed by day.")


class ElderlyParams(WalkerParams):
    """An elderly person on foot."""

    subject = "elderly"


class WheeledWalkerParams(WalkerParams):
    """Somebody on foot with wheels."""

    on_wheels = True
    ramp_key: ClassVar[str]

    max_incline: float = Field(gt=0, le=1, description="Steepest passable incline, rise per length (share).")
    kerbs: Words = Field(description="Kerbs that stop it (values of OSM kerb).")
    barriers: Words = Field(description="Barriers that stop it (OSM barrier), beside those that stop everybody.")


class StrollerParams(WheeledWalkerParams):
    """Somebody with a stroller."""

    subject = "stroller"
    ramp_key = "ramp:stroller"


class WheelchairParams(WheeledWalkerParams):
    """Somebody in a wheelchair."""

    subject = "wheelchair"
    ramp_key = "ramp:wheelchair"


class VehicleParams(ProfileParams):
    """What a vehicle is and may do."""

    family = "drive"

    speed_factor: float = Field(gt=0, le=2, description="Speed as a share of what others drive on an empty street.")
    max_kmh: float = Field(gt=0, le=200, description="Fastest the vehicle drives, km/h.")
    width_m: float = Field(gt=0, le=5, description="Width of the vehicle, metres.")
    height_m: float = Field(gt=0, le=6, description="Height of the vehicle, metres.")
    weight_t: float = Field(gt=0, le=80, description="Weight of the vehicle, tonnes (1 000 kg; a number).")
    highways: Words = Field(description="Classes of street open to it when nothing else is said (OSM highway).")
    keys: Words = Field(description="Access keys that bind it, the most specific first (OSM access hierarchy).")
    forbids: Words = Field(description="Values of those keys that close a street to it.")
    barriers: Words = Field(description="Barriers that stop it (values of OSM barrier).")
    opens_locks: bool = Field(description="Whether it gets through locked gates.")
    oneway: bool = Field(description="Whether one-way streets bind it; motorways and roundabouts always do.")
    turns: bool = Field(description="Whether turn restrictions bind it.")
    junction_s: float = Field(ge=0, le=120, description="Time lost at each junction, seconds.")


class CarParams(VehicleParams):
    """A private car."""

    subject = "car"


class FireEngineParams(VehicleParams):
    """A fire engine on its way to a fire."""

    subject = "fire_engine"


class AmbulanceParams(VehicleParams):
    """An ambulance on its way to a patient."""

    subject = "ambulance"


def _moment_or_any(text: str) -> str:
    if text != ANY_TIME:
        try:
            moment(text)
        except ValueError:
            raise ValueError("should be a weekday and a time such as Mo 08:30, or any") from None
    return text


class TimeParams(Sourced):
    """When everybody moves."""

    subject = "time"
    night: bool = Field(description="Whether it is night: people walk slower.")
    clock: Annotated[str, AfterValidator(_moment_or_any)] = Field(
        description="Weekday and time such as Mo 08:30, for restrictions by the hour; any: they do not bind."
    )

    @property
    def moment(self) -> Moment | None:
        """The time of day, or None where nobody said one."""
        return None if self.clock == ANY_TIME else moment(self.clock)


def _limits(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        name, _, kmh = word.partition("=")
        if not (name.strip() and kmh.strip().replace(".", "", 1).isdecimal() and float(kmh) > 0):
            raise ValueError("should be words with a speed each, such as nl:rural=80")
    return words


class DriveParams(Sourced):
    """How fast vehicles drive on empty streets by class (OSM highway), where no limit is recorded, and with one."""

    subject = "drive"
    motorway_kmh: float = Field(gt=0, le=200, description="Driving speed on motorways, km/h.")
    trunk_kmh: float = Field(gt=0, le=200, description="Driving speed on trunk roads, km/h.")
    primary_kmh: float = Field(gt=0, le=200, description="Driving speed on primary streets, km/h.")
    secondary_kmh: float = Field(gt=0, le=200, description="Driving speed on secondary streets, km/h.")
    tertiary_kmh: float = Field(gt=0, le=200, description="Driving speed on tertiary streets, km/h.")
    unclassified_kmh: float = Field(gt=0, le=200, description="Driving speed on minor streets, km/h.")
    residential_kmh: float = Field(gt=0, le=200, description="Driving speed on residential streets, km/h.")
    living_street_kmh: float = Field(gt=0, le=200, description="Driving speed in living streets, km/h.")
    service_kmh: float = Field(gt=0, le=200, description="Driving speed on service ways and in yards, km/h.")
    track_kmh: float = Field(gt=0, le=200, description="Driving speed on tracks, km/h.")
    foot_kmh: float = Field(gt=0, le=200, description="Driving speed where people walk: pedestrian streets, km/h.")
    other_kmh: float = Field(gt=0, le=200, description="Driving speed on streets of any other class, km/h.")
    link_factor: float = Field(gt=0, le=1, description="Speed on slip roads as a share of their class.")
    limit_factor: float = Field(gt=0, le=1, description="Speed driven where a limit is recorded, as a share of it.")
    limits: Annotated[Words, AfterValidator(_limits)] = Field(
        description="What words in speed limits stand for, each as name=km/h, e.g. nl:rural=80."
    )

    @property
    def limits_kmh(self) -> dict[str, float]:
        """The words of speed limits in lower case and what they stand for, km/h."""
        pairs = (word.partition("=") for word in self.limits)
        return {name.strip().lower(): float(value) for name, _, value in pairs}


class GroundParams(Sourced):
    """Which ground is rough and which is soft: loose, deep or broken."""

    subject = "ground"
    rough_surfaces: Words = Field(description="Surfaces that are rough (values of OSM surface).")
    soft_surfaces: Words = Field(description="Surfaces that are soft (values of OSM surface).")
    rough_smoothness: Words = Field(description="Smoothness that is rough (values of OSM smoothness).")
    soft_smoothness: Words = Field(description="Smoothness as bad as soft ground (values of OSM smoothness).")
    impassable_smoothness: Words = Field(description="Smoothness that stops everything on wheels.")
    soft_tracks: Words = Field(description="Track types that are soft ground (values of OSM tracktype).")


class Rules(BaseModel):
    """What all profiles share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: TimeParams = Field(description="When everybody moves.")
    drive: DriveParams = Field(description="How fast vehicles drive by class of street.")
    ground: GroundParams = Field(description="Which ground is rough or soft.")
    slope: SlopeParams = Field(description="Walking speed by slope.")
    flood: FloodParams = Field(description="What water does to streets.")
    fire_hazard: FireHazardParams = Field(description="What fire does to streets.")
    landslide: LandslideParams = Field(description="What landslides do to streets.")
    debris: DebrisParams = Field(description="What rubble and debris do to streets.")
    sand: SandParams = Field(description="What wind-blown sand does to streets.")
    wind: WindParams = Field(description="What wind does to streets.")
    levels: LevelTables = Field(description="Where the levels of measured hazards begin.")

    @classmethod
    def of(cls, standards: Standards) -> Self:
        """The defaults as the standards give them."""
        return cls.model_validate({name: info.annotation.of(standards) for name, info in cls.model_fields.items()})  # type: ignore[union-attr]
