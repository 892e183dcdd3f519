"""OGC API Features over a study (the run computed last for each scenario) and over one run; one implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app import links
from app.answers import REVALIDATE, WHILE_LOOKED_AT, kept, tag
from app.deps import Held, RunId, Service, StudyId
from app.maps.guard import MapPage
from app.ogc import description, documents, items, pages
from app.ogc.asked import OF_ITEM, OF_ITEMS, OF_PAGES, Form, Limits, asked, crs_of, form, known
from app.ogc.catalogue import Catalogue, Collection
from app.ogc.crs import Crs
from app.ogc.documents import GEOJSON, JSON, OPENAPI, SCHEMA, At
from app.ogc.schemas import CollectionOut, Collections, Conformance, Feature, FeatureCollection, LandingPage, Queryables
from app.pages import language

HTML = "text/html; charset=utf-8"
VARY = "Accept, Accept-Encoding, Accept-Language"


class GeoJson(JSONResponse):
    """An answer in GeoJSON."""

    media_type = GEOJSON


class OpenApi(JSONResponse):
    """An answer that is an OpenAPI description."""

    media_type = OPENAPI


class JsonSchema(JSONResponse):
    """An answer that is a JSON Schema."""

    media_type = SCHEMA


@dataclass(frozen=True)
class Site:
    """A request to one of the two APIs: whose collections, from where, and what keeps them open."""

    request: Request
    service: Service
    catalogue: Catalogue

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters as they were given."""
        return self.request.query_params.multi_items()

    @property
    def lang(self) -> str:
        """The language of the answer."""
        return language(dict(self.pairs).get("lang", ""), self.request.headers.get("accept-language", ""))

    @property
    def at(self) -> At:
        """Where addresses in JSON begin."""
        return At(links.here().absolute(""), self.lang)

    @property
    def here(self) -> At:
        """Where addresses in pages begin: on this server."""
        return At(str(self.request.scope.get("root_path", "")), self.lang)

    @property
    def path(self) -> str:
        """The path that was asked for, as it is written in an address."""
        root = str(self.request.scope.get("root_path", ""))
        return quote(self.request.url.path.removeprefix(root), safe="/")

    @property
    def limits(self) -> Limits:
        """What may be asked at most."""
        found = self.service.settings
        return Limits(found.ogc_limit_max, found.ogc_filter_chars, found.ogc_filter_depth)

    def form(self, names: tuple[str, ...] = OF_PAGES) -> Form:
        """The form asked for, of an address that takes these parameters alone."""
        return form(known(self.pairs, names), self.request.headers.get("accept", ""))

    def told(self, body: BaseModel, media_type: str = JSON) -> Response:
        """A document in JSON."""
        return self.sent(orjson.dumps(body.model_dump(mode="json", by_alias=True, exclude_none=True)), media_type)

    def sent(self, body: bytes, media_type: str) -> Response:
        """Bytes that are their own state."""
        return kept(
            self.request, lambda: body, media_type=media_type, state=tag(body), cache=self.cache, headers={"Vary": VARY}
        )

    def shown(self, page: MapPage) -> Response:
        """A page for people."""
        headers = {**page.headers, "Vary": VARY, "Content-Language": self.lang}
        return kept(self.request, page.html.encode, media_type=HTML, state=tag(page.html), headers=headers)

    def features(self, build: Callable[[], bytes], state: str, crs: Crs) -> Response:
        """Features in GeoJSON; their state is known before they are looked for."""
        headers = {"Vary": VARY, "Content-Crs": f"<{crs.uri}>"}
        return kept(self.request, build, media_type=GEOJSON, state=state, cache=self.cache, headers=headers)

    def state(self, one: Collection, *parts: object) -> str:
        """What decides features that are answered: the run's, where they are asked for, and in which words."""
        return tag(one.run.run_id, one.layer.sha256, self.at, self.path, *parts)

    @property
    def cache(self) -> str:
        """How long a reader may keep an answer: what is of a run never changes."""
        return WHILE_LOOKED_AT if self.catalogue.run else REVALIDATE


def here(request: Request, held: Held, study_id: StudyId) -> Site:
    """The API of the study, or of the run, that the path names."""
    return Site(request, held, held.shelf.catalogue(study_id, request.path_params.get("run", "")))


def of_run(run_id: RunId) -> str:
    """The run that the path names: said here so that it is in the reference."""
    return run_id


Here = Annotated[Site, Depends(here)]
CollectionId = Annotated[str, Path(alias="collection", description="Id of the collection.")]
FeatureId = Annotated[str, Path(alias="feature", description="Id of the feature.")]


