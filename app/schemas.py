"""The models of what goes out over HTTP, and of what comes in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator


class FaultModel(BaseModel):
    """One thing that is wrong."""

    expected: str = Field(description="What was expected.")
    found: str = Field(description="What was found instead.")
    where: str = Field(description="File, table, column, parameter or place.")
    fix: str = Field(description="What to do about it.")


class Problem(BaseModel):
    """A problem document (RFC 9457, media type application/problem+json)."""

    type: str = Field(default="about:blank", description="Kind of problem; `code` is what to branch on.")
    title: str = Field(description="What kind of thing went wrong, in the reader's language.")
    status: int = Field(description="HTTP status (number).")
    detail: str = Field(description="What went wrong this time.")
    instance: str = Field(description="The path that was asked for.")
    code: str = Field(description="Stable code of the kind of problem.")
    faults: list[FaultModel] = Field(default=[], description="Every fault found, not only the first.")


class Health(BaseModel):
    """Whether the process answers."""

    status: str = Field(description="Always `ok`: a process that is not does not answer.")
    version: str = Field(description="Version of Renxing.")


class ReadyPart(BaseModel):
    """A part of the service that requests or jobs need."""

    part: str = Field(description="workspace, register, disk or workers; service, when it was told to end.")
    ok: bool = Field(description="Whether it is as it should be.")
    said: str = Field(description="How it is.")


class Ready(BaseModel):
    """Whether the service can do its work."""

    status: str = Field(description="`ready`.")
    parts: list[ReadyPart] = Field(description="Every part that was looked at.")


class Limit(BaseModel):
    """A limit of this server."""

    name: str = Field(
        description="Its name; unless it is fixed, the variable that sets it is RENXING_ and this name in capitals."
    )
    value: int = Field(description="The limit, in the unit the description names.")
    code: str | None = Field(description="Code of the refusal beyond it; none where nothing is refused.")
    description: str = Field(description="What is limited, and its unit.")


class Limits(BaseModel):
    """Every limit on what may be asked."""

    limits: list[Limit] = Field(description="The limits, by name.")


class LayerIn(BaseModel):
    """An input of a study."""

    layer_id: str = Field(description="Id of the layer.")
    kind: str = Field(
        description="What it is: osm, streets, hazard, elevation, communities, population, shelters, facilities or "
        "buildings."
    )
    sha256: str = Field(description="SHA-256 of the file (hex).")
    source: str | None = Field(description="Where it comes from.")
    licence: str | None = Field(description="Licence, as an SPDX identifier where there is one.")
    attribution: str | None = Field(description="Whom to name when it is shown.")
    date: str | None = Field(description="Day the data are from (YYYY-MM-DD).")


class ScenarioOut(BaseModel):
    """A scenario of a study."""

    scenario_id: str = Field(description="Id of the scenario.")
    name: str | None = Field(description="Name.")
    name_zh: str | None = Field(description="Chinese name.")
    state: str = Field(description="normal (平时), alert (急时) or emergency (战时).")
    hazards: list[str] = Field(description="Ids of the hazard layers in force.")
    run_id: str | None = Field(description="The run computed last; none when it was not computed yet.")


class StudyBrief(BaseModel):
    """A study in a list."""

    study_id: str = Field(description="Id of the study.")
    name: str = Field(description="Name.")
    name_zh: str | None = Field(description="Chinese name.")
    href: str = Field(description="Path of the study here.")
    page: str = Field(description="Path of its page for people.")


class StudyList(BaseModel):
    """Every study of the workspace."""

    studies: list[StudyBrief] = Field(description="The studies, by id.")
    unreadable: dict[str, str] = Field(description="Studies whose study.toml cannot be read, and what is wrong in it.")
    next: str | None = Field(default=None, description="Path of the next page; none on the last.")


class StudyOut(StudyBrief):
    """A study: what it is made of and what was computed."""

    crs: str = Field(description="Metric CRS it is computed in.")
    layers: list[LayerIn] = Field(description="The inputs.")
    scenarios: list[ScenarioOut] = Field(description="The scenarios, in the order of study.toml.")
    parameters: dict[str, JsonValue] = Field(
        description="Parameters that differ from the defaults; a key ends in its unit."
    )
    revision: str = Field(description="ETag of the definition, without quotes: edits name it in If-Match.")


class RunBrief(BaseModel):
    """A run in a list."""

    run_id: str = Field(description="Id of the run: sixteen hex digits.")
    study_id: str = Field(description="Its study.")
    scenario_id: str = Field(description="Its scenario.")
    latest: bool = Field(description="Whether it is the one computed last for its scenario.")
    headline: dict[str, JsonValue] = Field(description="The run in a few numbers; a name ends in its unit.")
    href: str = Field(description="Path of the run here.")


class RunList(BaseModel):
    """Every finished run of a study."""

    runs: list[RunBrief] = Field(description="The runs, by id.")
    next: str | None = Field(default=None, description="Path of the next page; none on the last.")


class LayerOut(BaseModel):
    """A layer of a run."""

    layer: str = Field(description="Name of the layer.")
    kind: str = Field(description="table or raster.")
    rows: int = Field(description="Features of a table; cells of a raster (count).")
    columns: list[str] = Field(description="Columns; a name ends in its unit.")
    geometry: list[str] = Field(description="Geometry types that occur.")
    bounds: tuple[float, float, float, float] | None = Field(
        description="West, south, east, north (degrees, WGS 84); none when empty."
    )
    unit: str | None = Field(description="Unit of a raster's values.")
    downloads: dict[str, str] = Field(description="Path of each download by format.")


class LayerList(BaseModel):
    """The layers of a run."""

    layers: list[LayerOut] = Field(description="The layers, by name.")


class Summary(BaseModel):
    """One row per community: who is served, who is not, and why."""

    run_id: str = Field(description="Id of the run.")
    study_id: str = Field(description="Its study.")
    scenario_id: str = Field(description="Its scenario.")
    headline: dict[str, JsonValue] = Field(description="The whole study in a few numbers; a name ends in its unit.")
    attribution: list[str] = Field(description="Whom to name when the numbers are shown.")
    communities: list[dict[str, JsonValue]] = Field(
        description="The rows; a column ends in its unit (_s seconds, _m2 square metres, _share 0-1 of the people, "
        "people whole persons); _normal is a day without the hazard; "
        "null: not known, or no way there."
    )


class VectorLayer(BaseModel):
    """A layer inside vector tiles."""

    id: str = Field(description="Name of the layer in the tile.")
    fields: dict[str, str] = Field(description="What each property means: Number, String or Boolean, and its name.")
    minzoom: int = Field(description="Lowest zoom at which anything is in it (number).")
    maxzoom: int = Field(description="Highest zoom (number).")


class TileJson(BaseModel):
    """Where tiles are (TileJSON 3.0.0)."""

    tilejson: str = Field(default="3.0.0", description="Version of TileJSON.")
    name: str = Field(description="Name of the layer.")
    scheme: str = Field(default="xyz", description="Rows are counted from the north.")
    tiles: list[str] = Field(description="Address of a tile, with {z}, {x} and {y}.")
    minzoom: int = Field(description="Lowest zoom at which anything is there (number).")
    maxzoom: int = Field(
        description="Highest zoom that shows more than the one before it (number); closer views enlarge its tiles."
    )
    bounds: tuple[float, float, float, float] | None = Field(description="West, south, east, north (degrees, WGS 84).")
    center: tuple[float, float, int] | None = Field(
        description="Longitude, latitude and zoom at which all of it is seen (degrees, degrees, number)."
    )
    attribution: str = Field(description="Whom to name when it is shown.")
    vector_layers: list[VectorLayer] = Field(description="Layers inside the tiles; none in pictures.")


# -- where to go from a point --------------------------------------------------------------------------------------


class Geometry(BaseModel):
    """A GeoJSON geometry: longitude before latitude (degrees, WGS 84)."""

    type: str = Field(description="Point, LineString, Polygon or one of their Multi forms.")
    coordinates: list[JsonValue] = Field(description="Coordinates as the type has them (degrees).")


class StreetOut(BaseModel):
    """The street that a point was bound to."""

    street_id: str = Field(description="Id of the street, as in the layer streets.")
    name_en: str = Field(description="What it is called in English; where it has no name, what it is.")
    name_zh: str = Field(description="The same in Chinese.")
    off_m: float = Field(description="How far off the point lies (metres).")


class ShelterOut(BaseModel):
    """The shelter that a way leads to."""

    shelter_id: str = Field(description="Id of the shelter, as in the layer shelters.")
    name: str | None = Field(description="Name.")
    name_zh: str | None = Field(description="Chinese name.")
    lon: float = Field(description="Longitude of a point on its site (degrees, WGS 84).")
    lat: float = Field(description="Latitude of it (degrees, WGS 84).")
    room_left: int | None = Field(description="For how many more there is room (people); none: room is not limited.")


class WayOut(BaseModel):
    """One way to the shelter."""

    role: str = Field(description="main (the quickest), safer or second (shares as little as can be with the main).")
    shelter_id: str = Field(description="Id of the shelter it leads to.")
    length_m: float = Field(description="Length from street to street (metres).")
    takes_s: float = Field(description="Time from door to door for the profile asked for (seconds).")
    elderly_s: float | None = Field(description="The same of old people (seconds); none: closed to them.")
    stroller_s: float | None = Field(description="The same with a stroller (seconds); none: closed.")
    wheelchair_s: float | None = Field(description="The same in a wheelchair (seconds); none: closed.")
    depth_max_m: float | None = Field(description="Deepest water on it (metres); none: no water in force or not known.")
    level_max: float | None = Field(description="Worst level of other hazards on it (number 0-5); none: not in force.")
    share_exposed: float = Field(description="Share of its length that a hazard reaches (0-1).")
    share_unknown: float = Field(description="Share of its length for which a hazard is not known (0-1).")
    shared_m: float = Field(description="Length in common with the main way (metres).")
    bottleneck: list[str] = Field(description="Ids of the first streets that every way must use.")
    steps_en: list[str] = Field(description="The way turn by turn, in English.")
    steps_zh: list[str] = Field(description="The same in Chinese.")
    geometry: Geometry = Field(description="The way as a line.")


class RouteOut(BaseModel):
    """The nearest safe shelter with room from a point, and the way there; or why there is none."""

    study_id: str = Field(description="Id of the study.")
    scenario_id: str = Field(description="Id of the scenario.")
    profile: str = Field(description="Who asks: walk, elderly, stroller or wheelchair.")
    lon: float = Field(description="Longitude asked for (degrees, WGS 84).")
    lat: float = Field(description="Latitude asked for (degrees, WGS 84).")
    code: str = Field(
        description="found; too_far (beyond the walk that counts, the way is given); full (every safe shelter that can "
        "be reached is full, the way to the nearest is given); cut_off, no_shelter, street_closed, not_snapped: no way."
    )
    said_en: str = Field(description="The answer in one sentence.")
    said_zh: str = Field(description="The same in Chinese.")
    street: StreetOut | None = Field(description="Where the point meets the streets; none: no street near by.")
    shelter: ShelterOut | None = Field(description="Where the main way leads.")
    ways: list[WayOut] = Field(description="The main way first; empty where there is none.")
    attribution: list[str] = Field(description="Whom to name when this is shown.")


# -- what if -------------------------------------------------------------------------------------------------------

EDITS_MAX = 10_000
"""No list of edits is read beyond this; what may be asked is a setting."""
PEOPLE_MAX = 10_000_000
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="Longitude (degrees, WGS 84).")]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="Latitude (degrees, WGS 84).")]
People = Annotated[float, Field(ge=0, le=PEOPLE_MAX, allow_inf_nan=False, description="Room (people).")]
Position = Annotated[list[float], Field(min_length=2, max_length=3, description="Longitude, latitude (degrees).")]
Ring = Annotated[list[Position], Field(min_length=4, max_length=EDITS_MAX)]
Rings = Annotated[list[Ring], Field(min_length=1, max_length=EDITS_MAX)]


class Asked(BaseModel):
    """What is sent: nothing that is not known, no number that is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PolygonIn(Asked):
    """A GeoJSON polygon; holes are allowed."""

    type: Literal["Polygon"] = Field(description="Polygon.")
    coordinates: Rings = Field(description="Rings of longitude, latitude (degrees, WGS 84); the first is the outer.")


