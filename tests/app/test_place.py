"""A place by its name, fetched from servers that this test runs on the loopback address."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import osmnx
import pytest
import shapely

from app import place
from geo.errors import InputError, LimitError, NotFoundError

# A square of about 2 km by 2 km round Kampen's centre.
SQUARE = shapely.box(5.90, 52.55, 5.93, 52.57)
EXTRACT = b'<?xml version="1.0"?><osm version="0.6"><node id="1" lat="52.56" lon="5.91"/></osm>'
KNOWN = [{
    "display_name": "Kampen, Overijssel, Nederland", "lat": "52.56", "lon": "5.91", "importance": 0.5,
    "class": "boundary",
    "boundingbox": ["52.55", "52.57", "5.90", "5.93"], "geojson": json.loads(shapely.to_geojson(SQUARE)),
}]  # fmt: skip


@contextmanager
def server(answer: bytes, status: int = 200, **headers: str) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers every request alike; its address, and the bodies (or the names) it was asked with."""
    asked: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.command == "GET":
                asked.append(self.headers["User-Agent"].encode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/", asked
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def test_a_place_is_found_by_name() -> None:
    with server(json.dumps(KNOWN).encode()) as (url, asked):
        found = place.find("Kampen, Netherlands", nominatim_url=url)
    assert asked == [place.USER_AGENT.encode()]
    assert found.name == "Kampen, Overijssel, Nederland"
    assert found.outline.equals(SQUARE)
    assert found.area_km2 == pytest.approx(4.52, abs=0.1)


def test_an_unknown_place_is_said_to_be_unknown() -> None:
    with server(b"[]") as (url, _), pytest.raises(NotFoundError, match="--osm FILE"):
        place.find("Nowhere at all", nominatim_url=url)


def test_without_a_connection_the_message_says_what_to_do() -> None:
    with pytest.raises(InputError, match="--osm FILE"):
        place.find("Kampen", nominatim_url="http://127.0.0.1:9/")
    with pytest.raises(InputError, match="--osm FILE"):
        place.fetch(place.Place("Kampen", SQUARE), Path("/dev/null"), overpass_url="http://127.0.0.1:9/")


def test_the_extract_is_asked_for_with_a_margin_and_kept_as_it_came(tmp_path: Path) -> None:
    target = tmp_path / "kampen.osm"
    with server(EXTRACT) as (url, asked):
        place.fetch(place.Place("Kampen", SQUARE), target, overpass_url=url)
    assert target.read_bytes() == EXTRACT
    query = parse_qs(asked[0].decode())["data"][0]
    numbers = [float(n) for n in query.split('poly:"')[1].split('"')[0].split()]
    ring = shapely.Polygon(list(zip(numbers[1::2], numbers[::2], strict=True)))
    assert ring.contains(SQUARE)
    assert ring.area < 2.5 * SQUARE.area
    assert '[type~"^restriction"]' in query


@pytest.mark.parametrize("answer", [
    b"<html>busy</html>", EXTRACT[:-6],
    EXTRACT.replace(b"</osm>", b"<remark>runtime error: Query timed out</remark></osm>"),
])  # fmt: skip
def test_an_answer_that_was_broken_off_is_refused(answer: bytes, tmp_path: Path) -> None:
    with server(answer) as (url, _), pytest.raises(InputError, match="broken off"):
        place.fetch(place.Place("Kampen", SQUARE), tmp_path / "k.osm", overpass_url=url)


REFUSALS = [
    (429, {"Retry_After": "90"}, "wait 90 seconds"), (429, {}, "wait some minutes"), (504, {}, "busy.*Try again later"),
    (503, {}, "busy"), (500, {}, r"none \(HTTP 500\)"), (400, {}, r"none \(HTTP 400\)"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "said"), REFUSALS)
def test_a_server_that_refuses_is_asked_once_and_told_of(
    tmp_path: Path, status: int, headers: dict[str, str], said: str
) -> None:
    with server(b"", status, **headers) as (url, asked):
        with pytest.raises(InputError, match=said):
            place.fetch(place.Place("Kampen", SQUARE), tmp_path / "k.osm", overpass_url=url)
        with pytest.raises(InputError, match=said):
            place.find("Kampen", nominatim_url=url)
    assert len(asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_what_was_fetched_is_not_asked_for_again_for_a_month(tmp_path: Path) -> None:
    kampen, cache = place.Place("Kampen", SQUARE), tmp_path / "kept"
    with server(EXTRACT) as (url, asked):
        days = [place.fetch(kampen, tmp_path / "k.osm", overpass_url=url, cache=cache) for _ in range(2)]
        assert len(asked) == 1
        (kept,) = cache.iterdir()
        long_ago = time.time() - 31 * place.DAY_S
        os.utime(kept, (long_ago, long_ago))
        days.append(place.fetch(kampen, tmp_path / "k.osm", overpass_url=url, cache=cache))
        assert len(asked) == 2
    assert days == [datetime.now(UTC).date()] * 3
    assert (tmp_path / "k.osm").read_bytes() == EXTRACT


def test_a_name_is_not_asked_for_again(tmp_path: Path) -> None:
    with server(json.dumps(KNOWN).encode()) as (url, asked):
        found = [place.find(name, nominatim_url=url, cache=tmp_path) for name in ("Kampen", "Kampen", "Campen")]
        assert len(asked) == 2
    without = place.find("Kampen", nominatim_url=url, cache=tmp_path)  # the server is gone
    assert {p.name for p in (*found, without)} == {"Kampen, Overijssel, Nederland"}
    assert without.outline.equals(SQUARE)


def test_what_was_broken_off_is_not_kept(tmp_path: Path) -> None:
    kampen, cache = place.Place("Kampen", SQUARE), tmp_path / "kept"
    with server(EXTRACT[:-6]) as (url, _), pytest.raises(InputError, match="broken off"):
        place.fetch(kampen, tmp_path / "k.osm", overpass_url=url, cache=cache)
    assert list(cache.iterdir()) == []


def test_a_server_that_never_ends_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "WHOLE_TIMEOUT_S", 0)
    with server(EXTRACT) as (url, _), pytest.raises(InputError, match="more to come"):
        place.fetch(place.Place("Kampen", SQUARE), tmp_path / "k.osm", overpass_url=url)


def test_the_settings_of_osmnx_stay_as_they_were() -> None:
    before = osmnx.settings.http_user_agent
    with server(b"[]") as (url, _), pytest.raises(NotFoundError):
        place.find("Nowhere at all", nominatim_url=url)
    assert osmnx.settings.http_user_agent == before
    assert osmnx.settings.nominatim_url != url


def test_a_place_too_large_is_refused_before_asking(tmp_path: Path) -> None:
    wide = place.Place("Nederland", shapely.box(4, 51, 7, 53))
    with pytest.raises(LimitError, match="2500"):
        place.fetch(wide, tmp_path / "k.osm", overpass_url="http://127.0.0.1:9/")
