"""GeoJSON and other text: depth, size, numbers that are none, places that are none, shapes that take for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.hostile import seeds
from tests.hostile.maker import SECRET, case
from tests.hostile.opening import NEAR
from tests.hostile.seeds import SOUTH, WEST

Json = Any
PLACE = {"type": "Point", "coordinates": [118.8, 32.05]}


def collection(*shapes: Json, **properties: Json) -> bytes:
    """A file of these shapes; each has the properties."""
    features = [
        {"type": "Feature", "properties": {"name": f"n{i}", **properties}, "geometry": shape}
        for i, shape in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def raw(geometry: str, properties: str = '{"name":"a"}') -> bytes:
    """The same of JSON written by hand."""
    feature = f'{{"type":"Feature","properties":{properties},"geometry":{geometry}}}'
    return f'{{"type":"FeatureCollection","features":[{feature}]}}'.encode()


def polygon(*rings: Json) -> Json:
    return {"type": "Polygon", "coordinates": [np.asarray(ring).tolist() for ring in rings]}


def nested(depth: int) -> bytes:
    inner = '{"type":"GeometryCollection","geometries":['
    return raw(inner * depth + json.dumps(PLACE) + "]}" * depth)


def spikes(number: int) -> Json:
    """A star that crosses itself at each of its many points, within the study."""
    angle = np.arange(number) * (np.pi * (1 - 2 / number) + 2 * np.pi * (number // 3) / number)
    ring = np.c_[WEST + 0.005 + 0.004 * np.cos(angle), SOUTH + 0.005 + 0.004 * np.sin(angle)]
    return polygon(np.r_[ring, ring[:1]])


def comb(number: int) -> Json:
    """Two combs drawn over each other: the crossings grow with the square of the teeth."""
    teeth = np.linspace(0, 0.01, number)
    up = np.c_[WEST + np.repeat(teeth, 2), SOUTH + np.tile([0, 0.01, 0.01, 0], number // 2 + 1)[: 2 * number]]
    across = np.c_[WEST + np.tile([0, 0.01, 0.01, 0], number // 2 + 1)[: 2 * number], SOUTH + np.repeat(teeth, 2)]
    ring = np.r_[up, across[::-1]]
    return polygon(np.r_[ring, ring[:1]])


def holes(number: int) -> Json:
    side = int(number**0.5)
    outer = [[WEST, SOUTH], [WEST + 0.02, SOUTH], [WEST + 0.02, SOUTH + 0.02], [WEST, SOUTH + 0.02], [WEST, SOUTH]]
    step, size = 0.02 / (side + 1), 0.3 * 0.02 / (side + 1)
    corners = [(WEST + step * (i + 0.5), SOUTH + step * (j + 0.5)) for i in range(side) for j in range(side)]
    return polygon(outer, *([[x, y], [x, y + size], [x + size, y + size], [x + size, y], [x, y]] for x, y in corners))


def moving(property_: str) -> Callable[[], bytes]:
    return lambda: raw(json.dumps(PLACE), property_)


SQUARE = [[WEST, SOUTH], [WEST + 0.001, SOUTH], [WEST + 0.001, SOUTH + 0.001], [WEST, SOUTH + 0.001], [WEST, SOUTH]]
case("deep.geojson", "stack: 100 000 collections in each other", "unreadable", lambda: nested(100_000))
case("deep500.geojson", "stack: 500 collections in each other", "columns", lambda: nested(500))
case(
    "brackets.geojson",
    "stack: a million brackets",
    "unreadable",
    lambda: raw('{"type":"Point","coordinates":' + "[" * 1_000_000),
)
case(
    "deep_property.geojson",
    "stack: a property 10 000 deep",
    "unreadable",
    moving('{"a":' * 10_000 + "1" + "}" * 10_000),
)
case(
    "columns.geojson",
    "memory: 100 000 properties",
    "limit-properties",
    lambda: collection(PLACE, **{f"p{i}": i for i in range(100_000)}),
)
case(
    "columns_each.geojson",
    "memory: every row has columns of its own",
    "limit-properties",
    lambda: json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {f"p{i}_{j}": 1 for j in range(100)}, "geometry": PLACE}
                for i in range(500)
            ],
        }
    ).encode(),
)
case("long_text.geojson", "memory: a text of 100 MB", "unreadable", moving(f'{{"name":"{"x" * (100 << 20)}"}}'))
case("long_key.geojson", "terminal: a column's name of 3 MB", "limit-text", moving(f'{{"{"k" * (3 << 20)}":1}}'))
case(
    "huge_numbers.geojson",
    "reader: coordinates of 1e308",
    "crs",
    lambda: raw('{"type":"LineString","coordinates":[[1e308,1e308],[-1e308,1e308]]}'),
)
case(
    "too_huge.geojson",
    "reader: coordinates of 1e999",
    "unreadable",
    lambda: raw('{"type":"Point","coordinates":[1e999,1e999]}'),
)
case(
    "nan.geojson",
    "reader: coordinates NaN and Infinity",
    "crs",
    lambda: raw('{"type":"Point","coordinates":[NaN,Infinity]}'),
)
case(
    "some_nan.geojson",
    "shapes: an outline with a corner at infinity",
    "crs",
    lambda: collection(polygon([[WEST, SOUTH], [WEST + 0.001, SOUTH], [float("inf"), SOUTH + 0.001], [WEST, SOUTH]])),
)
case("twice.geojson", "reader: the same key twice", "accepted", moving('{"name":"a","name":"b","name":{"c":1}}'))
case(
    "dimensions.geojson",
    "shapes: points of 2, 3, 4 and 1 numbers",
    "unreadable",
    lambda: raw('{"type":"LineString","coordinates":[[118.8,32.05],[118.8,32.06,5],[118.8,32.07,1,2],[118.8]]}'),
)
case(
    "open_ring.geojson",
    "shapes: a ring that is not closed",
    "accepted:outlines_closed",
    lambda: collection(polygon(SQUARE[:-1])),
)
case("one_point.geojson", "shapes: a ring of one point", "unreadable", lambda: collection(polygon(SQUARE[:1])))
case(
    "inside_out.geojson",
    "shapes: a hole larger than its outline",
    "accepted:outlines_repaired",
    lambda: collection(
        polygon(SQUARE, [[NEAR[0], NEAR[1]], [NEAR[2], NEAR[1]], [NEAR[2], NEAR[3]], [NEAR[0], NEAR[1]]])
    ),
)
case(
    "star.geojson",
    "time: a star of 20 000 points that crosses itself",
    "limit-memory",
    lambda: collection(spikes(20_001)),
)
case("comb.geojson", "time: combs with millions of crossings", "limit-memory", lambda: collection(comb(3000)))
case("holes.geojson", "time: a hundred thousand holes", "accepted", lambda: collection(holes(100_000)))
case(
    "bowties.geojson",
    "time: 20 000 outlines that cross themselves",
    "accepted:outlines_repaired",
    lambda: collection(
        *[
            polygon(
                [
                    [WEST + i * 1e-6, SOUTH],
                    [WEST + i * 1e-6 + 1e-3, SOUTH + 1e-3],
                    [WEST + i * 1e-6 + 1e-3, SOUTH],
                    [WEST + i * 1e-6, SOUTH + 1e-3],
                    [WEST + i * 1e-6, SOUTH],
                ]
            )
            for i in range(20_000)
        ]
    ),
)
case(
    "stack.geojson",
    "memory: one place a hundred thousand times",
    "accepted",
    lambda: collection(*[PLACE] * 100_000).replace(b'"name"', b'"naam"'),
)
case(
    "swapped.geojson",
    "places: latitude first",
    "accepted:axes_swapped",
    lambda: collection({"type": "Point", "coordinates": [32.05, 118.8]}),
)
case(
    "big_id.geojson",
    "reader: numbers of 400 figures",
    "unreadable",
    lambda: raw(json.dumps(PLACE), f'{{"id":{"9" * 400},"n":{"1" * 4000},"name":"a"}}'),
)
case(
    "half_letters.geojson",
    "encoding: half of a pair of surrogates",
    "accepted",
    moving('{"name":"\\ud800","b":"\\udfff\\u0000"}'),
)
case(
    "escapes.geojson",
    "terminal: ANSI escapes and right-to-left marks",
    "columns",
    moving('{"capacity":"\\u001b[2J\\u202egnp.exe","name":"\\u001b]0;owned\\u0007"}'),
)
case("markup.geojson", "page: a script for a name", "accepted", moving('{"name":"<script>alert(1)</script>{{7*7}}"}'))
case("utf16.geojson", "encoding: UTF-16 with its mark", "columns", lambda: seeds.geojson().decode().encode("utf-16"))
case(
    "not_utf8.geojson",
    "encoding: bytes that are no letters",
    "accepted:encoding_guessed",
    lambda: seeds.geojson().replace("避".encode(), b"\xff\xfe\x00\x80"),
)
case("cut.geojson", "reader: half a file", "unreadable", lambda: seeds.geojson()[:1000])
case(
    "vrt.geojson",
    "files: a list of other files, called GeoJSON",
    "unreadable",
    lambda: (
        b"<OGRVRTDataSource><OGRVRTLayer name='secret'><SrcDataSource>CSV:../secret.txt</SrcDataSource>"
        b"</OGRVRTLayer></OGRVRTDataSource>"
    ),
)
case(
    "link.geojson",
    "files: a coordinate system in another file",
    "accepted",
    lambda: seeds.geojson()[:-1] + b',"crs":{"type":"link","properties":{"href":"../secret.txt","type":"ogcwkt"}}}',
)
case(
    "named_crs.geojson",
    "network: a coordinate system by address",
    "accepted",
    lambda: seeds.geojson().replace(b"urn:ogc:def:crs:OGC:1.3:CRS84", b"http://127.0.0.1:9/epsg/4326"),
)
case(
    "topology.topojson",
    "reader: arcs that are not there",
    "crs",
    lambda: (
        b'{"type":"Topology","arcs":[[[0,0],[1,1]]],"objects":{"a":{"type":"GeometryCollection","geometries":['
        b'{"type":"Polygon","arcs":[[99999999]]},{"type":"LineString","arcs":[-99999999]}]}}}'
    ),
)
case(
    "topology_type.topojson",
    "reader: a topology of other types",
    "unreadable",
    lambda: b'{"type":"Topology","arcs":5,"objects":[1,2]}',
)
case(
    "lines.geojsonl",
    "reader: features one a line, one of them cut",
    "accepted",
    lambda: (
        b'{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[118.8,32]}}\n{"type":"Feature"'
    ),
)
case("esri.json", "reader: JSON of another kind", "unreadable", lambda: json.dumps({"a": [SECRET]}).encode())
case(
    "wfs.json",
    "network: GeoJSON that names a service",
    "accepted",
    lambda: seeds.geojson()[:-1] + b',"links":[{"rel":"next","href":"http://127.0.0.1:9/next"}]}',
)