class MultiPolygonIn(Asked):
    """A GeoJSON multi-polygon."""

    type: Literal["MultiPolygon"] = Field(description="MultiPolygon.")
    coordinates: Annotated[list[Rings], Field(min_length=1, max_length=EDITS_MAX)] = Field(
        description="Polygons as rings of longitude, latitude (degrees, WGS 84)."
    )


Outline = Annotated[PolygonIn | MultiPolygonIn, Field(discriminator="type")]


class ShelterIn(Asked):
    """A shelter to be added: at a point (``lon``, ``lat``) or on a site (``geometry``)."""

    id: Id | None = Field(default=None, description="Its id; one of its own where none is given.")
    name: Annotated[str, StringConstraints(max_length=200)] | None = Field(default=None, description="Its name.")
    room: People = Field(description="For how many it has room (people).")
    lon: Lon | None = Field(default=None, description="Longitude of the point (degrees, WGS 84).")
    lat: Lat | None = Field(default=None, description="Latitude of the point (degrees, WGS 84).")
    geometry: Outline | None = Field(default=None, description="Its site as a GeoJSON polygon.")

    @model_validator(mode="after")
    def _one_place(self) -> ShelterIn:
        point = (self.lon is not None, self.lat is not None)
        if point != (self.geometry is None,) * 2:
            raise ValueError("should be at lon and lat, or on a geometry")
        return self


