from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.osm.tagging import Tags, gathered, joined, one_each, under

TAGS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"), max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.lists(TAGS, max_size=12))
def test_every_object_keeps_its_own_tags(told: list[Tags]) -> None:
    pairs = sorted({pair for tags in told for pair in tags.items()})
    first = np.cumsum([0, *map(len, told)])
    pair = np.array([pairs.index(p) for tags in told for p in tags.items()], dtype=np.int64)
    found = gathered(first, pair, pairs)
    assert [found[row] for row in range(len(told))] == told
    assert len(found.sets) == len({tuple(tags.items()) for tags in told})


def test_what_is_told_of_each() -> None:
    asked = []
    tags = gathered(np.array([0, 1, 2, 2]), np.array([0, 0]), [("a", "x")])

    def told(tags: Tags) -> str | None:
        asked.append(tags)
        return tags.get("a")

    assert tags.each(told).tolist() == ["x", "x", None]
    assert len(asked) == 2  # once for each different set
    assert tags.flags(under("a")).tolist() == [True, True, False]
    assert np.isnan(tags.numbers(lambda said: 1.0 if said else np.nan)).tolist() == [False, False, True]


def test_parts_and_changes() -> None:
    tags = joined([one_each([{"a": "x"}, {"b": "y"}]), one_each([]), one_each([{"c": "z"}])])
    assert [tags[row] for row in range(3)] == [{"a": "x"}, {"b": "y"}, {"c": "z"}]
    changed = tags.replaced([1], [{"d": "x"}])
    assert (changed[1], tags[1]) == ({"d": "x"}, {"b": "y"})
    assert changed.take([2, 1])[0] == {"c": "z"}
