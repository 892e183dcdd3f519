"""Features as they are answered: a page of a collection, or one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from app.ogc.asked import Asked
from app.ogc.catalogue import Catalogue, Collection, credits
from app.ogc.crs import Crs
from app.ogc.documents import GEOJSON, HTML, JSON, At
from app.ogc.schemas import Link
from app.ogc.shelf import Shelf

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Page:
    """Features of a collection, from ``offset`` on; ``matched`` is how many there are on all pages."""

    features: list[dict[str, Any]]
    matched: int
    offset: int
    limit: int

    @property
    def after(self) -> int | None:
        """Where the next page begins; None after the last."""
        beyond = self.offset + self.limit
        return beyond if beyond < self.matched else None

    @property
    def before(self) -> int | None:
        """Where the page before begins; None before the first."""
        return max(0, min(self.offset, self.matched) - self.limit) if self.offset else None


def page(shelf: Shelf, one: Collection, asked: Asked) -> Page:
    """The features that are asked for, in the order of the layer."""
    rows = shelf.rows(one, asked.condition)
    shown = rows[asked.offset : asked.offset + asked.limit]
    return Page(shelf.table(one).features(shown, asked.crs), len(rows), asked.offset, asked.limit)


def as_geojson(found: Page, one: Collection, pairs: Pairs, here: str, at: At) -> bytes:
    """A page as a GeoJSON FeatureCollection with the ways on.

    Pages after the first are those of the run: whoever turns them stays in it when another run has become the latest.
    """
    links = [*at.ways(here, GEOJSON, pairs), *turned(found, one, pairs, at)]
    return orjson.dumps({
        "type": "FeatureCollection", "features": found.features,
        "links": [link.model_dump() for link in links],
        "numberMatched": found.matched, "numberReturned": len(found.features), "attribution": credits([one.run]),
    })  # fmt: skip


def turned(found: Page, one: Collection, pairs: Pairs, at: At, media_type: str = GEOJSON) -> list[Link]:
    """The ways to the next page and the one before, where there are any."""
    kept = [(name, value) for name, value in pairs if name != "offset"]
    places = {"next": found.after, "prev": found.before}
    return [
        Link(href=at.url(f"{one.within_run}/items", [*kept, ("offset", str(offset))]), rel=rel, type=media_type,
             title=at.said(rel))
        for rel, offset in places.items() if offset is not None
    ]  # fmt: skip


def single(shelf: Shelf, one: Collection, name: str, crs: Crs) -> dict[str, Any]:
    """The feature of an id; NotFoundError when there is none."""
    table = shelf.table(one)
    return table.features(np.array([table.row(name)]), crs)[0]


def one_as_geojson(feature: dict[str, Any], found: Catalogue, one: Collection, here: str, at: At) -> bytes:
    """One feature with the ways on."""
    path = f"{found.path}/collections/{one.collection_id}"
    links = [
        *at.ways(here, GEOJSON),
        at.link(path, "collection", JSON, "collection"),
        Link(href=at.url(f"{path}/items", [("f", "html")]), rel="items", type=HTML, title=at.said("items")),
    ]
    return orjson.dumps({**feature, "links": [link.model_dump() for link in links]})
