"""The models of a site check over HTTP: what is asked of a place, and what is answered."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from app.schemas import (
    EDITS_MAX,
    PEOPLE_MAX,
    Asked,
    FeatureOut,
    Geometry,
    Id,
    Lat,
    Lon,
    MultiPolygonIn,
    PolygonIn,
    Position,
)

LOTS_MAX = 100_000
"""No collection is read beyond this; what may be asked is a setting."""
METRES_MAX = 2000
DEGREES = re.compile(r"CRS84|EPSG:+(?:[\d.]*:)?4326\b")
"""What the old member ``crs`` of GeoJSON says of longitude and latitude."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Number = Annotated[float, Field(ge=0, le=PEOPLE_MAX, allow_inf_nan=False)]


class PointIn(Asked):
    """A GeoJSON point."""

    type: Literal["Point"] = Field(description="Point.")
    coordinates: Position = Field(description="Longitude, latitude (degrees, WGS 84).")


class LineIn(Asked):
    """A GeoJSON line: a road, a pipeline."""

    type: Literal["LineString"] = Field(description="LineString.")
    coordinates: Annotated[list[Position], Field(min_length=2, max_length=EDITS_MAX)] = Field(
        description="Positions of longitude, latitude (degrees, WGS 84)."
    )


Place = Annotated[PointIn | LineIn | PolygonIn | MultiPolygonIn, Field(discriminator="type")]


class PlannedIn(Asked):
    """What is to be built; without anything it is an ordinary dwelling of class C (丙)."""

    use: Word | None = Field(
        default=None, description="What it is for, in English or Chinese: hospital, 医院, park, … (a lot: its own use)."
    )
    class_: Annotated[str, StringConstraints(max_length=10)] | None = Field(
        default=None,
        alias="class",
        description="Its class by GB 50223: A to D or 甲, 乙, 丙, 丁 (default: by its use).",
    )
    people: Number | None = Field(default=None, description="People in it (people).")
    beds: Number | None = Field(default=None, description="Beds in it (count).")
    height_m: Annotated[float, Field(ge=0, le=METRES_MAX, allow_inf_nan=False)] | None = Field(
        default=None, description="Its height (metres)."
    )


class SiteCheckIn(PlannedIn):
    """One place: ``geometry``, or ``lon`` and ``lat``, or ``lot_id`` of the study's lots; and what is planned there."""

    type: Literal["SiteCheck"] = Field(default="SiteCheck", description="SiteCheck; may be left out.")
    geometry: Place | None = Field(default=None, description="The lot: a GeoJSON geometry (degrees, WGS 84).")
    lon: Lon | None = Field(default=None, description="Longitude of a point (degrees, WGS 84).")
    lat: Lat | None = Field(default=None, description="Latitude of a point (degrees, WGS 84).")
    lot_id: Id | None = Field(default=None, description="Id of one of the study's lots.")
    snippet: bool = Field(default=True, description="Whether a map of the place comes along (yes or no).")
    features: bool = Field(default=False, description="Whether what is on it comes as GeoJSON too (yes or no).")
    language: Literal["zh", "en"] = Field(default="zh", description="Language of the map's words: zh or en.")

    @model_validator(mode="after")
    def _one_place(self) -> SiteCheckIn:
        given = (self.geometry is not None, self.lon is not None or self.lat is not None, self.lot_id is not None)
        if sum(given) != 1 or (self.lon is None) != (self.lat is None):
            raise ValueError("should be one place: geometry, or lon and lat, or lot_id")
        return self


class LotIn(Asked):
    """One lot of a collection; its properties may say what is planned there (use, class, people, beds, height_m)."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["Feature"] = Field(description="Feature.")
    id: JsonValue = Field(default=None, description="Its id; comes back as it is.")
    geometry: Place = Field(description="The lot (degrees, WGS 84).")
    properties: dict[str, JsonValue] | None = Field(
        default=None, description="Its properties; they come back as they are, beside the verdict."
    )


class LotsIn(Asked):
    """Many lots: a GeoJSON FeatureCollection."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["FeatureCollection"] = Field(description="FeatureCollection.")
    features: Annotated[list[LotIn], Field(min_length=1, max_length=LOTS_MAX)] = Field(description="The lots.")
    planned: PlannedIn | None = Field(
        default=None, description="What is planned on every lot whose own properties do not say."
    )
    crs: JsonValue = Field(
        default=None, description="None, or the old member that says CRS84; coordinates are degrees."
    )

    @field_validator("crs")
    @classmethod
    def _in_degrees(cls, crs: JsonValue) -> JsonValue:
        if crs is not None and not DEGREES.search(str(crs)):
            raise ValueError("should be CRS84: send longitude, latitude (degrees, WGS 84)")
        return crs


