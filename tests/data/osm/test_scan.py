from __future__ import annotations

import bz2
import gzip
from itertools import pairwise
from pathlib import Path

import osmium
import pytest

from data.osm.raw import Raw
from data.osm.scan import scan
from geo.errors import FileMissingError, UnreadableError
from tests.data.osm.drawn import Town, street

HOUSE = {"building": "house"}


def pbf(source: Path, target: Path) -> Path:
    """The same map as .osm.pbf."""
    with osmium.SimpleWriter(str(target)) as writer:
        for thing in osmium.FileProcessor(str(source)):
            writer.add(thing)
    return target


def chains(raw: Raw) -> list[tuple[int, list[int]]]:
    """The streets: the way's number, and the nodes of each of its stretches."""
    of = raw.streets
    nodes = [of.node[a:b].tolist() for a, b in pairwise(of.first.tolist())]
    return list(zip(raw.things.number[of.of].tolist(), nodes, strict=True))


def test_every_form_of_file_reads_the_same(tmp_path: Path) -> None:
    plain = street().box(2, 0, 10, 10, 10, **HOUSE).write(tmp_path / "a.osm")
    forms = [plain, pbf(plain, tmp_path / "a.osm.pbf")]
    for name, pack in (("a.osm.gz", gzip.compress), ("a.osm.bz2", bz2.compress)):
        forms.append(tmp_path / name)
        forms[-1].write_bytes(pack(plain.read_bytes()))
    found = [scan(path) for path in forms]
    assert {tuple(raw.things.ids()) for raw in found} == {("w1", "w2")}
    assert [chains(raw) for raw in found] == [[(1, [1, 2, 3])]] * len(forms)


@pytest.mark.parametrize("name", ["a.osm", "a.xml", "a.osm.xml", "a.pbf", "nothing"])
def test_what_a_file_is_called_does_not_matter(tmp_path: Path, name: str) -> None:
    assert scan(street().write(tmp_path / name)).things.ids() == ["w1"]


def test_missing_nodes_cut_a_way_into_pieces(tmp_path: Path) -> None:
    """
    ::

        1───2───3   (4)   5───6     node 4 is not in the file
    """
    town = street()
    for number, x in ((5, 200), (6, 250)):
        town.node(number, x, 0)
    raw = scan(town.way(9, [1, 2, 3, 4, 5, 6], highway="footway").write(tmp_path / "a.osm"))
    assert [nodes for way, nodes in chains(raw) if way == 9] == [[1, 2, 3], [5, 6]]
    assert raw.counts["ways_cut_by_missing_nodes"] == 1
    assert raw.things.chains.of.tolist() == [0, 1, 1]  # w1 is whole, w9 in two


def test_a_way_with_fewer_than_two_known_nodes_in_a_row_is_counted(tmp_path: Path) -> None:
    raw = scan(street().way(9, [1, 77, 2, 78], highway="footway").write(tmp_path / "a.osm"))
    assert (raw.things.ids(), raw.counts["ways_without_line"]) == (["w1"], 1)


def test_a_cut_outline_is_not_closed(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 10, 10, **HOUSE)
    del town.nodes[town.ways[2][0][1]]
    raw = scan(town.write(tmp_path / "a.osm"))
    assert raw.things.closed.tolist() == [False, False]


@pytest.mark.parametrize("order", ["nwr", "nrw", "wnr", "wrn", "rwn", "rnw"])
def test_the_order_of_the_file_changes_nothing(tmp_path: Path, order: str) -> None:
    town = street().box(2, 0, 10, 30, 30).box(3, 10, 20, 5, 5)
    town.relation(4, [("w", 2, "outer"), ("w", 3, "inner")], type="multipolygon", natural="water")
    raw = scan(town.write(tmp_path / "a.osm", order=order))
    assert sorted(raw.things.ids()) == ["r4", "w1"]
    assert raw.counts["ways_without_line"] == raw.counts["areas_cut_off"] == 0
    assert raw.counts["file_sorted_first"] == (order.index("w") < order.index("n"))


def test_numbers_out_of_order_change_nothing(tmp_path: Path) -> None:
    town = Town().node(3, 0, 0).node(1, 50, 0).node(2, 100, 0).node(9, 100, 50).node(4, 50, 50)
    town.way(7, [3, 1, 2], highway="path").way(5, [2, 9, 4, 1, 2], **HOUSE)
    raw = scan(town.write(tmp_path / "a.osm"))
    assert sorted(raw.things.ids()) == ["w5", "w7"]
    assert [nodes for _, nodes in chains(raw)] == [[3, 1, 2]]


def test_an_object_twice_is_read_once(tmp_path: Path) -> None:
    path = street().write(tmp_path / "a.osm")
    again = path.read_text().replace("</osm>", '<way id="1"><nd ref="1"/><nd ref="2"/></way></osm>')
    path.write_text(again.replace('<way id="1"><', '<way id="1" version="2"><tag k="highway" v="path"/><'))
    raw = scan(path)
    assert raw.things.ids() == ["w1"]
    assert raw.things.tags[0]["highway"] == "path"  # the newest version


