"""The models of what takes time: what is asked for, and how far it is."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from app.schemas import Problem

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Short = Annotated[str, StringConstraints(max_length=200)]
Said = Annotated[str, StringConstraints(max_length=1000)]
State = Literal["waiting", "running", "done", "failed", "cancelled", "parked"]
STATES_SAID = (
    "waiting, running, done, failed (refused, with its problem), cancelled, or parked (given up after its worker was "
    "lost three times)."
)
CLOSED = ConfigDict(extra="forbid")


class JobOut(BaseModel):
    """Something that takes time: a run, an import or an export."""

    job_id: str = Field(description="Id of the job.")
    kind: str = Field(description="run, create_study, add_layer or export.")
    study_id: str | None = Field(description="The study it is of.")
    state: State = Field(description=STATES_SAID)
    progress: float = Field(description="How much is done (0-1).")
    stage: str | None = Field(description="What is being done; none before it begins.")
    stage_zh: str | None = Field(description="The same in Chinese.")
    attempts: int = Field(description="How often a worker took it up (count).")
    made_at: str = Field(description="When it was submitted (ISO 8601, UTC).")
    started_at: str | None = Field(description="When a worker took it up last (ISO 8601, UTC).")
    ended_at: str | None = Field(description="When it ended (ISO 8601, UTC).")
    result: dict[str, JsonValue] | None = Field(description="What came of it, when it is done.")
    problem: Problem | None = Field(description="Why it failed or was given up.")
    href: str = Field(description="Path of the job here.")
    events: str = Field(description="Path of its events (text/event-stream).")


class JobList(BaseModel):
    """Jobs, the newest first."""

    jobs: list[JobOut] = Field(description="The jobs.")
    next: str | None = Field(description="Path of the next page; none on the last.")


class RunsIn(BaseModel):
    """Which scenarios are to be computed, with which numbers."""

    model_config = CLOSED

    scenarios: list[Id] = Field(default=[], max_length=100, description="Ids of scenarios; empty: every one.")
    parameters: dict[Short, bool | int | float | Said | list[Short]] = Field(
        default={}, max_length=200, description="Parameters by dotted name on top of the study's own, in their units."
    )


class RunAsked(BaseModel):
    """A run that was asked for."""

    run_id: str = Field(description="Id of the run: sixteen hex digits.")
    scenario_id: str = Field(description="Its scenario.")
    state: State = Field(description=STATES_SAID)
    href: str = Field(description="Path of the run here, while it is computed and after.")


class RunsOut(BaseModel):
    """What was asked for, and the job that computes it."""

    job: JobOut | None = Field(description="The job; none when every run is there already.")
    runs: list[RunAsked] = Field(description="The runs, in the order of the study's scenarios.")


class RunOut(BaseModel):
    """A run that is not there yet."""

    run_id: str = Field(description="Id of the run: sixteen hex digits.")
    study_id: str = Field(description="Its study.")
    state: State = Field(description=STATES_SAID)
    progress: float = Field(description="How much of its job is done (0-1).")
    stage: str | None = Field(description="What is being done; none before it begins.")
    stage_zh: str | None = Field(description="The same in Chinese.")
    problem: Problem | None = Field(description="Why it failed or was given up.")
    job: str = Field(description="Path of the job that computes it.")


class ExportIn(BaseModel):
    """In which form a whole run is wanted."""

    model_config = CLOSED

    format: Literal["geojson", "gpkg", "csv", "fgb", "parquet", "archive"] = Field(
        description="geojson, csv, fgb or parquet: a file for each layer; gpkg: one GeoPackage with styles, rasters "
        "beside; "
        "archive: the study and its run, to be computed again elsewhere. Each as one zip (word)."
    )


class StudyForm(BaseModel):
    """A new study, as a form with files."""

    model_config = CLOSED

    study: Short = Field(min_length=1, description="Id of the study, or a title to make one from.")
    name: Short = Field(default="", description="Title (default: study).")
    streets: Literal["map", "lattice"] = Field(
        default="map", description="map: from the extract or layers of streets; lattice: made (word)."
    )
    boundary_crs: Short | None = Field(default=None, description="CRS of the boundary, when its file says none.")
    osm: UploadFile | None = Field(default=None, description="OpenStreetMap extract (.osm.pbf, .osm, .osm.gz).")
    boundary: UploadFile | None = Field(default=None, description="Outline of the study: polygons in any CRS (file).")


class LayerForm(BaseModel):
    """A layer of a study, as a form with its file; what is not said is taken from the file."""

    model_config = CLOSED

    file: UploadFile = Field(description="The file; a Shapefile as one zip of its parts.")
    kind: Literal[
        "hazard", "communities", "population", "shelters", "facilities", "buildings", "streets", "elevation", "lots",
        "supplies", "sources",
    ] = Field(description="What the layer is (word).")  # fmt: skip
    scenario: Short = Field(default="", description="Hazard: id of the scenario it is in force in (default: its own).")
    hazard: Short = Field(default="", description="Hazard: flood, tsunami, fire, wind, earthquake, … (word).")
    unit: Short = Field(default="", description="Hazard, rasters of people: unit of the file's values, e.g. m.")
    crs: Short | None = Field(default=None, description="EPSG:N, gcj02 or bd09, when the file says none (code).")
    map: list[Said] = Field(
        default=[], max_length=500, description="FIELD=COLUMN, FIELD:=VALUE, VALUE=NUMBER or @TABLE, as renxing add."
    )
    where: list[Said] = Field(default=[], max_length=100, description="COLUMN=VALUE[,VALUE…]: rows that are taken.")
    nodata: list[Short] = Field(default=[], max_length=20, description="Values that mean not known (file unit).")
    return_period_y: float | None = Field(default=None, gt=0, lt=1e9, description="Hazard: return period, years.")
    hours: float | None = Field(default=None, ge=0, lt=1e6, description="Hazard: hours after the beginning.")
    uncertainty: float | None = Field(default=None, ge=0, lt=1e9, description="Hazard: plus or minus, in unit.")
    time: Literal["day", "night"] | None = Field(default=None, description="Population: when people are there (word).")
    date: Short | None = Field(default=None, description="When the data were current (YYYY-MM-DD).")
    source: Said | None = Field(default=None, description="Who made the data (text).")
    licence: Said | None = Field(default=None, description="Its licence, e.g. CC-BY-4.0 (text).")
    attribution: Said | None = Field(default=None, description="Whom to name on maps and in exports (text).")


class DefinitionPatch(BaseModel):
    """A merge patch (RFC 7396) of a study's definition: null takes a key away, lists are replaced whole."""

    model_config = CLOSED

    name: Short | None = Field(default=None, description="Title.")
    name_zh: Short | None = Field(default=None, description="Title in Chinese.")
    streets: Literal["map", "lattice"] | None = Field(default=None, description="Where streets come from (word).")
    parameters: dict[Short, bool | int | float | Said | list[Short] | None] | None = Field(
        default=None, max_length=1000, description="Parameters by dotted name, in their units."
    )
    scenarios: list[dict[str, JsonValue]] | None = Field(
        default=None, max_length=200, description="Every scenario: scenario_id, name, name_zh, state, time, hazards."
    )
    layers: list[dict[str, JsonValue]] | None = Field(
        default=None, max_length=500, description="Every layer as study.toml has it; its file stays as it is."
    )
    rules: dict[Short, dict[str, JsonValue] | None] | None = Field(
        default=None, max_length=1000, description="Rules of distance by id, as docs/rules.md says."
    )