def one_or_many(body: Any) -> str:
    """Which of the two a body is."""
    kind = body.get("type") if isinstance(body, dict) else getattr(body, "type", None)
    return "lots" if kind == "FeatureCollection" else "place"


AskedOf = Annotated[Annotated[SiteCheckIn, Tag("place")] | Annotated[LotsIn, Tag("lots")], Discriminator(one_or_many)]
"""One place, or many lots."""


class SharesOut(Asked):
    """Shares of a lot in each zone, each beyond the stronger ones."""

    let: float = Field(description="In ground to yield, 让 (share 0-1).")
    avoid: float = Field(description="In places of refuge, 避 (share 0-1).")
    prevent: float = Field(description="In ground to protect, 防 (share 0-1).")


class RuleOut(Asked):
    """One rule against the place."""

    rule_id: str = Field(description="Id of the rule.")
    standing: str = Field(
        description="broken, touched (too near by less of the place than counts), kept, not_known (the study has no "
        "data of its sources), nothing_near or not_for_it."
    )
    zone: str = Field(description="What it makes of ground: let, prevent or avoid.")
    en: str = Field(description="What it is.")
    zh: str = Field(description="The same in Chinese.")
    source_id: str | None = Field(description="Id of the nearest source.")
    source_name_en: str | None = Field(description="Its name in English, else as locals write it.")
    source_name_zh: str | None = Field(description="The same in Chinese.")
    distance_m: float | None = Field(description="How far the nearest source is (metres); 0: the place lies on it.")
    required_m: float | None = Field(description="How far it should be (metres).")
    share: float = Field(description="Share of the place in the rule's ground (0-1); 0 where it does not count.")
    standard: str = Field(description="The standard the rule is from.")
    clause: str = Field(description="Its clause.")
    grade: str = Field(description="How sure the number is: V, V2, M, C or P.")


class GroundOut(Asked):
    """What is known of the ground."""

    level: float | None = Field(description="Worst level of all hazards together (number 0-5); none: not known.")
    unknown_share: float = Field(description="Share of the place of which no hazard tells (0-1).")
    community_id: str | None = Field(description="Community it lies in; none outside all.")
    community_name: str | None = Field(description="Its name.")
    community_name_zh: str | None = Field(description="Its Chinese name.")


class PlannedOut(Asked):
    """What the verdict is for."""

    use: str | None = Field(description="The use, in our words; none: an ordinary dwelling.")
    class_: str | None = Field(alias="class", description="Class A to D (GB 50223); none for open ground.")
    people: float | None = Field(description="People in it (people).")
    beds: float | None = Field(description="Beds in it (count).")
    height_m: float | None = Field(description="Its height (metres).")
    tags: list[str] = Field(description="What rules see in it: building, dwelling, important, shelter, open, class_…")


class FeaturesOut(Asked):
    """What is on the map, as GeoJSON."""

    type: Literal["FeatureCollection"] = Field(description="FeatureCollection.")
    features: list[FeatureOut] = Field(description="The lot (part: lot), zones (zone) and nearest sources (source).")


class SiteCheckOut(Asked):
    """The verdict for one place."""

    study_id: str = Field(description="Id of the study.")
    verdict: str = Field(description="let (让 yield), prevent (防 protect), avoid (避 refuge) or none.")
    verdict_en: str = Field(description="The verdict in words.")
    verdict_zh: str = Field(description="The same in Chinese.")
    said_en: str = Field(description="The verdict with its reasons in one sentence.")
    said_zh: str = Field(description="The same in Chinese.")
    shares: SharesOut = Field(description="How much of the place lies in which zone.")
    planned: PlannedOut = Field(description="What the verdict is for.")
    lot_id: str | None = Field(description="Id of the study's lot that was asked about.")
    geometry: Geometry = Field(description="The place.")
    area_m2: float = Field(description="Its area (square metres); 0 for a point or line.")
    ground: GroundOut = Field(description="What is known of the ground.")
    rules: list[RuleOut] = Field(description="Every rule, those that are broken first.")
    snippet: str | None = Field(description="A map of the place as SVG.")
    features: FeaturesOut | None = Field(description="What is on the map as GeoJSON.")
    attribution: list[str] = Field(description="Whom to name when this is shown.")


class LotsOut(Asked):
    """The lots as they were sent, each with its verdict."""

    type: Literal["FeatureCollection"] = Field(description="FeatureCollection.")
    study_id: str = Field(description="Id of the study.")
    counts: dict[str, int] = Field(description="Lots of each verdict (count); refused: those that could not be judged.")
    features: list[FeatureOut] = Field(
        description="The lots with verdict, let_share, avoid_share, prevent_share (0-1), rules, reason_en, reason_zh; "
        "problem (a code), problem_en and problem_zh where one could not be judged."
    )
    attribution: list[str] = Field(description="Whom to name when this is shown.")
