"""OGC API Features of a study or run in OpenAPI 3.0, which clients read: each collection with its own parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from app import __version__
from app.ogc.asked import CQL2, LIMIT_DEFAULT, OF_ITEM, OF_ITEMS, OF_PAGES, Limits
from app.ogc.catalogue import Catalogue, Collection, column_title
from app.ogc.documents import GEOJSON, HTML, JSON, OPENAPI, SCHEMA, TYPES, At
from app.ogc.schemas import CollectionOut, Collections, Conformance, Feature, FeatureCollection, LandingPage, Queryables
from app.ogc.table import Kind
from app.schemas import Problem

PROBLEM = "application/problem+json"
REF = "#/components/schemas/{model}"
MODELS: tuple[type[BaseModel], ...] = (
    LandingPage, Conformance, Collections, CollectionOut, Queryables, FeatureCollection, Feature, Problem,
)  # fmt: skip
Text = dict[str, Any]
PARAMETERS: Mapping[str, tuple[str, Text]] = {
    "f": ("json, or html for a page (default: by the header Accept).", {"type": "string", "enum": ["json", "html"]}),
    "lang": ("Language of titles and pages: zh or en (default: the reader's).", {"type": "string"}),
    "crs": ("Coordinate system of the answer (URI; default: CRS84).", {"type": "string", "format": "uri"}),
    "limit": ("Features on a page (count).", {"type": "integer", "minimum": 1, "default": LIMIT_DEFAULT}),
    "offset": ("Features left out before the page (count).", {"type": "integer", "minimum": 0, "default": 0}),
    "bbox": (
        "Only features that meet this box: west,south,east,north (degrees, or as bbox-crs says), or with heights.",
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
    ),
    "bbox-crs": ("Coordinate system of bbox (URI; default: CRS84).", {"type": "string", "format": "uri"}),
    "datetime": ("Features have no time of their own: any time has them all.", {"type": "string"}),
    "filter": ("Only features of which this CQL2 text is true: status = 'bad' AND people > 100.", {"type": "string"}),
    "filter-lang": ("Language of filter.", {"type": "string", "enum": [*CQL2], "default": CQL2[0]}),
    "filter-crs": ("Coordinate system of shapes in filter (URI; default: CRS84).", {"type": "string", "format": "uri"}),
}  # fmt: skip
"""What each parameter means, and what it holds."""
COLUMNS = {
    "name": "columns", "in": "query", "style": "form", "explode": True,
    "description": "Only features whose column has this value: any name of a queryable, as in status=bad.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}  # fmt: skip


NULL = {"type": "object", "nullable": True, "enum": [None]}
"""A schema of OpenAPI 3.0 that null fits, and nothing else."""


def parameters(names: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of a route, for the reference of the whole service."""
    found = [_parameter(name) for name in names]
    return {"parameters": [*found, COLUMNS] if "filter" in names else found}


def _parameter(name: str, **narrowed: Any) -> dict[str, Any]:
    said, schema = PARAMETERS[name]
    query = {"name": name, "in": "query", "required": False, "description": said, "schema": {**schema, **narrowed}}
    return {**query, "style": "form", "explode": False} if schema["type"] == "array" else query


def described(found: Catalogue, at: At, *, limits: Limits) -> dict[str, Any]:
    """The OpenAPI 3.0 description of a study's or a run's collections."""
    return {
        "openapi": "3.0.3",
        "info": {"title": found.title.of("en"), "version": __version__, "description": at.said("lead")},
        "servers": [{"url": at.url(found.path)}],
        "tags": [{"name": "ogc"}],
        "paths": dict(_paths(found)),
        "components": {
            "schemas": _schemas(),
            "parameters": {**_common(found, limits), **dict(_columns(found))},
            "responses": {"Problem": _answer("A refusal.", PROBLEM, "Problem")},
        },
    }


