"""What OGC API Features answers beside features: landing page, conformance, collections, queryables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pydantic import JsonValue

from app.ogc.catalogue import Catalogue, Collection, column_title, credits
from app.ogc.crs import CRS84_URI
from app.ogc.schemas import (
    CollectionOut,
    Collections,
    Conformance,
    Extent,
    LandingPage,
    Link,
    Queryables,
    SpatialExtent,
)
from app.ogc.table import GEOMETRY, Kind
from app.texts import words

JSON, GEOJSON, HTML = "application/json", "application/geo+json", "text/html"
OPENAPI, SCHEMA = "application/vnd.oai.openapi+json;version=3.0", "application/schema+json"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
FEATURES = "http://www.opengis.net/spec/ogcapi-features-{}/1.0/conf/{}"
CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/{}"
CONFORMS = (
    *(FEATURES.format(1, name) for name in ("core", "geojson", "html", "oas30")),
    FEATURES.format(2, "crs"),
    *(FEATURES.format(3, name) for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(CQL2.format(name) for name in (
        "cql2-text", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
        "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions",
    )),
)  # fmt: skip
TYPES: dict[Kind, dict[str, JsonValue]] = {
    "text": {"type": "string"}, "number": {"type": "number"}, "integer": {"type": "integer"},
    "bool": {"type": "boolean"}, "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"}, "none": {},
}  # fmt: skip
"""What a column holds, as JSON Schema says it."""
SHAPES = {"Point": "point", "LineString": "linestring", "Polygon": "polygon"}


@dataclass(frozen=True)
class At:
    """Where answers are read from: what stands before every path of this server, and the language of the reader."""

    base: str
    lang: str

    def url(self, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
        """The address of a path."""
        return f"{self.base}{path}{'?' if query else ''}{urlencode(list(query), quote_via=quote)}"

    def said(self, key: str, **values: object) -> str:
        """Words of the section ``ogc`` in the reader's language."""
        return words(f"ogc.{key}", **values).of(self.lang)

    def ways(self, path: str, media_type: str = JSON, query: Sequence[tuple[str, str]] = ()) -> list[Link]:
        """An answer itself, and the same as a page."""
        plain = [(name, value) for name, value in query if name != "f"]
        return [
            Link(href=self.url(path, [*plain, ("f", "json")]), rel="self", type=media_type, title=self.said("as_json")),
            Link(href=self.url(path, [*plain, ("f", "html")]), rel="alternate", type=HTML, title=self.said("as_html")),
        ]

    def link(self, path: str, rel: str, media_type: str, title: str) -> Link:
        """A way to another path."""
        return Link(href=self.url(path), rel=rel, type=media_type, title=self.said(title))


def landing(found: Catalogue, at: At) -> LandingPage:
    """Where everything of a study or run begins."""
    return LandingPage(
        title=found.title.of(at.lang),
        description=at.said("lead"),
        attribution=found.attribution,
        links=[
            *at.ways(found.path),
            at.link(f"{found.path}/api", "service-desc", OPENAPI, "api"),
            Link(href=at.url(f"{found.path}/api", [("f", "html")]), rel="service-doc", type=HTML, title=at.said("doc")),
            at.link(f"{found.path}/conformance", "conformance", JSON, "conformance"),
            at.link(f"{found.path}/collections", "data", JSON, "collections"),
        ],
    )


def conformance() -> Conformance:
    """What of the standards is kept to."""
    return Conformance(conformsTo=list(CONFORMS))


def collections(found: Catalogue, at: At) -> Collections:
    """Every collection."""
    return Collections(
        links=at.ways(f"{found.path}/collections"),
        collections=[collection(found, each, at) for each in found.collections.values()],
    )


def collection(found: Catalogue, one: Collection, at: At) -> CollectionOut:
    """One collection: what it is, where it lies, how it can be asked for."""
    path = f"{found.path}/collections/{one.collection_id}"
    box = one.layer.bounds
    extent = Extent(spatial=SpatialExtent(bbox=[list(box)], crs=CRS84_URI)) if box else None
    return CollectionOut(
        id=one.collection_id,
        title=one.title.of(at.lang),
        description=at.said("of_run", run=one.run.run_id, rows=one.layer.rows),
        attribution=credits([one.run]),
        extent=extent,
        crs=[crs.uri for crs in found.crs],
        storageCrs=CRS84_URI,
        links=[
            *at.ways(path),
            at.link(f"{path}/items", "items", GEOJSON, "items"),
            Link(href=at.url(f"{path}/items", [("f", "html")]), rel="items", type=HTML, title=at.said("items")),
            at.link(f"{path}/queryables", QUERYABLES_REL, SCHEMA, "queryables"),
        ],
    )


def queryables(found: Catalogue, one: Collection, at: At) -> Queryables:
    """What a filter may name: every column, and the shape."""
    table = one.layer.layer
    columns: dict[str, JsonValue] = {
        name: {"title": column_title(table, name).of(at.lang), **TYPES[kind]}
        for name, kind in one.described.columns.items()
    }
    shape: dict[str, JsonValue] = {
        "title": at.said("geometry"), "format": f"geometry-{geometry_of(one)}", "x-ogc-role": "primary-geometry",
    }  # fmt: skip
    url = at.url(f"{found.path}/collections/{one.collection_id}/queryables")
    return Queryables(schema_id=url, title=one.title.of(at.lang), properties={**columns, GEOMETRY: shape})


def geometry_of(one: Collection) -> str:
    """The kind of shape of a layer as formats of JSON Schema have it; ``any`` where there are several kinds."""
    kinds = {kind.removeprefix("Multi") for kind in one.layer.geometry}
    several = any(kind.startswith("Multi") for kind in one.layer.geometry)
    plain = SHAPES.get(next(iter(kinds), ""), "any") if len(kinds) == 1 else "any"
    return f"multi{plain}" if several and plain != "any" else plain
