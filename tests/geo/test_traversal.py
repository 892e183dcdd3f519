"""Lines cut at the cells they cross: drawn, by law, and against the exposure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import LineString

from geo import hazards
from geo.hazards import Hazard
from tests.geo.test_hazards import CELL, at, chains, drawn, hazards_, lines


def cut(*chains: list[tuple[float, float]], by: tuple[Hazard, ...] = ()) -> list[tuple[float, ...]]:
    """Line, from, to (in cells) and the values of each piece."""
    found = hazards.cut_lines(**lines(*chains), faced=by or [drawn()])
    columns = [found.line, found.from_m / CELL, found.to_m / CELL, *found.values]
    return [tuple(round(float(v), 9) for v in row) for row in zip(*columns, strict=True)]


def pieces(found: list[tuple[float, ...]], *expected: tuple[float, ...]) -> None:
    assert_allclose(np.array(found), np.array(expected))


class TestCuts:
    def test_a_street_is_cut_where_the_value_changes(self) -> None:
        # cells 0, 0, 2 of the first row: the two dry ones make one piece
        pieces(cut([(0.5, 0.5), (2.5, 0.5)]), (0, 0, 1.5, 0), (0, 1.5, 2, 2))

    def test_the_unknown_and_what_lies_beyond_are_one_stretch_without_a_value(self) -> None:
        pieces(cut([(-2, 1.5), (6, 1.5)]), (0, 0, 2, np.nan), (0, 2, 3, 0), (0, 3, 4, 1), (0, 4, 5, np.nan),
               (0, 5, 6, 4), (0, 6, 8, np.nan))  # fmt: skip

    def test_over_several_vertices_and_back(self) -> None:
        found = cut([(0.5, 0.5), (2.5, 0.5), (2.5, 0.2), (1.5, 0.2)])
        pieces(found, (0, 0, 1.5, 0), (0, 1.5, 2.8, 2), (0, 2.8, 3.3, 0))

    def test_lines_follow_each_other(self) -> None:
        pieces(cut([(0.1, 0.1), (0.9, 0.1)], [(3.5, 0.5), (3.5, 2.5)]), (0, 0, 0.8, 0), (1, 0, 1.5, 4), (1, 1.5, 2, 3))

    def test_a_line_without_length_and_one_without_vertices(self) -> None:
        pieces(cut([(3.5, 0.5), (3.5, 0.5)], [], [(9, 9), (9, 9)]), (0, 0, 0, 4), (2, 0, 0, np.nan))

    def test_through_a_corner_the_cells_beside_do_not_count(self) -> None:
        pieces(cut([(0.5, 0.5), (1.5, 1.5)]), (0, 0, 0.5**0.5, 0), (0, 0.5**0.5, 2**0.5, 1))

    def test_two_rasters_that_do_not_fit(self) -> None:
        # cells of 10 m: 0 0 2 4; cells of 15 m: 7 8 7
        other = drawn("7 8 7", cell=15)
        pieces(cut([(0, 0.5), (4, 0.5)], by=(drawn(), other)), (0, 0, 1.5, 0, 7), (0, 1.5, 2, 0, 8), (0, 2, 3, 2, 8),
               (0, 3, 4, 4, 7))  # fmt: skip

    def test_no_lines(self) -> None:
        found = hazards.cut_lines(**lines(), faced=[drawn(), drawn()])
        assert len(found) == 0 and found.values.shape == (2, 0)

    def test_it_says_what_it_is(self) -> None:
        assert repr(hazards.cut_lines(**lines([(0.5, 0.5), (2.5, 0.5)]), faced=[drawn()])) == (
            "Cuts(2 pieces of 1 lines by 1 hazards)"
        )


@given(hazards_(), hazards_(), st.lists(chains, max_size=4))
def test_pieces_make_whole_lines_and_agree_with_the_exposure(
    one: Hazard, other: Hazard, drawn_: list[list[tuple[float, float]]]
) -> None:
    at_ = lines(*drawn_)
    found = hazards.cut_lines(**at_, faced=[one, other])
    part = found.to_m - found.from_m
    whole = [LineString([at(*p) for p in chain]).length for chain in drawn_]
    assert (part >= 0).all() and (np.diff(found.line) >= 0).all()
    assert_allclose(np.bincount(found.line, part, len(drawn_)), whole, atol=1e-6)
    for hazard, value in zip((one, other), found.values, strict=True):
        exposure = hazards.expose_lines(**at_, hazard=hazard)
        for line, length in enumerate(whole):
            mine = (found.line == line) & ~np.isnan(value)
            assert part[mine].sum() == pytest.approx((1 - exposure["share_unknown"][line]) * length, abs=1e-5)
            weighted = (part[mine] * value[mine]).sum()
            assert weighted == pytest.approx(np.nan_to_num(exposure["mean"][line]) * part[mine].sum(), abs=1e-4)
            assert value[mine].max(initial=-1) == np.nan_to_num(exposure["max"][line], nan=-1)


@given(hazards_(), hazards_(), st.lists(chains, min_size=1, max_size=3))
def test_pieces_whichever_raster_comes_first(
    one: Hazard, other: Hazard, drawn_: list[list[tuple[float, float]]]
) -> None:
    a, b = (hazards.cut_lines(**lines(*drawn_), faced=faced) for faced in ([one, other], [other, one]))
    assert a.line.tolist() == b.line.tolist()
    assert_allclose(a.to_m, b.to_m)
    np.testing.assert_array_equal(a.values, b.values[::-1])
