"""A city by its name: its outline and its OpenStreetMap extract, fetched once, when there is an internet connection.

The outline comes from Nominatim through osmnx; the extract is asked of Overpass as OSM XML, so that the file in the
study is an ordinary extract that reads the same tomorrow without any connection. One question is asked at a time, and
none twice within a month where a folder to keep answers in is given.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import shutil
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import geopandas as gpd
import osmnx
import shapely
from shapely import MultiPolygon, Polygon

from geo.crs import metric_crs
from geo.errors import Fault, InputError, LimitError, NotFoundError

if TYPE_CHECKING:
    import requests

MAX_KM2 = 2500.0
"""Largest place fetched at once, square kilometres: Overpass refuses much more, and its servers are a gift."""
MARGIN_M = 500.0
"""Streets this far outside the outline are fetched as well: the nearest shelter may lie across the line."""
SIMPLE_M = 50.0
"""The outline is asked for without detail finer than this, metres."""
FIND_TIMEOUT_S, TIMEOUT_S, WHOLE_TIMEOUT_S = 60, 600, 1800
"""How long Nominatim, and Overpass, may be silent, and how long a whole extract may take, seconds."""
KEPT_DAYS = 30.0
"""How long what was fetched once is not asked for again."""
DAY_S, CHUNK_BYTES = 86_400, 1 << 20
USER_AGENT = "Renxing (city resilience planning; OSMnx)"
"""By what name we ask: the servers' owners want to know who it is."""
ONE_AT_A_TIME = threading.Lock()
"""Held while a server is asked: they are shared by all, and refuse who asks twice at once."""
LATER = "Try again later or with a smaller place, or give an extract with --osm FILE."
OFFLINE = "Connect to the internet, or give an extract of the place with --osm FILE."
# Countries and provinces touch every city: only boundaries of a city's own parts are fetched whole.
QUERY = """[out:xml][timeout:{timeout}];
(
  way(poly:"{outline}");
  node(poly:"{outline}")[~"."~"."];
  relation(poly:"{outline}")[type=multipolygon];
  relation(poly:"{outline}")[boundary=administrative][admin_level~"^([6-9]|1[01])$"];
  relation(poly:"{outline}")[type~"^restriction"];
);
(._; >;);
out body;
"""


@dataclass(frozen=True)
class Place:
    """A named place: what it is called in full, and its outline in degrees (EPSG:4326)."""

    name: str
    outline: Polygon | MultiPolygon

    @property
    def area_km2(self) -> float:
        """Area in square kilometres."""
        return float(_metric(self.outline).area.iloc[0]) / 1e6


def find(text: str, *, nominatim_url: str = "", cache: Path | None = None, days: float = KEPT_DAYS) -> Place:
    """The place a person names, as Nominatim understands it; kept in ``cache`` and not asked for again for ``days``.

    NotFoundError when it knows none with an outline, InputError when it cannot be asked or wants to be left alone.
    """
    server = (nominatim_url or osmnx.settings.nominatim_url).rstrip("/")
    kept = _kept(cache, "place", f"{server}\n{text}", ".json")
    if not _is_fresh(kept, days):
        place = _asked(text, server)
        if kept is None:
            return place
        _write(kept, lambda part: part.write_text(_as_json(place), encoding="utf-8"))
    assert kept is not None
    told = json.loads(kept.read_text(encoding="utf-8"))
    return Place(told["name"], cast("Polygon | MultiPolygon", shapely.from_geojson(json.dumps(told["outline"]))))


def _asked(text: str, server: str) -> Place:
    try:
        with ONE_AT_A_TIME, _polite(server):
            row = osmnx.geocode_to_gdf(text).iloc[0]
    except (osmnx._errors.InsufficientResponseError, TypeError):
        cure = "Name it as on the map, with its country, or give an extract with --osm FILE."
        raise NotFoundError(Fault("a place that OpenStreetMap knows with its outline", repr(text), "", cure)) from None
    except OSError as error:
        raise _offline(server, error) from error
    return Place(str(row["display_name"]), row["geometry"])


def _as_json(place: Place) -> str:
    told = {"name": place.name, "outline": json.loads(shapely.to_geojson(place.outline))}
    return json.dumps(told, ensure_ascii=False)


