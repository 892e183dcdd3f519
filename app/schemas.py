"""The models of what goes out over HTTP."""

from __future__ import annotations

from pydantic import BaseModel, Field, JsonValue


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


class Ready(BaseModel):
    """Whether the workspace can be read."""

    status: str = Field(description="`ready`.")
    studies: int = Field(description="Studies in the workspace (count).")


class Limit(BaseModel):
    """A limit that this server sets."""

    name: str = Field(description="Name of the setting; the variable is RENXING_ and this name in capitals.")
    value: int = Field(description="The limit, in the unit the description names.")
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


class StudyOut(StudyBrief):
    """A study: what it is made of and what was computed."""

    crs: str = Field(description="Metric CRS it is computed in.")
    layers: list[LayerIn] = Field(description="The inputs.")
    scenarios: list[ScenarioOut] = Field(description="The scenarios, in the order of study.toml.")
    parameters: dict[str, JsonValue] = Field(
        description="Parameters that differ from the defaults; a key ends in its unit."
    )


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
    fields: dict[str, str] = Field(description="What each property means.")


class TileJson(BaseModel):
    """Where tiles are (TileJSON 3.0.0)."""

    tilejson: str = Field(default="3.0.0", description="Version of TileJSON.")
    name: str = Field(description="Name of the layer.")
    tiles: list[str] = Field(description="Address of a tile, with {z}, {x} and {y}.")
    minzoom: int = Field(description="Lowest zoom (number).")
    maxzoom: int = Field(description="Highest zoom (number).")
    bounds: tuple[float, float, float, float] | None = Field(description="West, south, east, north (degrees, WGS 84).")
    attribution: str = Field(description="Whom to name when it is shown.")
    vector_layers: list[VectorLayer] = Field(description="Layers inside the tiles; none in pictures.")
