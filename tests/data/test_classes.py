from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data import classes, ranges
from data.hazards import KINDS
from data.standards.class_tables import class_table, class_tables
from geo.errors import InputError, ParameterError
from geo.standards import GRADES


@pytest.mark.parametrize("table", class_tables(), ids=lambda table: table.name)
def test_every_table_says_where_it_comes_from_and_is_possible(table: classes.ClassTable) -> None:
    assert table.grade in GRADES and table.standard and table.clause and table.en and table.zh
    assert table.kinds and all(KINDS[kind].unit == table.unit for kind in table.kinds)
    assert all(0 <= value <= KINDS[kind].most for value in table.values() for kind in table.kinds)
    assert set(table.classes) == set(table)


@pytest.mark.parametrize(
    "name", ["japan-flood-rank", "japan-flood-rank-5", "japan-flood-rank-8", "japan-flood-duration-rank"]
)
def test_numbers_are_what_the_words_say(name: str) -> None:
    """An oracle: the classes in words, read by the reader of words, give the table's own numbers."""
    table = class_table(name)
    for key, value in table.items():
        found = ranges.read(table.classes[key])
        assert found is not None
        assert (found.value, found.unit) == (value, table.unit)


def test_tables_run_either_way() -> None:
    assert list(class_table("@philippines-noah-flood").values()) == [2, 1.5, 0.5, 0]
    assert list(class_table("@philippines-noah-flood-var").values()) == [0.5, 1.5, 2]
    assert (class_table("japan-landslide-zone")["2"], class_table("japan-landslide-zone")["特別警戒区域"]) == (5, 5)
    assert [table.name for table in class_tables("wind")] == ["beaufort"]


def test_an_unknown_table_lists_those_there_are() -> None:
    with pytest.raises(ParameterError, match=r"@beaufort, @china-geohazard.*found '@nowhere'"):
        class_table("@nowhere")
    with pytest.raises(ParameterError, match="a class table for flood, found @beaufort, which is for wind"):
        classes.require_table(class_table("beaufort"), "flood", where="a.tif")


def test_ones_written_in_three_ways_are_one() -> None:
    assert classes.table_meanings(["1", "1.0", " 1 ", "高"], {"1": 2.0, "高": 5}, "a") == {
        "1": 2,
        "1.0": 2,
        " 1 ": 2,
        "高": 5,
    }
    with pytest.raises(InputError, match=r"that --map explains \(1\), found '1', '2'. Add --map 2=VALUE"):
        classes.table_meanings(["1", "2"], {"1": 2.0}, "a")


def test_few_whole_numbers_are_counted() -> None:
    values = np.array([[1, 2, np.nan], [2, -1, 2]], dtype=np.float32)
    assert classes.few_whole(values) == [(-1, 1), (1, 1), (2, 3)]
    assert (
        classes.few_whole(np.arange(7.0)) == classes.few_whole(np.array([0.5])) == classes.few_whole(np.zeros(0)) == []
    )
    assert classes.few_whole(np.array([0.0, 3.4e38])) == []


@given(hnp.arrays(np.int8, (4, 5)))
def test_few_whole_numbers_are_those_that_numpy_finds(values: np.ndarray) -> None:
    found, counts = np.unique(values, return_counts=True)
    expected = list(zip(found.astype(float), counts, strict=True)) if len(found) <= classes.CLASSES_MAX else []
    assert classes.few_whole(values.astype(np.float64)) == expected


@given(st.sets(st.integers(0, 9), min_size=1, max_size=6))
def test_examples_of_both_orders_name_every_class(found: set[int]) -> None:
    numbers = [(float(value), 1) for value in sorted(found)]
    faults = list(classes.order_faults(numbers, "landslide", "a.tif"))
    if found == {0}:
        assert faults == []
        return
    (fault,) = faults
    worst = max(found), min(found - {0})
    assert all(f"--map {value}=5" in fault.fix for value in worst)
    assert all(f"--map {value}=" in fault.fix for value in found - {0})
