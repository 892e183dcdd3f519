from __future__ import annotations

import shapely

from data.repair import repaired


def test_a_bow_tie_is_its_two_triangles() -> None:
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    assert repaired(bow).area == 2


def test_what_encloses_nothing_is_nothing() -> None:
    assert repaired(shapely.Polygon([(0, 0), (1, 1), (2, 2)])) is None


def test_a_sound_outline_stays() -> None:
    square = shapely.box(0, 0, 1, 1)
    assert repaired(square).equals(square)