class WhatIfIn(Asked):
    """What a planner changes; ids are those of the layers shelters and streets of a run."""

    scenario: str = Field(default="", max_length=200, description="Scenario to change (default: the study's first).")
    against: str = Field(
        default="",
        max_length=200,
        description="Scenario to compare with (default: the same one before the changes); of the same time of day.",
    )
    add: list[ShelterIn] = Field(default=[], max_length=EDITS_MAX, description="Shelters to add.")
    remove: list[Id] = Field(default=[], max_length=EDITS_MAX, description="Ids of shelters to take away.")
    room: dict[Id, People] = Field(default={}, max_length=EDITS_MAX, description="Room of shelters by id (people).")
    close: list[Id] = Field(default=[], max_length=EDITS_MAX, description="Ids of streets to close.")
    open: list[Id] = Field(default=[], max_length=EDITS_MAX, description="Ids of streets to open as on a normal day.")
    close_within: Outline | None = Field(default=None, description="Every street that this touches is closed.")


class FeatureOut(BaseModel):
    """A GeoJSON feature."""

    type: Literal["Feature"] = Field(description="Feature.")
    id: JsonValue = Field(default=None, description="Id of the row.")
    geometry: Geometry | None = Field(description="Where it is.")
    properties: dict[str, JsonValue] = Field(description="Its columns; a name ends in its unit.")


