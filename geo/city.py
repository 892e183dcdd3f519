"""What is known of a city, the scenarios it is asked about, and every number a planner may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import shapely
from pydantic import Field

from geo.communities import CommunityParams
from geo.evacuation import WalkParams
from geo.hazards import ExposureParams, Grid, Hazard
from geo.lattice import LatticeParams
from geo.network import Ways
from geo.outline import OutlineParams
from geo.population import PopulationParams
from geo.profiles import (
    AmbulanceParams,
    CarParams,
    ElderlyParams,
    FireEngineParams,
    Rules,
    StrollerParams,
    WheelchairParams,
)
from geo.reasons import Sentence
from geo.services import (
    CircleParams,
    EverydayParams,
    FireParams,
    MedicalParams,
    PoliceParams,
    SuppliesParams,
)
from geo.setbacks import SetbackParams
from geo.shelters import ShelterParams
from geo.summary import StatusParams

SERVICES = ("fire", "medical", "police", "supplies")
"""Parts of the parameters that are services."""


@dataclass(frozen=True)
class City:
    """What is known of a place: checked tables in one metric CRS, and hazards in their own.

    ``communities`` and ``demand`` are None when nobody gave them: they are then made from boundaries and buildings.
    ``ways`` are None where nobody has any and a lattice is to be made. ``outline`` is the study's, None without one.
    ``notes`` are what the loaders found worth saying. ``elevation`` are heights in metres, None when nobody gave them.
    """

    crs: str
    ways: Ways | None
    buildings: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    shelters: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame | None = None
    demand: gpd.GeoDataFrame | None = None
    hazards: Mapping[str, Hazard] = field(default_factory=dict)
    notes: tuple[Sentence, ...] = ()
    elevation: Grid | None = None
    outline: shapely.Geometry | None = None


@dataclass(frozen=True)
class Scenario:
    """A state of the city and the hazards in force; no hazard is an ordinary day."""

    scenario_id: str
    state: str = "normal"
    hazards: tuple[str, ...] = ()


class PlanParams(Rules):
    """Every number a planner may change, by part."""

    walk: WalkParams = Field(description="How adults walk, and how far is too far.")
    elderly: ElderlyParams = Field(description="How elderly people walk.")
    stroller: StrollerParams = Field(description="How people with a stroller walk.")
    wheelchair: WheelchairParams = Field(description="How people in a wheelchair move.")
    car: CarParams = Field(description="What a car is and may do.")
    fire_engine: FireEngineParams = Field(description="What a fire engine is and may do.")
    ambulance: AmbulanceParams = Field(description="What an ambulance is and may do.")
    shelter: ShelterParams = Field(description="What counts as a shelter.")
    population: PopulationParams = Field(description="How people are estimated from buildings.")
    community: CommunityParams = Field(description="How communities are chosen where none are given.")
    lattice: LatticeParams = Field(description="How streets are made where nobody has any.")
    exposure: ExposureParams = Field(description="What counts as touched by a hazard.")
    fire: FireParams = Field(description="What counts as reached by a fire engine.")
    medical: MedicalParams = Field(description="What counts as reached by an ambulance.")
    police: PoliceParams = Field(description="What counts as reached by the police.")
    supplies: SuppliesParams = Field(description="What counts as supplied.")
    everyday: EverydayParams = Field(description="What the 15-minute circle must hold.")
    circle: CircleParams = Field(description="How circles are counted.")
    outline: OutlineParams = Field(description="How circles are drawn.")
    setback: SetbackParams = Field(description="What the city keeps its distance from.")
    status: StatusParams = Field(description="When a community counts as good, to be watched or bad.")
