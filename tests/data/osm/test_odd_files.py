"""Maps as they really come: broken, odd, huge in one place, or something else altogether."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path

import numpy as np
import osmium
import pytest

from data import osm
from data.osm.scan import scan
from geo.errors import UnreadableError
from tests.data.osm.drawn import Town, street

HOUSE = {"building": "house"}
WATER = {"type": "multipolygon", "natural": "water"}


def town() -> Town:
    return street().box(2, 0, 10, 10, 10, name="A house", **HOUSE)


def pbf(source: Path, target: Path, form: str = "pbf") -> Path:
    """The same map as .osm.pbf, or another form of libosmium's."""
    with osmium.io.Reader(str(source)) as reader, osmium.SimpleWriter(osmium.io.File(str(target), form)) as writer:
        osmium.apply(reader, writer)
    return target


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.osm", content)
    return stream.getvalue()


@pytest.mark.parametrize(("packed", "what"), [
    (zipped, "zip"), (lzma.compress, "xz"), (lambda _: b"7z\xbc\xaf\x27\x1c..", "7z"), (lambda _: b"Rar!....", "rar"),
    (lambda _: b"\x28\xb5\x2f\xfd....", "zstd"),
])  # fmt: skip
def test_a_packed_map_is_refused_with_advice(tmp_path: Path, packed: object, what: str) -> None:
    path = tmp_path / "a.osm"
    path.write_bytes(packed(town().write(path).read_bytes()))  # type: ignore[operator]
    with pytest.raises(UnreadableError, match=rf"{what}.*Unpack it"):
        osm.read(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_pbf_is_refused_with_advice(tmp_path: Path, pack: object) -> None:
    inner = pbf(town().write(tmp_path / "a.osm"), tmp_path / "a.osm.pbf").read_bytes()
    (tmp_path / "b.gz").write_bytes(pack(inner))  # type: ignore[operator]
    with pytest.raises(UnreadableError, match=r"pbf inside.*Unpack it"):
        osm.read(tmp_path / "b.gz")


@pytest.mark.parametrize(("content", "advice"), [
    (b"SQLite format 3\0rest", "Add its tables"), (b'{"type": "FeatureCollection"}', "osm.pbf or .osm"),
])  # fmt: skip
def test_other_map_files_are_refused_with_advice(tmp_path: Path, content: bytes, advice: str) -> None:
    (tmp_path / "a.osm").write_bytes(content)
    with pytest.raises(UnreadableError, match=advice):
        osm.read(tmp_path / "a.osm")


def signed(number: int) -> bytes:
    """A number of o5m: its sign in the last bit."""
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def o5m(head: bytes) -> bytes:
    """Two nodes 1e-4 degrees apart and the path between them."""
    nodes = [signed(1) + b"\0" + signed(30_000_000) + signed(523_500_000), signed(1) + b"\0" + signed(1000) + signed(0)]
    refs = signed(1) + signed(1)
    way = signed(5) + b"\0" + varint(len(refs)) + refs + b"\0highway\0path\0"
    sets = [b"\x10" + varint(len(node)) + node for node in nodes] + [b"\xff", b"\x11" + varint(len(way)) + way]
    return b"\xff\xe0" + varint(len(head)) + head + b"".join(sets) + b"\xfe"


def test_o5m_is_read_and_its_changes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(o5m(b"o5m2"))
    found = osm.read(tmp_path / "a")
    assert (found.ways.tags["highway"].tolist(), found.ways.node.tolist()) == (["path"], [1, 2])
    assert np.hypot(np.diff(found.ways.x), np.diff(found.ways.y)) == pytest.approx(6.8, abs=0.1)
    (tmp_path / "a").write_bytes(o5m(b"o5c2"))
    with pytest.raises(UnreadableError, match="one moment"):
        osm.read(tmp_path / "a")


@pytest.mark.parametrize("form", ["osm", "osm.gz", "osm.bz2", "pbf"])
def test_a_file_cut_off_is_refused(tmp_path: Path, form: str) -> None:
    big = town()
    for number in range(10, 210):
        big.box(number, number, 50, 5, 5, name=f"House {number * 7919 % 1000}", **HOUSE)
    whole = pbf(big.write(tmp_path / "a.osm"), tmp_path / "whole", form).read_bytes()
    for share in (0.3, 0.6, 0.95):
        (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UnreadableError, match=r"cut off|whole town"):
            osm.read(tmp_path / "cut")


@pytest.mark.parametrize("form", ["osm", "pbf"])
def test_a_map_of_nothing_has_no_streets(tmp_path: Path, form: str) -> None:
    path = pbf(Town().write(tmp_path / "a.osm"), tmp_path / "b", form)
    with pytest.raises(UnreadableError, match=r"streets.*none in the file"):
        osm.read(path)


def test_streets_alone_are_a_map(tmp_path: Path) -> None:
    found = osm.read(street().write(tmp_path / "a.osm"))
    tables = (found.buildings, found.facilities, found.shelters, found.areas, found.lines, found.boundaries)
    assert [len(table) for table in tables] == [0] * 6
    assert "other_names" in found.buildings


def test_relations_with_new_numbers_over_ways_with_old_ones(tmp_path: Path) -> None:
    made = street().box(2, 0, 10, 30, 30).relation(-5, [("w", 2, "outer")], **WATER)
    found = osm.read(made.write(tmp_path / "a.osm"))
    assert found.areas["area_id"].tolist() == ["r-5"]


def test_a_number_beyond_all_numbers_costs_no_memory(tmp_path: Path) -> None:
    made = street().box(2, 0, 10, 30, 30).relation(1 << 60, [("w", 2, "outer"), ("n", 1 << 61, "")], **WATER)
    raw = scan(made.way(3, [1, 2, 1 << 61], highway="path").write(tmp_path / "a.osm"))
    assert (raw.counts["water_cut_off"], raw.counts["ways_cut_by_missing_nodes"]) == (1, 1)


def test_rings_that_touch_and_relations_that_break(tmp_path: Path) -> None:
    """Two pools that meet in one corner are one lake; a ring that does not close and one without ways are counted."""
    made = street().box(2, 0, 10, 10, 10).box(3, 10, 20, 10, 10).line(4, (0, 60), (10, 60), (10, 70))
    made.ways[3] = ([made.ways[2][0][2], *made.ways[3][0][1:4], made.ways[2][0][2]], {})
    made.relation(1, [("w", 2, "outer"), ("w", 3, "outer")], **WATER)
    made.relation(2, [("w", 4, "outer")], type="multipolygon", landuse="forest").relation(3, [], **WATER)
    made.relation(4, [("w", 2, "outer"), ("r", 4, "outer"), ("w", 2, "outer")], type="multipolygon", landuse="grass")
    found = osm.read(made.write(tmp_path / "a.osm"))
    assert found.areas.set_index("area_id").area["r1"] == pytest.approx(200, rel=0.01)
    assert found.counts["areas_cut_off"] >= 1
    assert found.counts["water_cut_off"] == 1


def test_a_relation_of_thousands_of_ways(tmp_path: Path) -> None:
    made, n = street(), 3000
    for number in range(n):
        made.node(10_000 + number, 500 * np.cos(2 * np.pi * number / n), 500 * np.sin(2 * np.pi * number / n))
    for number in range(n):
        made.way(100 + number, [10_000 + number, 10_000 + (number + 1) % n])
    made.relation(9, [("w", 100 + number, "outer") for number in range(n)], **WATER)
    areas = osm.read(made.write(tmp_path / "a.osm")).areas
    assert areas.area.tolist() == [pytest.approx(np.pi * 500**2, rel=0.01)]


def test_a_way_of_a_hundred_thousand_nodes(tmp_path: Path) -> None:
    made, n = street(), 100_000
    at = np.column_stack([np.linspace(0, 1e-3, n), np.linspace(0, 1e-3, n)]) + np.array([3.0, 52.35])
    path = made.write(tmp_path / "a.osm")
    nodes = "".join(f'<node id="{i}" lat="{y:.7f}" lon="{x:.7f}"/>' for i, (x, y) in enumerate(at, 10_000))
    way = "".join(f'<nd ref="{i}"/>' for i in range(10_000, 10_000 + n))
    text = path.read_text().replace("<way", f"{nodes}<way", 1)
    path.write_text(text.replace("</osm>", f'<way id="5">{way}<tag k="highway" v="path"/></way></osm>'))
    raw = scan(path)
    assert raw.streets.size.tolist() == [3, n]
    assert raw.streets.node[-1] == 10_000 + n - 1


def test_places_that_are_not_on_earth(tmp_path: Path) -> None:
    path = street().node(4, 0, 30).node(5, 10, 30).way(6, [4, 5, 2], highway="path").write(tmp_path / "a.osm")
    lines = path.read_text().splitlines()
    wrong = '<node id="4" version="1" lat="123.0" lon="3.0"></node>'
    path.write_text("\n".join(wrong if line.startswith('<node id="4"') else line for line in lines))
    found = osm.read(path)
    assert (found.counts["nodes_beyond_earth"], found.counts["ways_cut_by_missing_nodes"]) == (1, 1)


def test_a_street_without_length_is_kept(tmp_path: Path) -> None:
    found = osm.read(street().node(4, 50, 0).way(6, [2, 4], highway="path").write(tmp_path / "a.osm"))
    assert found.ways.tags["way_id"].tolist() == [1, 6]


def test_names_with_control_characters_and_broken_letters(tmp_path: Path) -> None:
    made = town().box(3, 30, 10, 10, 10, name="B house", **HOUSE).box(4, 60, 10, 10, 10)
    made.relation(7, [("w", 4, "outer")], name="C water", **WATER)
    plain = pbf(made.write(tmp_path / "a.osm"), tmp_path / "a.pbf", "pbf,pbf_compression=none")
    content = plain.read_bytes()
    for clean, broken in ((b"A house", b"A\x01h\nuse"), (b"B house", b"B h\xff\xfese"), (b"C water", b"C wat\xff\xff")):
        assert clean in content
        content = content.replace(clean, broken)
    plain.write_bytes(content)
    found = osm.read(plain)
    assert found.buildings["name"].tolist() == ["A h use", "B h��se"]
    assert found.counts["relations_unreadable"] == 1


@pytest.mark.parametrize("packed", [False, True])
def test_a_zero_byte_in_text_is_refused(tmp_path: Path, packed: bool) -> None:
    """libosmium takes text to end there, and crashes."""
    plain = pbf(town().write(tmp_path / "a.osm"), tmp_path / "a.pbf", "pbf,pbf_compression=none")
    content = plain.read_bytes().replace(b"A house", b"A\x00house")
    plain.write_bytes(repacked(content) if packed else content)
    with pytest.raises(UnreadableError, match="zero byte"):
        osm.read(plain)


def repacked(content: bytes) -> bytes:
    """A PBF with its last block, which holds the ways, packed."""
    start = content.rindex(b"OSMData") - 6
    size = int.from_bytes(content[start : start + 4], "big")
    head, blob = content[start + 4 : start + 4 + size], content[start + 4 + size :]
    raw = blob[1 + next(at for at, byte in enumerate(blob[1:], 1) if byte < 128) :]
    packed = zlib.compress(raw)
    blob = b"\x10" + varint(len(raw)) + b"\x1a" + varint(len(packed)) + packed
    head = head[: head.index(b"\x18") + 1] + varint(len(blob))
    return content[:start] + len(head).to_bytes(4, "big") + head + blob


def varint(number: int) -> bytes:
    return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])
