"""What is known of a city, the scenarios it is asked about, and every number a planner may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import shapely
from pydantic import Field

from geo.clearance import ClearanceParams
from geo.communities import CommunityParams
from geo.composite import CompositeParams
from geo.costs import CureParams
from geo.critical import CriticalParams
from geo.delivery import DeliveryParams
from geo.departures import DepartureParams
from geo.depots import StockParams
from geo.derived import DerivedParams
from geo.displaced import DisplacedParams
from geo.evacuation import WalkParams
from geo.fire_lanes import AccessParams
from geo.goods import GoodsParams
from geo.grids import GridParams
from geo.ground import SiteParams
from geo.groups import GroupParams
from geo.hazards import ExposureParams, Grid, Hazard
from geo.lattice import LatticeParams
from geo.lifelines import LifelineParams
from geo.needs import NeedsParams
from geo.network import Ways
from geo.outline import OutlineParams
from geo.paths import LegParams
from geo.population import PopulationParams, Time
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
from geo.refuge import RefugeParams
from geo.regions import RegionParams
from geo.reserve import ReserveParams
from geo.retreat import RetreatParams
from geo.rubble import RubbleParams
from geo.rules import NO_RULES
from geo.rules import Rules as SetbackRules
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
from geo.siting import SitingParams
from geo.steep import SteepParams
from geo.suitability import SuitabilityParams
from geo.summary import StatusParams
from geo.thresholds import SensitivityParams
from geo.tiers import TierParams
from geo.tradeoffs import RouteParams
from geo.trunk_roads import CorridorParams
from geo.uses import UseParams
from geo.widths import WidthParams
from geo.zoning import ZoningParams

SERVICES = ("fire", "medical", "police", "supplies")
"""Parts of the parameters that are services."""


@dataclass(frozen=True)
class City:
    """What is known of a place: checked tables in one metric CRS, and hazards in their own.

    ``communities`` are None and ``people`` empty when nobody gave them: they are then made from boundaries and
    buildings. ``people`` are tables of people by the time they are there (``day``, ``night``), None: at any time.
    ``derived`` are hazards to be made of the map: layer id -> one of ``geo.derived.KINDS``. ``ways`` are None where
    nobody has any and a lattice is to be made. ``outline`` is the study's, None without one. ``notes`` are what the
    loaders found worth saying, ``hazard_notes`` what they did of each hazard, by layer id: told where it is in force.
    ``elevation`` are heights in metres, None when nobody gave them. ``rules`` are the rules of distance, ``sources``
    (SOURCES) what a planner gives for them alone.
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
    people: Mapping[str | None, gpd.GeoDataFrame] = field(default_factory=dict)
    hazards: Mapping[str, Hazard] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Sentence, ...] = ()
    hazard_notes: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)
    elevation: Grid | None = None
    lots: gpd.GeoDataFrame | None = None
    supplies: gpd.GeoDataFrame | None = None
    sources: gpd.GeoDataFrame | None = None
    rules: SetbackRules = NO_RULES
    outline: shapely.Polygon | shapely.MultiPolygon | None = None


@dataclass(frozen=True)
class Scenario:
    """A state of the city and the hazards in force; no hazard is an ordinary day."""

    scenario_id: str
    state: str = "normal"
    hazards: tuple[str, ...] = ()
    time: Time = "night"


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
    tiers: TierParams = Field(description="What is asked of shelters by their tier.")
    site: SiteParams = Field(description="What of a site can be used.")
    refuge: RefugeParams = Field(description="How people are led to shelters.")
    route: RouteParams = Field(description="Which ways to shelter are shown.")
    path: LegParams = Field(description="How a way is told turn by turn.")
    population: PopulationParams = Field(description="How people are estimated from buildings.")
    groups: GroupParams = Field(description="What is assumed of groups of people that nobody counted.")
    displaced: DisplacedParams = Field(description="Who needs a shelter in which hazard.")
    widths: WidthParams = Field(description="How wide streets are for people, and how many pass.")
    clearance: ClearanceParams = Field(description="How people set out, and how gates let them in.")
    departures: DepartureParams = Field(description="When a street closes between two hours that are known.")
    critical: CriticalParams = Field(description="How streets are ranked by what their loss costs.")
    community: CommunityParams = Field(description="How communities are chosen where none are given.")
    grids: GridParams = Field(description="How ground without communities is divided into cells.")
    lattice: LatticeParams = Field(description="How streets are made where nobody has any.")
    exposure: ExposureParams = Field(description="What counts as touched by a hazard.")
    composite: CompositeParams = Field(description="How several hazards are told as one level.")
    derived: DerivedParams = Field(description="What hazards made from the map are worth in levels.")
    fire: FireParams = Field(description="What counts as reached by a fire engine.")
    medical: MedicalParams = Field(description="What counts as reached by an ambulance.")
    police: PoliceParams = Field(description="What counts as reached by the police.")
    supplies: SuppliesParams = Field(description="What counts as supplied.")
    everyday: EverydayParams = Field(description="What the 15-minute circle must hold.")
    circle: CircleParams = Field(description="How circles are counted.")
    outline: OutlineParams = Field(description="How circles are drawn.")
    setback: SetbackParams = Field(description="How rules of distance are asked.")
    steep: SteepParams = Field(description="What counts as a steep slope.")
    zoning: ZoningParams = Field(description="What of the rules' ground becomes yield, protect and refuge.")
    corridor: CorridorParams = Field(description="Which streets are trunk roads, and how wide ways are kept clear.")
    lifelines: LifelineParams = Field(description="Which streets become emergency corridors, and what that costs.")
    retreat: RetreatParams = Field(description="What moves away first.")
    uses: UseParams = Field(description="What stands or is planned, as rules of distance tell it apart.")
    rubble: RubbleParams = Field(description="How far collapsing buildings throw rubble into streets.")
    access: AccessParams = Field(description="What a fire engine needs to reach buildings and shelters.")
    regions: RegionParams = Field(description="What bounds a region of the city, and how small one may be.")
    reserve: ReserveParams = Field(description="How much open land is reserved in every region, and which.")
    needs: NeedsParams = Field(description="What people in shelters need.")
    goods: GoodsParams = Field(description="What the words and units of a supply register mean.")
    stock: StockParams = Field(description="What of the stock counts, and what it must cover.")
    delivery: DeliveryParams = Field(description="How stock is carried to the shelters.")
    cures: CureParams = Field(description="Which changes are proposed, and what they cost.")
    suitability: SuitabilityParams = Field(description="How well a place suits to be turned into a shelter.")
    siting: SitingParams = Field(description="Which places are turned into shelters, in what phases.")
    status: StatusParams = Field(description="When a community counts as good, to be watched or bad.")
    sensitivity: SensitivityParams = Field(description="By how much thresholds are moved to see what hangs on them.")
