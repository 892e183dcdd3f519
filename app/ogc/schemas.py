"""The models of what OGC API Features answers; names of fields are the standard's."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.schemas import Geometry


class Link(BaseModel):
    """A way on."""

    href: str = Field(description="Address.")
    rel: str = Field(description="What it is to this: self, alternate, next, items, …")
    type: str = Field(description="Media type of what is there.")
    title: str = Field(description="What it is, in the reader's language.")


class LandingPage(BaseModel):
    """Where the collections of a study or of one run begin."""

    title: str = Field(description="Name of the study, and of the scenario of a run.")
    description: str = Field(description="What is here.")
    attribution: str = Field(description="Whom to name when any of it is shown.")
    links: list[Link] = Field(description="The ways on: service-desc, conformance, data.")


class Conformance(BaseModel):
    """What of the standards is kept to."""

    conformsTo: list[str] = Field(description="Conformance classes (URIs).")


class SpatialExtent(BaseModel):
    """Where features lie."""

    bbox: list[list[float]] = Field(description="Boxes: west, south, east, north (degrees, WGS 84).")
    crs: str = Field(description="Coordinate system of the boxes (URI).")


class Extent(BaseModel):
    """Where features lie; none has a time of its own."""

    spatial: SpatialExtent = Field(description="The box around all of them.")


class CollectionOut(BaseModel):
    """One layer of a run as a collection of features."""

    id: str = Field(description="Id of the collection.")
    title: str = Field(description="What it is called, in the reader's language.")
    description: str = Field(description="The run it is of, and how many features it has.")
    attribution: str = Field(description="Whom to name when it is shown.")
    extent: Extent | None = Field(default=None, description="Where its features lie; none when it has no feature.")
    itemType: Literal["feature"] = Field(default="feature", description="Always `feature`.")
    crs: list[str] = Field(description="Coordinate systems that can be asked for (URIs).")
    storageCrs: str = Field(description="The one that features are kept in (URI).")
    links: list[Link] = Field(description="The ways on: items, queryables.")


class Collections(BaseModel):
    """Every collection."""

    links: list[Link] = Field(description="This, and this as a page.")
    collections: list[CollectionOut] = Field(description="The collections.")


class Queryables(BaseModel):
    """The properties that a filter may name, as a JSON Schema."""

    model_config = ConfigDict(populate_by_name=True)

    dialect: str = Field(
        default="https://json-schema.org/draft/2020-12/schema", alias="$schema", description="Dialect of JSON Schema."
    )
    schema_id: str = Field(alias="$id", description="Address of this.")
    type: Literal["object"] = Field(default="object", description="Always `object`.")
    title: str = Field(description="What the collection is called.")
    properties: dict[str, JsonValue] = Field(description="Each property with its title and what it holds.")
    additionalProperties: bool = Field(default=False, description="Whether a filter may name others: never.")


class Feature(BaseModel):
    """One row of a layer as a GeoJSON feature."""

    type: Literal["Feature"] = Field(description="Always `Feature`.")
    id: str | int = Field(description="Its id; the number of the row (from 1) where no column names each row alone.")
    geometry: Geometry | None = Field(description="Its shape in the coordinate system of the header Content-Crs.")
    properties: dict[str, JsonValue] = Field(description="Its columns; null: not known, or no way there.")
    links: list[Link] | None = Field(default=None, description="The ways on; none inside a page of features.")


class FeatureCollection(BaseModel):
    """A page of features."""

    type: Literal["FeatureCollection"] = Field(description="Always `FeatureCollection`.")
    features: list[Feature] = Field(description="The features, in the order of the layer.")
    links: list[Link] = Field(description="This page, the next and the one before where there are any.")
    numberMatched: int = Field(description="Features that were asked for, on all pages (count).")
    numberReturned: int = Field(description="Features on this page (count).")
    attribution: str = Field(description="Whom to name when they are shown.")
