from __future__ import annotations

from pathlib import Path

import pytest

from data import osm
from tests.data.osm.drawn import degrees, street
from tests.data.osm.enlarged import enlarged


def test_copies_lie_side_by_side_with_ids_of_their_own(tmp_path: Path) -> None:
    (west, south), (east, north) = degrees(-10, -10), degrees(110, 60)
    head = f'<bounds minlat="{south:.7f}" minlon="{west:.7f}" maxlat="{north:.7f}" maxlon="{east:.7f}"/>'
    town = street().box(2, 0, 10, 30, 30, building="house").box(3, 40, 10, 30, 30)
    town.relation(4, [("w", 3, "outer")], type="multipolygon", natural="water")
    one = town.write(tmp_path / "a.osm", head=head)
    found = osm.read(enlarged(one, tmp_path / "five.osm.pbf", copies=5))
    assert (len(found.ways), len(found.buildings), len(found.areas)) == (5, 5, 5)
    assert found.buildings.area.sum() == pytest.approx(4500, rel=0.01)
    assert found.buildings.union_all().area == pytest.approx(4500, rel=0.01)
    assert found.counts["file_sorted_first"] == found.counts["ways_cut_by_missing_nodes"] == 0