@contextmanager
def _polite(server: str) -> Iterator[None]:
    """osmnx as we want it to ask: by our name, not for long, and never again by itself when it is refused."""
    wanted = {
        "use_cache": False, "nominatim_url": server, "http_user_agent": USER_AGENT, "requests_timeout": FIND_TIMEOUT_S,
        "requests_kwargs": {"hooks": {"response": _refuse_answer}},
    }  # fmt: skip
    before = {name: getattr(osmnx.settings, name) for name in wanted}
    for name, value in wanted.items():
        setattr(osmnx.settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(osmnx.settings, name, value)


def _refuse_answer(answer: requests.Response, *_: object, **__: object) -> None:
    """osmnx would wait a minute and ask again, for ever; a person can decide better."""
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        raise _refused(answer.status_code, answer.headers.get("Retry-After"), answer.url.partition("?")[0])


def fetch(
    place: Place, target: Path, *, overpass_url: str = "", cache: Path | None = None, days: float = KEPT_DAYS
) -> date:
    """Write the extract of ``place`` to ``target`` as OSM XML; the day on which it was fetched.

    Kept in ``cache`` and not asked for again for ``days``. LimitError for a place larger than ``MAX_KM2``; InputError
    when the server cannot be asked, wants to be left alone, or breaks off.
    """
    if place.area_km2 > MAX_KM2:
        cure = "Name a district of it, or give an extract with --osm FILE."
        raise LimitError(Fault(f"a place of at most {MAX_KM2:g} km²", f"{place.area_km2:.0f} km²", place.name, cure))
    server = (overpass_url or osmnx.settings.overpass_url).rstrip("/")
    query = QUERY.format(timeout=TIMEOUT_S, outline=asked_outline(place.outline))
    kept = _kept(cache, "extract", f"{server}\n{query}", ".osm") or target
    if kept == target or not _is_fresh(kept, days):
        _write(kept, lambda part: _download(query, server, part))
    if kept != target:
        shutil.copyfile(kept, target)
    return datetime.fromtimestamp(kept.stat().st_mtime, UTC).date()


def _download(query: str, server: str, part: Path) -> None:
    request = urllib.request.Request(
        f"{server}/interpreter",
        data=urllib.parse.urlencode({"data": query}).encode(),
        headers={"User-Agent": USER_AGENT},
    )
    try:
        with ONE_AT_A_TIME, urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, part.open("wb") as handle:
            _copy(answer, handle, server)
    except urllib.error.HTTPError as error:
        raise _refused(error.code, error.headers.get("Retry-After"), server) from error
    except (OSError, http.client.HTTPException) as error:
        raise _offline(server, error) from error
    _refuse_broken(part, server)


def _copy(answer: IO[bytes], handle: IO[bytes], server: str) -> None:
    """The whole answer; a server that sends a little now and then must not keep us for ever."""
    end = time.monotonic() + WHOLE_TIMEOUT_S
    while chunk := answer.read(CHUNK_BYTES):
        handle.write(chunk)
        if time.monotonic() > end:
            raise InputError(Fault(f"an answer within {WHOLE_TIMEOUT_S} s", "more to come", server, LATER))


def _kept(cache: Path | None, kind: str, question: str, suffix: str) -> Path | None:
    """Where the answer to a question is kept; None when nothing is."""
    if cache is None:
        return None
    cache.mkdir(parents=True, exist_ok=True)
    return cache / f"{kind}-{hashlib.sha256(question.encode()).hexdigest()[:16]}{suffix}"


def _is_fresh(kept: Path | None, days: float) -> bool:
    return kept is not None and kept.is_file() and time.time() - kept.stat().st_mtime < days * DAY_S


def _write(target: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all."""
    part = target.with_name(f".{target.name}-{secrets.token_hex(4)}.part")
    try:
        write(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def asked_outline(outline: Polygon | MultiPolygon) -> str:
    """The outer line of the place with a margin, as Overpass wants it: ``lat lon lat lon …`` of one polygon."""
    wide = _metric(outline).simplify(SIMPLE_M).buffer(MARGIN_M + SIMPLE_M).simplify(SIMPLE_M)
    whole = wide.to_crs("EPSG:4326").iloc[0]
    ring = (whole if isinstance(whole, Polygon) else shapely.convex_hull(whole)).exterior
    return " ".join(f"{lat:.6f} {lon:.6f}" for lon, lat in ring.coords)


def _metric(outline: Polygon | MultiPolygon) -> gpd.GeoSeries:
    middle = outline.centroid
    return gpd.GeoSeries([outline], crs="EPSG:4326").to_crs(metric_crs(middle.x, middle.y))


def _refused(status: int, retry_after: str | None, server: str) -> InputError:
    """What a server's refusal means, and what to do about it."""
    said = f"HTTP {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = f"{retry_after} seconds" if retry_after and retry_after.isdigit() else "some minutes"
        cure = f"It was asked too often: wait {wait}, then try again, or give an extract with --osm FILE."
        return InputError(Fault("an answer", f"{said}, too many requests", server, cure))
    if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return InputError(Fault("an answer", f"{said}, the server is busy", server, LATER))
    return InputError(Fault("an answer", f"none ({said})", server, OFFLINE))


def _offline(server: str, error: Exception) -> InputError:
    return InputError(Fault("an answer", f"none ({type(error).__name__})", server, OFFLINE))


def _refuse_broken(file: Path, server: str) -> None:
    """Overpass says that it broke off in a remark at the end of an otherwise good answer."""
    with file.open("rb") as handle:
        head = handle.read(200)
        handle.seek(max(0, file.stat().st_size - 2000))
        tail = handle.read()
    if b"<osm" not in head or b"</osm>" not in tail or b"runtime error" in tail:
        raise InputError(Fault("a whole extract", "an answer that was broken off", server, LATER))
