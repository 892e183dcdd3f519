from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.osm import values


@pytest.mark.parametrize(("text", "expected"), [
    ("12", 12), ("12.5", 12.5), ("12,5", 12.5), ("12 m", 12), ("12m", 12), ("12 metres", 12), (" 12 ", 12), ("~12", 12),
    ("约12米", 12), ("3'", 0.9144), ("3'6\"", 1.0668), ("3' 6\"", 1.0668), ("10 ft", 3.048), ("10-12", 11),
    ("10 - 12 m", 11), ("10-12 ft", 3.3528), ("10;14", 12), ("10 to 12", 11), ("ca. 9", 9), ("١٢", 12),
])  # fmt: skip
def test_heights(text: str, expected: float) -> None:
    assert values.metres(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", [None, "", "tall", "0", "-3", "1001", "12 km", "5 storeys", "12-", "10-x", "1e3"])
def test_heights_not_understood(text: str | None) -> None:
    assert math.isnan(values.metres(text))


@pytest.mark.parametrize(("text", "expected"), [("3", 3), ("2.5", 2.5), ("3;5", 4), ("2-4", 3)])
def test_levels(text: str, expected: float) -> None:
    assert values.levels(text) == expected


@pytest.mark.parametrize("text", [None, "", "0", "-1", "3 m", "two", "201", "10+"])
def test_levels_not_understood(text: str | None) -> None:
    assert math.isnan(values.levels(text))


@given(st.floats(min_value=0.01, max_value=1000).map(lambda v: round(v, 2)))
def test_every_way_of_writing_a_height_means_the_same(height: float) -> None:
    written = [f"{height}", f"{height} m", f"{height}m", str(height).replace(".", ","), f"{height}-{height}"]
    assert [values.metres(text) for text in written] == pytest.approx([height] * 5)


@given(st.text(max_size=30))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read, most in ((values.metres, 1000), (values.levels, 200), (values.volts, math.inf), (values.count, math.inf)):
        found = read(text)
        assert math.isnan(found) or 0 <= found <= most


@pytest.mark.parametrize(("text", "expected"), [
    ("110000", 110_000), ("380000;110000", 380_000), ("110 kV", 110_000), ("x;400", 400), ("10000 V", 10_000),
])  # fmt: skip
def test_volts_are_the_highest(text: str, expected: float) -> None:
    assert values.volts(text) == expected


@pytest.mark.parametrize("text", [None, "", "high", "0", ";"])
def test_volts_not_understood(text: str | None) -> None:
    assert math.isnan(values.volts(text))


@pytest.mark.parametrize(("text", "expected"), [("1200", 1200), ("1,200", 1200), ("1 200", 1200), ("0", 0), (" 7 ", 7)])
def test_counts(text: str, expected: float) -> None:
    assert values.count(text) == expected


@pytest.mark.parametrize("text", [None, "", "many", "1.5", "-3", "1,20", "12-15"])
def test_counts_not_understood(text: str | None) -> None:
    assert math.isnan(values.count(text))


@pytest.mark.parametrize(("tags", "expected"), [
    ({}, (None, None, None)),
    ({"name": "Kampen"}, ("Kampen", None, None)),
    ({"name": "金陵中学", "name:en": "Jinling School"}, ("金陵中学", "金陵中学", "Jinling School")),
    ({"name": "焼津しみず"}, ("焼津しみず", None, None)),
    ({"name": "서울 首爾"}, ("서울 首爾", None, None)),
    ({"name": "Kampen", "name:zh": "坎彭"}, ("Kampen", "坎彭", None)),
    ({"name": "Kampen", "name:zh-Hans": "坎彭"}, ("Kampen", "坎彭", None)),
    ({"name:zh": "坎彭"}, ("坎彭", "坎彭", None)),
    ({"name": "Kampen", "name:zh-Hant": "坎彭鎮"}, ("Kampen", "坎彭鎮", None)),
])  # fmt: skip
def test_names(tags: dict[str, str], expected: tuple[str | None, ...]) -> None:
    assert values.names(tags) == expected


@pytest.mark.parametrize(("tags", "expected"), [
    ({"name": "A"}, None),
    ({"name": "A", "old_name": "B; C", "alt_name": "A", "name:ja": "エー"}, "B;C;エー"),
    ({"name": "A", "name:zh": "甲", "name:zh-Hant": "鉀", "name:en": "A-town"}, "鉀"),
    ({"name": "A", "name:pronunciation": "ei", "name:etymology:wikidata": "Q1"}, None),
])  # fmt: skip
def test_other_names(tags: dict[str, str], expected: str | None) -> None:
    assert values.other_names(tags) == expected


@pytest.mark.parametrize(("text", "year"), [
    ("1934", 1934), ("1934-05", 1934), ("1934-05-01", 1934), ("~1934", 1934), ("1890s", 1894.5), ("2012?", 2012),
    ("1905..1908", 1906.5), ("1900 - 1910", 1905),
])  # fmt: skip
def test_years_of_building(text: str, year: float) -> None:
    assert values.built_year({"start_date": text}) == year
    assert values.built_year({"construction_date": text}) == year


@pytest.mark.parametrize("text", ["", "C19", "before 1939", "after 1905..1908", "34", "19345", "1910..1900", "9999"])
def test_years_not_understood(text: str) -> None:
    assert math.isnan(values.built_year({"start_date": text}))
    assert math.isnan(values.built_year({}))


@pytest.mark.parametrize(("text", "expected"), [
    ("2023-01-30T01:00:12Z", "2023-01-30"), ("2021-13-40", None), ("", None), (None, None), ("yesterday", None),
])  # fmt: skip
def test_day(text: str | None, expected: str | None) -> None:
    assert values.day(text) == expected