def _common(found: Catalogue, limits: Limits) -> dict[str, Any]:
    uris = [crs.uri for crs in found.crs]
    narrowed: dict[str, dict[str, Any]] = {
        "limit": {"maximum": limits.page}, "filter": {"maxLength": limits.chars},
        "crs": {"enum": uris}, "bbox-crs": {"enum": uris}, "filter-crs": {"enum": uris},
    }  # fmt: skip
    return {name: _parameter(name, **narrowed.get(name, {})) for name in PARAMETERS}


def _columns(found: Catalogue) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each column of any collection once for each kind of value it has."""
    for one in found.collections.values():
        for name, kind in one.described.columns.items():
            if name not in OF_ITEMS:
                title = column_title(one.layer.layer, name).of("en")
                schema = TYPES[kind] or {"type": "string"}
                yield _column(name, kind), {"name": name, "in": "query", "description": title, "schema": schema}


def _column(name: str, kind: Kind) -> str:
    return f"column-{name}-{kind}"


def _paths(found: Catalogue) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "/", _get("Landing page", "landing", _both(JSON, "LandingPage"), OF_PAGES)
    yield "/conformance", _get("Conformance", "conformance", _both(JSON, "Conformance"), OF_PAGES)
    yield "/api", _get("This description", "api", {OPENAPI: {"schema": {"type": "object"}}}, OF_PAGES)
    yield "/collections", _get("Collections", "collections", _both(JSON, "Collections"), OF_PAGES)
    for one in found.collections.values():
        path, name = f"/collections/{one.collection_id}", one.collection_id
        yield path, _get(one.title.of("en"), f"{name}.about", _both(JSON, "CollectionOut"), OF_PAGES)
        yield f"{path}/queryables", _get("Queryables", f"{name}.queryables", _both(SCHEMA, "Queryables"), OF_PAGES)
        yield f"{path}/items", _items(one)
        yield f"{path}/items/{{featureId}}", _item(one)


def _items(one: Collection) -> dict[str, Any]:
    made = _get(one.title.of("en"), f"{one.collection_id}.items", _both(GEOJSON, "FeatureCollection"), OF_ITEMS)
    columns = [_column(name, kind) for name, kind in one.described.columns.items() if name not in OF_ITEMS]
    made["get"]["parameters"] += [_referred(name) for name in columns]
    return made


def _item(one: Collection) -> dict[str, Any]:
    made = _get(f"{one.title.of('en')}: one feature", f"{one.collection_id}.item", _both(GEOJSON, "Feature"), OF_ITEM)
    schema = {"type": "string"}
    made["get"]["parameters"].append({"name": "featureId", "in": "path", "required": True, "schema": schema})
    return made


def _get(summary: str, name: str, content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    answers = {
        "200": {"description": "The answer.", "content": content},
        "default": {"$ref": "#/components/responses/Problem"},
    }
    asked = [_referred(name) for name in names]
    about = {"summary": summary, "description": summary, "operationId": name, "tags": ["ogc"]}
    return {"get": {**about, "parameters": asked, "responses": answers}}


def _referred(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/parameters/{name}"}


def _both(media_type: str, model: str) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": REF.format(model=model)}}, HTML: {"schema": {"type": "string"}}}


def _answer(said: str, media_type: str, model: str) -> dict[str, Any]:
    return {"description": said, "content": {media_type: {"schema": {"$ref": REF.format(model=model)}}}}


def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model in MODELS:
        schema = model.model_json_schema(ref_template=REF, mode="serialization")
        found |= {**schema.pop("$defs", {}), model.__name__: schema}
    return {name: _older(schema) for name, schema in sorted(found.items())}


def _older(schema: Any) -> Any:
    """A schema as OpenAPI 3.0 has them: ``NULL`` for the type null, ``enum`` for one value."""
    if isinstance(schema, list):
        return [_older(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _older(value) for key, value in schema.items()}
    some = [each for each in made.get("anyOf", []) if each != {"type": "null"}]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if len(some) < len(made.get("anyOf", [])):
        made["anyOf"] = [*some, NULL]
    return made
