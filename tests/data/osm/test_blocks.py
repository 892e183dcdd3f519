"""The plain form in which libosmium hands a map on, against libosmium's own reading of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
from hypothesis import given, settings
from hypothesis import strategies as st

from data.osm.blocks import FORM, plain, read
from tests.data.osm.drawn import Town, street

PLACES = st.tuples(st.integers(-179_0000000, 179_0000000), st.integers(-85_0000000, 85_0000000))
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=6)


def write(path: Path, nodes: dict[int, tuple[int, int]], ways: list[tuple[int, list[int], dict[str, str]]]) -> Path:
    with osmium.SimpleWriter(osmium.io.File(str(path), FORM), overwrite=True) as writer:
        for number, (lon, lat) in nodes.items():
            place = osmium.osm.Location(lon / 1e7, lat / 1e7)
            writer.add_node(
                osmium.osm.mutable.Node(id=number, location=place, tags={"wanted": str(number), "not": "x"})
            )
        for number, refs, tags in ways:
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
    return path


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(st.integers(-(1 << 40), 1 << 40), PLACES, max_size=9),
    st.lists(st.tuples(st.integers(-(1 << 40), 1 << 40), st.lists(st.integers(1, 1 << 40), max_size=9),
                       st.dictionaries(WORDS, WORDS, max_size=4)), max_size=5),
)  # fmt: skip
def test_what_is_written_is_read(
    tmp_path_factory: object, nodes: dict[int, tuple[int, int]], ways: list[tuple[int, list[int], dict[str, str]]]
) -> None:
    path = write(tmp_path_factory.mktemp("blocks") / "a.pbf", nodes, ways)  # type: ignore[attr-defined]
    found, lines, late = read(path, wanted=lambda key: key != "not")
    assert found.number.tolist() == list(nodes)
    assert list(zip(found.lon.tolist(), found.lat.tolist(), strict=True)) == list(nodes.values())
    assert [found.tags[row] for row in range(len(found))] == [{"wanted": str(number)} for number in nodes]
    assert lines.number.tolist() == [number for number, _, _ in ways]
    assert [part.tolist() for part in np.split(lines.node, lines.first[1:-1])] == [refs for _, refs, _ in ways] or [[]]
    assert [lines.tags[row] for row in range(len(lines))] == [
        {key: value for key, value in tags.items() if key != "not"} for _, _, tags in ways
    ]
    assert not late


def test_places_of_the_nodes_of_ways(tmp_path: Path) -> None:
    source = street().way(7, [1, 99, 3], highway="path").write(tmp_path / "a.osm")
    places = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    places.ignore_errors()
    with osmium.SimpleWriter(osmium.io.File(str(tmp_path / "a.pbf"), FORM)) as writer:
        osmium.apply(str(source), places, writer)
    nodes, ways, _ = read(tmp_path / "a.pbf", wanted=lambda _: True)
    at = dict(zip(nodes.number.tolist(), zip(nodes.lon.tolist(), nodes.lat.tolist(), strict=True), strict=True))
    seen = list(zip(ways.node.tolist(), zip(ways.lon.tolist(), ways.lat.tolist(), strict=True), strict=True))
    assert [place for _, place in seen] == [at.get(number, (2**31 - 1, 2**31 - 1)) for number, _ in seen]
    assert [number for number, _ in seen] == [1, 2, 3, 1, 99, 3]


def test_a_node_after_a_way_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.pbf", {1: (0, 0)}, [(5, [1], {})])
    source = Town().node(1, 0, 0, name="A").way(5, [1]).write(tmp_path / "a.osm", order="wnr")
    with osmium.SimpleWriter(osmium.io.File(str(tmp_path / "b.pbf"), FORM)) as writer:
        osmium.apply(str(source), writer)
    assert [read(tmp_path / name, wanted=lambda _: True)[2] for name in ("a.pbf", "b.pbf")] == [False, True]


def test_text_that_cannot_be_shown() -> None:
    told = (b"plain", b"a\nb\x00", b"\xff", "می\u200cخواهم\u3000中\u00a0文".encode())
    assert [plain(text) for text in told] == ["plain", "a b", "�", "می\u200cخواهم\u3000中\u00a0文"]
