"""A place by its name, fetched from servers that this test runs on the loopback address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

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
def server(answer: bytes, status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers every request alike; its address and the bodies it was sent."""
    asked: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
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
    with server(json.dumps(KNOWN).encode()) as (url, _):
        found = place.find("Kampen, Netherlands", nominatim_url=url)
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


def test_a_busy_server_is_named(tmp_path: Path) -> None:
    with server(b"", 504) as (url, _), pytest.raises(InputError, match="HTTP 504"):
        place.fetch(place.Place("Kampen", SQUARE), tmp_path / "k.osm", overpass_url=url)


def test_a_place_too_large_is_refused_before_asking(tmp_path: Path) -> None:
    wide = place.Place("Nederland", shapely.box(4, 51, 7, 53))
    with pytest.raises(LimitError, match="2500"):
        place.fetch(wide, tmp_path / "k.osm", overpass_url="http://127.0.0.1:9/")