def landing(site: Here) -> Response:
    """Where the collections begin, and the ways to what describes them."""
    if site.form() == "html":
        return site.shown(pages.landing(site.catalogue, site.here))
    return site.told(documents.landing(site.catalogue, site.at))


def conformance(site: Here) -> Response:
    """The conformance classes of OGC API Features and CQL2 that are kept to."""
    if site.form() == "html":
        return site.shown(pages.conformance(site.catalogue, site.here))
    return site.told(documents.conformance())


def service_desc(site: Here) -> Response:
    """This part of the interface in OpenAPI 3.0, each collection with the properties it can be asked by."""
    whole = description.described(site.catalogue, site.at, limits=site.limits)
    if site.form() == "html":
        return site.shown(pages.reference(whole))
    return site.sent(orjson.dumps(whole), OPENAPI)


def collections(site: Here) -> Response:
    """Every table layer, with its title in the reader's language."""
    if site.form() == "html":
        return site.shown(pages.collections(site.catalogue, site.here))
    return site.told(documents.collections(site.catalogue, site.at))


def collection(site: Here, collection_id: CollectionId) -> Response:
    """One layer: its title, box, coordinate systems and whom to name."""
    one = site.catalogue.collection(collection_id)
    if site.form() == "html":
        return site.shown(pages.collection(site.catalogue, one, site.here))
    return site.told(documents.collection(site.catalogue, one, site.at))


def queryables(site: Here, collection_id: CollectionId) -> Response:
    """The properties that a filter may name, as a JSON Schema."""
    one = site.catalogue.collection(collection_id)
    if site.form() == "html":
        return site.shown(pages.queryables(site.catalogue, one, site.here))
    return site.told(documents.queryables(site.catalogue, one, site.at), SCHEMA)


def features(site: Here, collection_id: CollectionId) -> Response:
    """A page of features. Every column is a parameter too (`status=bad`); a parameter that is not known is refused."""
    one = site.catalogue.collection(collection_id)
    wanted = asked(site.pairs, one.described, site.catalogue.crs, limits=site.limits)
    if form(dict(site.pairs), site.request.headers.get("accept", "")) == "html":
        found = items.page(site.service.shelf, one, wanted)
        return site.shown(pages.items(found, site.catalogue, one, site.pairs, site.here))

    def build() -> bytes:
        found = items.page(site.service.shelf, one, wanted)
        return items.as_geojson(found, one, site.pairs, site.path, site.at)

    return site.features(build, site.state(one, sorted(site.pairs)), wanted.crs)


def feature(site: Here, collection_id: CollectionId, feature_id: FeatureId) -> Response:
    """One feature."""
    one = site.catalogue.collection(collection_id)
    shape = site.form(OF_ITEM)
    crs = crs_of(dict(site.pairs), site.catalogue.crs)
    found = items.single(site.service.shelf, one, feature_id, crs)
    if shape == "html":
        return site.shown(pages.feature(found, site.catalogue, one, site.here))
    body = items.one_as_geojson(found, site.catalogue, one, site.path, site.at)
    return site.features(lambda: body, site.state(one, feature_id, crs.uri), crs)


@dataclass(frozen=True)
class Route:
    """A path below an address: who answers it, with which model in which form, and the parameters that it takes."""

    path: str
    answer: Callable[..., Response]
    summary: str
    model: type[BaseModel] | None
    form: type[Response] = JSONResponse
    names: tuple[str, ...] = OF_PAGES


ROUTES = (
    Route("", landing, "Landing page", LandingPage),
    Route("/conformance", conformance, "Conformance", Conformance),
    Route("/api", service_desc, "OpenAPI of this part", None, OpenApi),
    Route("/collections", collections, "Collections", Collections),
    Route("/collections/{collection}", collection, "One collection", CollectionOut),
    Route("/collections/{collection}/queryables", queryables, "What filters may name", Queryables, JsonSchema),
    Route("/collections/{collection}/items", features, "Features", FeatureCollection, GeoJson, OF_ITEMS),
    Route("/collections/{collection}/items/{feature:path}", feature, "One feature", Feature, GeoJson, OF_ITEM),
)


def routes(prefix: str, *dependencies: Any) -> APIRouter:
    """All routes below an address."""
    made = APIRouter(prefix=prefix, tags=["ogc"], dependencies=dependencies)
    for each in ROUTES:
        made.add_api_route(
            each.path, each.answer, methods=["GET"], summary=each.summary, response_model=each.model,
            response_class=each.form, responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
            openapi_extra=description.parameters(each.names),
        )  # fmt: skip
    return made


router = APIRouter()
router.include_router(routes("/ogc/{study}"))
router.include_router(routes("/ogc/{study}/runs/{run}", Depends(of_run)))