def test_objects_drawn_but_never_uploaded_keep_their_numbers(tmp_path: Path) -> None:
    town = Town().node(-1, 0, 0).node(-2, 50, 0).node(3, 100, 0, barrier="gate")
    raw = scan(town.way(-1, [-1, -2, 3], highway="footway").write(tmp_path / "a.osm"))
    assert raw.things.ids() == ["n3", "w-1"]
    assert chains(raw) == [(-1, [-1, -2, 3])]


def test_a_square_made_of_two_ways_is_a_street_along_both(tmp_path: Path) -> None:
    town = street()
    for number, x, y in ((11, 0, 50), (12, 40, 50), (13, 40, 90), (14, 0, 90)):
        town.node(number, x, y)
    town.way(8, [11, 12, 13]).way(9, [13, 14, 11])
    tags = {"type": "multipolygon", "highway": "pedestrian", "area": "yes", "name": "Market"}
    raw = scan(town.relation(5, [("w", 8, "outer"), ("w", 9, "outer")], **tags).write(tmp_path / "a.osm"))
    assert sorted(way for way, _ in chains(raw)) == [1, 8, 9]
    assert {raw.things.tags[row]["name"] for row in raw.streets.of} == {"Main", "Market"}
    assert "area" not in raw.things.tags[raw.things.ids().index("w8")]


def test_what_the_extract_cuts_off_is_counted_by_kind_and_kept_as_lines(tmp_path: Path) -> None:
    town = street().line(6, (0, 100), (500, 100))
    for number, tags in ((1, {"natural": "water"}), (2, {"boundary": "administrative", "admin_level": "8"}),
                         (3, {"building": "yes"}), (4, {"landuse": "forest"})):  # fmt: skip
        town.relation(number, [("w", 6, "outer"), ("w", 99, "outer")], type="multipolygon", **tags)
    raw = scan(town.write(tmp_path / "a.osm"))
    assert (raw.shores.ids, raw.borders.ids) == (["r1"], ["r2"])
    assert {name: n for name, n in raw.counts.items() if name.endswith("cut_off")} == {
        "water_cut_off": 1, "boundaries_cut_off": 1, "buildings_cut_off": 1, "areas_cut_off": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("head", "bounds", "date"), [
    ("", None, None),
    ('<bounds minlat="52" minlon="3" maxlat="53" maxlon="4"/>', (3, 52, 4, 53), None),
    ('<bounds minlat="52" minlon="3" maxlat="52" maxlon="4"/>', None, None),
    ('<meta osm_base="2021-06-12T07:41:41Z"/>', None, "2021-06-12"),
])  # fmt: skip
def test_header(tmp_path: Path, head: str, bounds: tuple[float, ...] | None, date: str | None) -> None:
    raw = scan(street().write(tmp_path / "a.osm", head=head))
    assert (raw.header.bounds, raw.header.date) == (bounds, date)


def test_without_a_date_in_the_header_the_newest_object_gives_it(tmp_path: Path) -> None:
    path = street().write(tmp_path / "a.osm")
    path.write_text(path.read_text().replace('<way id="1"', '<way id="1" timestamp="2019-04-21T10:00:00Z"'))
    assert scan(path).header.date == "2019-04-21"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match=r"no such file.*Check the path"):
        scan(tmp_path / "a.osm.pbf")


@pytest.mark.parametrize("content", [
    b"", b"hello\n", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"<html></html>", b"<osm", b"\x1f\x8bnope", b"BZh9nope",
    b"\0\0\0\x0d\x0a\x09OSMHeader\x18\x7f", b"\xff" * 100,
])  # fmt: skip
@pytest.mark.parametrize("name", ["a.osm.pbf", "a.osm"])
def test_what_is_no_map_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=str(path)):
        scan(path)


def test_a_file_cut_off_anywhere_is_refused_or_read_in_part(tmp_path: Path) -> None:
    whole = pbf(street().box(2, 0, 10, 10, 10, **HOUSE).write(tmp_path / "a.osm"), tmp_path / "a.osm.pbf").read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    refused = 0
    for size in range(1, len(whole), 7):
        cut.write_bytes(whole[:size])
        try:
            scan(cut)
        except UnreadableError:
            refused += 1
    assert refused > 0.9 * len(range(1, len(whole), 7))


def test_xml_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    path = street().write(tmp_path / "a.osm")
    bomb = '<!DOCTYPE osm [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<osm version'
    path.write_text(path.read_text().replace("<osm version", bomb).replace("Main", "&b;"))
    with pytest.raises(UnreadableError):
        scan(path)


def test_a_history_is_refused(tmp_path: Path) -> None:
    path = street().write(tmp_path / "a.osm")
    path.write_text(path.read_text().replace("<osm version", "<osmChange version").replace("</osm>", "</osmChange>"))
    with pytest.raises(UnreadableError, match="one moment"):
        scan(path)


def test_a_folder_is_no_map(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="a folder"):
        scan(tmp_path)