class ChangedOut(BaseModel):
    """The changed rows of one layer, as they are after the changes: a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = Field(description="FeatureCollection.")
    rows: int = Field(description="Rows that changed (count).")
    cut: bool = Field(description="Whether only the first of them are here.")
    features: list[FeatureOut] = Field(description="The rows.")


class WhatIfOut(BaseModel):
    """What the changes come to."""

    study_id: str = Field(description="Id of the study.")
    scenario_id: str = Field(description="Id of the scenario that was changed.")
    against: str = Field(description="Id of the scenario it is compared with.")
    before: dict[str, JsonValue] = Field(description="The city in a few numbers before; a name ends in its unit.")
    after: dict[str, JsonValue] = Field(description="The same after.")
    layers: dict[str, ChangedOut] = Field(
        description="Changed rows of communities, demand, shelters and street_flows, by layer."
    )
    attribution: list[str] = Field(description="Whom to name when this is shown.")


class VariantOut(BaseModel):
    """The results with one threshold moved."""

    variant: str = Field(description="Which: speed, room, depth or limit.")
    step: float = Field(description="By how much (number, in its unit).")
    unit: str = Field(description="Unit of the step: share, m or min.")
    label_en: str = Field(description="What it is called.")
    label_zh: str = Field(description="The same in Chinese.")
    people_served: int = Field(description="People served then (people).")
    people_served_change: int = Field(description="The difference to now (people).")
    communities_changed: int = Field(description="Communities of another status then (count).")
    communities: list[dict[str, JsonValue]] = Field(
        description="These communities: community_id, status_before, status_after."
    )


class SensitivityOut(BaseModel):
    """How results move when thresholds move."""

    study_id: str = Field(description="Id of the study.")
    scenario_id: str = Field(description="Id of the scenario.")
    people_served: int = Field(description="People served as things stand (people).")
    variants: list[VariantOut] = Field(description="Each threshold moved by each step.")
    attribution: list[str] = Field(description="Whom to name when this is shown.")
