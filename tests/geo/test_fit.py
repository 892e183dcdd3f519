"""Whether outlines fit together: drawn, and by law."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import fit
from geo.fit import Fit, FitParams

CRS = "EPSG:32631"
PARAMS = FitParams(sliver_m=5, edge_gap_m=50, tiny_m2=100)


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(600_000 + x, 5_800_000 + y, 600_000 + x + width, 5_800_000 + y + height)


def units(
    *shapes: shapely.Geometry, names: list[str] | None = None, parents: list[str] | None = None
) -> gpd.GeoDataFrame:
    ids = [f"u{n}" for n in range(len(shapes))]
    text = {"name": names or [i.upper() for i in ids], "name_zh": None, "name_en": None}
    rest = {"parent_id": parents, "level": "community", "source": "drawn"}
    return gpd.GeoDataFrame({"community_id": ids, **text, **rest}, geometry=list(shapes), crs=CRS)


def faults(*shapes: shapely.Geometry, study: shapely.Polygon | None = None, **more: list[str]) -> Fit:
    return fit.faults(units(*shapes, **more), params=PARAMS, study_outline=study)  # type: ignore[arg-type]


def codes(found: Fit) -> list[str]:
    return [finding.code for finding in found.findings]


# Three rows of a town; b reaches 20 m into a over 100 m, and between c and d lie 30 m that are nobody's.
#
#   200 ┌───────┬───────┐
#       │   c   │░  d   │
#   100 ├───────┼───────┤
#       │   a  ▒│   b   │
#     0 └───────┴───────┘
#       0      100     200
A, B = box(0, 0, 100, 100), box(80, 0, 120, 100)
C, D = box(0, 100, 100, 100), box(130, 100, 70, 100)


class TestDrawn:
    def test_four_that_fit_have_no_fault(self) -> None:
        found = faults(A, box(100, 0, 100, 100), C, box(100, 100, 100, 100))
        assert found.clean and codes(found) == []

    def test_an_overlap_and_a_gap_with_their_size_and_whose(self) -> None:
        found = faults(A, B, C, D)
        (overlap,), (gap,) = found.overlaps.to_dict("records"), found.gaps.to_dict("records")
        assert (overlap["kind"], overlap["one_id"], overlap["other_id"]) == ("overlap", "u0", "u1")
        assert overlap["area_m2"] == pytest.approx(2000) and not overlap["sliver"]
        assert (gap["kind"], gap["beside_ids"]) == ("edge", "u2; u3; u1")
        assert gap["area_m2"] == pytest.approx(3000)
        assert "U0 / U1 2,000 m²" in found.findings[0].en and "三不管" in found.findings[1].zh
        assert repr(found) == "Fit(2 overlaps and gaps, 0 slivers, 2 findings)"

    def test_the_same_twice_and_one_inside_another(self) -> None:
        found = faults(A, A, box(10, 10, 20, 20))
        assert found.overlaps["kind"].tolist() == ["same", "inside", "inside"]
        assert codes(found) == ["communities_same", "communities_overlap"]

    def test_a_hole_is_a_gap_unless_a_community_fills_it(self) -> None:
        inner = box(20, 20, 30, 30)
        assert faults(A - inner).gaps["kind"].tolist() == ["hole"]
        assert faults(A - inner, inner).clean

    def test_an_inlet_of_one_is_its_own_shape(self) -> None:
        inlet = A - box(40, 50, 20, 60)
        assert faults(inlet).clean
        assert faults(inlet, C).gaps["kind"].tolist() == ["enclosed"]

    def test_with_the_study_every_bit_of_it_counts(self) -> None:
        found = faults(A, C, study=box(0, 0, 200, 200))
        assert found.gaps["area_m2"].tolist() == [20_000] and found.gaps["kind"].tolist() == ["edge"]
        far = faults(A, box(900, 0, 50, 50), study=box(0, 0, 100, 100))
        assert codes(far) == ["communities_outside_study"] and far.findings[0].rows == (2,)

    def test_slivers_are_counted_together_and_mended_when_asked(self) -> None:
        rows = units(A, box(98, 0, 102, 100), box(0, 103, 200, 97))
        found = fit.faults(rows, params=PARAMS)
        assert codes(found) == ["communities_slivers"] and found.findings[0].count == 2
        done = fit.mended(rows, found)
        assert done.moved_m2 == pytest.approx(200 + 600)
        assert fit.faults(done.table, params=PARAMS).clean
        assert shapely.area(done.table.geometry).sum() == pytest.approx(200 * 200, abs=0.1)
        assert done.table.geometry.iloc[1].area == pytest.approx(10_000, abs=0.1)  # it is the larger one and gives way
        assert [f.code for f in done.findings] == ["communities_mended"]

    def test_single_outlines(self) -> None:
        bow = shapely.Polygon([(0, 0), (60, 60), (60, 0), (0, 60)])
        rows = [shapely.affinity.translate(bow, 600_500, 5_800_500), box(0, 0, 5, 5), A.union(box(300, 0, 50, 50))]
        found = faults(rows[0], rows[1], shapely.difference(rows[2], rows[1]), names=["X", "Y", "Y"])
        assert codes(found) == [
            "communities_crossing", "communities_tiny", "communities_parts", "communities_names_repeat",
        ]  # fmt: skip
        assert found.findings[0].severity == "repaired" and found.findings[1].value == "Y"

    def test_a_name_may_be_used_again_elsewhere(self) -> None:
        found = faults(A, box(100, 0, 100, 100), names=["RW 01", "RW 01"], parents=["Ancol", "Pluit"])
        assert codes(found) == []

    def test_nothing_in_nothing_out(self) -> None:
        found = faults()
        assert found.clean and list(found.gaps.columns) == [*fit.GAPS, "geometry"]


cells = st.integers(2, 5)


@given(cells, cells, st.integers(0, 40), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=15)
def test_a_fault_put_into_a_tiling_is_found_with_its_size(columns: int, rows: int, deep_m: int, random) -> None:  # type: ignore[no-untyped-def]
    """A tiling of squares of 100 m: one is moved sideways, and leaves as much behind as it takes."""
    tiles = [box(100 * c, 100 * r, 100, 100) for c in range(columns) for r in range(rows)]
    which = rows  # the lowest of the second column moves to the west
    tiles[which] = shapely.affinity.translate(tiles[which], -deep_m, 0)
    found = faults(*tiles, study=box(0, 0, 100 * columns, 100 * rows))
    assert found.overlaps["area_m2"].tolist() == pytest.approx([100.0 * deep_m] if deep_m else [])
    assert found.gaps["area_m2"].tolist() == pytest.approx([100.0 * deep_m] if deep_m else [])
    assert found.overlaps["sliver"].tolist() == ([deep_m <= 5] if deep_m else [])
    order = random.sample(range(len(tiles)), len(tiles))
    table = units(*tiles)
    again = fit.faults(table.iloc[order], params=PARAMS, study_outline=box(0, 0, 100 * columns, 100 * rows))
    pd.testing.assert_frame_equal(pd.DataFrame(again.gaps).drop(columns="geometry"),
                                  pd.DataFrame(found.gaps).drop(columns="geometry"))  # fmt: skip
    assert np.array_equal(again.overlaps["one_id"], found.overlaps["one_id"])
