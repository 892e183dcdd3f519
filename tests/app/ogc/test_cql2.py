"""CQL2 text: read as the standard has it, written back the same, refused before it is read when it is too much."""

from __future__ import annotations

import time

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ogc.parser import SPATIAL_MAX, parse
from app.ogc.tokens import deepest
from app.ogc.tree import (
    And,
    Between,
    Casei,
    Compare,
    In,
    Like,
    Literal,
    Missing,
    Node,
    Not,
    Or,
    Property,
    Shape,
    Spatial,
    Truth,
    moved,
    nodes,
    written,
)
from geo.errors import LimitError, QueryError
from tests.app.ogc.awkward import conditions

A, B, C = (Compare("=", Property(name), Literal(1)) for name in "abc")
NAME = Property("name")
POINT = Shape(shapely.Point(5.9, 52.5))
BOX = Shape(shapely.box(5, 52, 6, 53))


@pytest.mark.parametrize(("text", "tree"), [
    ("a = 1 OR b=1 AND c =1", Or((A, And((B, C))))),
    ("(a=1 or b=1) and NOT c=1", And((Or((A, B)), Not(C)))),
    ("name LIKE '坎%' AND name NOT LIKE '_'", And((Like(NAME, Literal("坎%")), Not(Like(NAME, Literal("_")))))),
    ("x BETWEEN -1.5 AND +2e3 AND a=1", And((Between(Property("x"), Literal(-1.5), Literal(2000.0)), A))),
    ("status IN ('bad', 'it''s')", In(Property("status"), (Literal("bad"), Literal("it's")))),
    (r"name = 'it\'s'", Compare("=", Property("name"), Literal("it's"))),
    ('"a ""b""" IS NOT NULL', Not(Missing(Property('a "b"')))),
    ("CASEI(name) = casei('STRASSE')", Compare("=", Casei(Property("name")), Casei(Literal("STRASSE")))),
    ("name ILIKE 'a%'", Like(Casei(Property("name")), Casei(Literal("a%")))),
    ("TRUE", Truth(True)), ("FALSE = open", Compare("=", Literal(False), Property("open"))),
    ("S_INTERSECTS(geometry, POINT(5.9 52.5))", Spatial("INTERSECTS", Property("geometry"), POINT)),
    ("s_within(point z (5.9 52.5 1),geometry)", Spatial("WITHIN", POINT, Property("geometry"))),
    ("S_DISJOINT(geometry,BBOX(5,52,6,53))", Spatial("DISJOINT", Property("geometry"), BOX)),
    ("date = 'x'", Compare("=", Property("date"), Literal("x"))),
    ("point = 1", Compare("=", Property("point"), Literal(1))),
])  # fmt: skip
def test_read_as_the_standard_has_it(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(("text", "at"), [
    ("", 1), ("a", 2), ("a =", 4), ("a = 1 b", 7), ("a = 1 AND", 10), ("(a = 1", 7), ("a = 1)", 6),
    ("NOT NOT a = 1", 5),
    ("a != 1", 3), ("a = 'x", 5), ("a BETWEEN 1 OR 2", 13), ("a IN ()", 7), ("a IS 1", 6), ("1 IS NULL", 10),
    ("a = 1; DROP TABLE run", 6), ("a = 1 -- x", 7), ("S_NEAR(geometry, POINT(1 1))", 7),
    ("S_INTERSECTS(geometry)", 22), ("S_INTERSECTS(geometry, POINT(1))", 24),
    ("S_INTERSECTS(geometry, POINT(nan 1))", 24),
    ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", 24), ("S_INTERSECTS(geometry, BBOX(1,2,3))", 24),
    ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1))", 24), ("S_INTERSECTS(geometry, BBOX(6,52,5,53))", 24),
    ("a = 1e999", 5), ("a = DATE('2023-02-30')", 10), ("a = TIMESTAMP('2023-01-30')", 15), ("a = \x00", 5),
    ("a = ${7*7}", 5),
])  # fmt: skip
def test_what_cannot_be_understood_is_shown(text: str, at: int) -> None:
    with pytest.raises(QueryError, match=f"filter, character {at}:"):
        parse(text)


@settings(max_examples=60, deadline=None)
@given(conditions)
def test_what_is_written_is_read_the_same(tree: Node) -> None:
    assert parse(written(tree), chars=10**6, depth=100) == tree


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.text("a1'\"()<>=,.ANDORTLIKES_ \\", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except (QueryError, LimitError):
        return
    assert parse(written(tree)) == tree


@pytest.mark.parametrize(("text", "limit"), [
    ("a" * 2_001, "filter_chars"), ("'" * 10_000_000, "filter_chars"), ("(" * 33, "filter_depth"),
    ("(" * 1_000 + ")" * 1_000, "filter_depth"), ("NOT (" * 400, "filter_depth"), ("CASEI(" * 300, "filter_depth"),
])  # fmt: skip
def test_too_much_is_refused_before_it_is_read(text: str, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ogc.parser.tokens", lambda _: pytest.fail("it was read"))
    began = time.perf_counter()
    with pytest.raises(LimitError) as refused:
        parse(text)
    assert refused.value.code == f"limit-{limit}"
    assert time.perf_counter() - began < 0.1


def test_brackets_in_texts_and_names_are_no_depth() -> None:
    assert deepest("name = '((((' AND \"((\" = 'it''s (' AND (a = 1)") == 1
    assert isinstance(parse("name = '" + "(" * 100 + "'"), Compare)


def test_the_longest_and_deepest_that_may_be_is_read_at_once() -> None:
    deep = "(" * 32 + "a = 1" + ")" * 32
    long = " OR ".join(["a=1"] * 280)
    began = time.perf_counter()
    assert parse(deep) == A
    assert len(list(nodes(parse(long)))) == 281
    assert time.perf_counter() - began < 0.5


def test_shapes_are_counted() -> None:
    one = "S_INTERSECTS(geometry, POINT(1 1))"
    assert parse(" OR ".join([one] * SPATIAL_MAX))
    with pytest.raises(LimitError, match="questions about shapes"):
        parse(" OR ".join([one] * (SPATIAL_MAX + 1)))


def test_shapes_are_moved_wherever_they_stand() -> None:
    tree = parse("NOT (a = 1 AND (S_WITHIN(geometry, POINT(1 2)) OR S_CONTAINS(POINT(1 2), geometry)))")
    turned = moved(tree, lambda shape: shapely.transform(shape, lambda xy: xy[:, ::-1]))
    assert written(turned) == written(tree).replace("(1 2)", "(2 1)")
