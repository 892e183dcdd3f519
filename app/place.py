"""A city by its name: its outline and its OpenStreetMap extract, fetched once, when there is an internet connection.

The outline comes from Nominatim through osmnx; the extract is asked of Overpass as OSM XML, so that the file in the
study is an ordinary extract that reads the same tomorrow without any connection.
"""

from __future__ import annotations

import shutil
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import osmnx
import shapely
from shapely import MultiPolygon, Polygon

from geo.crs import metric_crs
from geo.errors import Fault, InputError, LimitError, NotFoundError

MAX_KM2 = 2500.0
"""Largest place fetched at once, square kilometres: Overpass refuses much more, and its servers are a gift."""
MARGIN_M = 500.0
"""Streets this far outside the outline are fetched as well: the nearest shelter may lie across the line."""
SIMPLE_M = 50.0
"""The outline is asked for without detail finer than this, metres."""
TIMEOUT_S = 600
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


def find(text: str, *, nominatim_url: str = "") -> Place:
    """The place a person names, as Nominatim understands it.

    NotFoundError when it knows none with an outline, InputError when it cannot be asked.
    """
    osmnx.settings.use_cache = False
    osmnx.settings.nominatim_url = nominatim_url or osmnx.settings.nominatim_url
    try:
        row = osmnx.geocode_to_gdf(text).iloc[0]
    except (osmnx._errors.InsufficientResponseError, TypeError):
        cure = "Name it as on the map, with its country, or give an extract with --osm FILE."
        raise NotFoundError(Fault("a place that OpenStreetMap knows with its outline", repr(text), "", cure)) from None
    except OSError as error:
        raise _offline(osmnx.settings.nominatim_url, error) from error
    return Place(str(row["display_name"]), row["geometry"])


def fetch(place: Place, target: Path, *, overpass_url: str = "") -> None:
    """Write the extract of ``place`` to ``target`` as OSM XML.

    LimitError for a place larger than ``MAX_KM2``; InputError when the server cannot be asked or breaks off.
    """
    if place.area_km2 > MAX_KM2:
        cure = "Name a district of it, or give an extract with --osm FILE."
        raise LimitError(Fault(f"a place of at most {MAX_KM2:g} km²", f"{place.area_km2:.0f} km²", place.name, cure))
    server = (overpass_url or osmnx.settings.overpass_url).rstrip("/")
    query = QUERY.format(timeout=TIMEOUT_S, outline=asked_outline(place.outline))
    request = urllib.request.Request(
        f"{server}/interpreter",
        data=urllib.parse.urlencode({"data": query}).encode(),
        headers={"User-Agent": osmnx.settings.http_user_agent},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, target.open("wb") as handle:
            shutil.copyfileobj(answer, handle)
    except OSError as error:
        raise _offline(server, error) from error
    _refuse_broken(target, server)


def asked_outline(outline: Polygon | MultiPolygon) -> str:
    """The outer line of the place with a margin, as Overpass wants it: ``lat lon lat lon …`` of one polygon."""
    wide = _metric(outline).simplify(SIMPLE_M).buffer(MARGIN_M + SIMPLE_M).simplify(SIMPLE_M)
    whole = wide.to_crs("EPSG:4326").iloc[0]
    ring = (whole if isinstance(whole, Polygon) else shapely.convex_hull(whole)).exterior
    return " ".join(f"{lat:.6f} {lon:.6f}" for lon, lat in ring.coords)


def _metric(outline: Polygon | MultiPolygon) -> gpd.GeoSeries:
    middle = outline.centroid
    return gpd.GeoSeries([outline], crs="EPSG:4326").to_crs(metric_crs(middle.x, middle.y))


def _offline(server: str, error: OSError) -> InputError:
    said = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
    return InputError(Fault("an answer", f"none ({said})", server, OFFLINE))


def _refuse_broken(file: Path, server: str) -> None:
    """Overpass says that it broke off in a remark at the end of an otherwise good answer."""
    with file.open("rb") as handle:
        head = handle.read(200)
        handle.seek(max(0, file.stat().st_size - 2000))
        tail = handle.read()
    if b"<osm" not in head or b"</osm>" not in tail or b"runtime error" in tail:
        cure = "Try again later or with a smaller place, or give an extract with --osm FILE."
        raise InputError(Fault("a whole extract", "an answer that was broken off", server, cure))
