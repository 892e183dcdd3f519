"""CQL2 text as a tree: OR of ANDs of predicates, by the precedence that the standard gives them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import shapely

from app.ogc.tokens import Token, refuse_long, tokens, unexpected
from app.ogc.tree import (
    COMPARISONS,
    SPATIAL,
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
    Scalar,
    Shape,
    Spatial,
    Truth,
    nodes,
)
from geo.errors import Fault, LimitError

TRUTHS = {"TRUE": True, "FALSE": False}
INTEGER_MAX = 2**63
SPATIAL_MAX = 10
"""Questions about shapes in one filter: each may have to look at every shape of a layer."""
KEYWORDS = frozenset({"AND", "OR", "NOT", "LIKE", "ILIKE", "BETWEEN", "IN", "IS", "NULL", *TRUTHS})
CORNERS = {4: (0, 1, 2, 3), 6: (0, 1, 3, 4)}
"""Where west, south, east and north stand among the numbers of a box, with or without heights."""


def parse(text: str, *, chars: int = 2_000, depth: int = 32) -> Node:
    """The tree of a filter; LimitError for one too long or too deep, QueryError shows where it cannot be understood."""
    refuse_long(text, chars=chars, depth=depth)
    reader = _Reader(tokens(text))
    found = reader.any()
    reader.end()
    asked = sum(isinstance(node, Spatial) for node in nodes(found))
    if asked > SPATIAL_MAX:
        raise LimitError(
            Fault(f"at most {SPATIAL_MAX} questions about shapes", str(asked), "filter"), limit="filter_shapes"
        )
    return found


class _Reader:
    """Reads a list of tokens from the front; each method takes what it is named after."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def now(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self.now
        self._at += 1
        return token

    def word(self, *words: str) -> str:
        """The keyword, when one of these comes next."""
        return self.take().word if self.now.word in words else ""

    def sign(self, *signs: str) -> str:
        """The sign, when one of these comes next."""
        return self.take().said if self.now.kind == "sign" and self.now.said in signs else ""

    def must(self, found: str, expected: str) -> None:
        if not found:
            raise unexpected(expected, self.now.said, self.now.at)

    def end(self) -> None:
        if self.now.kind != "end":
            raise unexpected("AND, OR or the end", self.now.said, self.now.at)

    def any(self) -> Node:
        parts = [self.all()]
        while self.word("OR"):
            parts.append(self.all())
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def all(self) -> Node:
        parts = [self.one()]
        while self.word("AND"):
            parts.append(self.one())
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def one(self) -> Node:
        return Not(self.plain()) if self.word("NOT") else self.plain()

    def plain(self) -> Node:
        if self.sign("("):
            inner = self.any()
            self.must(self.sign(")"), "a closing bracket")
            return inner
        if self.now.word.removeprefix("S_") in SPATIAL and self.now.word.startswith("S_"):
            return self.spatial(self.take().word.removeprefix("S_"))
        left = self.scalar()
        truth = isinstance(left, Literal) and isinstance(left.value, bool)
        if truth and self.now.said not in COMPARISONS:
            return Truth(bool(left.value))  # type: ignore[union-attr]
        return self.predicate(left)

    def predicate(self, left: Scalar) -> Node:
        if operator := self.sign(*COMPARISONS):
            return Compare(operator, left, self.scalar())
        if self.word("IS"):
            return self.missing(left)
        turned = self.word("NOT")
        made = {"LIKE": self.like, "ILIKE": self.like_of_any_case, "BETWEEN": self.between, "IN": self.among}
        word = self.word(*made)
        self.must(word, "a comparison, LIKE, BETWEEN, IN or IS NULL")
        found = made[word](left)
        return Not(found) if turned else found

    def missing(self, left: Scalar) -> Node:
        turned = self.word("NOT")
        self.must(self.word("NULL"), "NULL")
        if not isinstance(left, Property):
            raise unexpected("a property before IS NULL", self.now.said, self.now.at)
        return Not(Missing(left)) if turned else Missing(left)

    def like(self, left: Scalar) -> Node:
        return Like(left, self.scalar())

    def like_of_any_case(self, left: Scalar) -> Node:
        """No word of CQL2, but what GDAL sends for a LIKE that looks at no case."""
        return Like(Casei(left), Casei(self.scalar()))

    def between(self, left: Scalar) -> Node:
        low = self.scalar()
        self.must(self.word("AND"), "AND")
        return Between(left, low, self.scalar())

    def among(self, left: Scalar) -> Node:
        self.must(self.sign("("), "an opening bracket")
        found = [self.scalar()]
        while self.sign(","):
            found.append(self.scalar())
        self.must(self.sign(")"), "a comma or a closing bracket")
        return In(left, tuple(found))

    def spatial(self, relation: str) -> Node:
        self.must(self.sign("("), "an opening bracket")
        left = self.place()
        self.must(self.sign(","), "a comma")
        right = self.place()
        self.must(self.sign(")"), "a closing bracket")
        return Spatial(relation, left, right)

    def place(self) -> Property | Shape:
        token = self.take()
        if token.kind == "shape":
            return Shape(shape(token))
        if token.kind == "quoted" or (token.kind == "name" and token.word not in KEYWORDS):
            return Property(token.said)
        raise unexpected("a geometry such as POINT(5.9 52.5) or the property geometry", token.said, token.at)

    def scalar(self) -> Scalar:
        token = self.take()
        if token.kind == "text":
            return Literal(token.said)
        if token.kind == "number":
            return Literal(_number(token))
        if token.word in TRUTHS:
            return Literal(TRUTHS[token.word])
        if token.word in CALLS and self.now.said == "(":
            return self.called(token.word)
        if token.kind == "quoted" or (token.kind == "name" and token.word not in KEYWORDS):
            return Property(token.said)
        raise unexpected("a property, a number or a text in single quotes", token.said, token.at)

    def called(self, word: str) -> Scalar:
        self.must(self.sign("("), "an opening bracket")
        found = CALLS[word](self)
        self.must(self.sign(")"), "a closing bracket")
        return found

    def day(self) -> Scalar:
        return self.read(date.fromisoformat, "a day such as '2023-01-30'")

    def moment(self) -> Scalar:
        return self.read(instant, "an instant such as '2023-01-30T12:00:00Z'")

    def read(self, make: Callable[[str], Any], expected: str) -> Scalar:
        token = self.take()
        try:
            if token.kind == "text":
                return Literal(make(token.said))
        except ValueError:
            pass
        raise unexpected(expected, token.said, token.at)


CALLS: dict[str, Callable[[_Reader], Scalar]] = {
    "CASEI": lambda reader: Casei(reader.scalar()), "DATE": _Reader.day, "TIMESTAMP": _Reader.moment,
}  # fmt: skip


def instant(said: str) -> datetime:
    """An instant in UTC, written with Z at its end; ValueError for anything else."""
    if not said.endswith("Z"):
        raise ValueError(said)
    return datetime.fromisoformat(said).astimezone(UTC)


def _number(token: Token) -> int | float:
    value = float(token.said)
    if not math.isfinite(value):
        raise unexpected("a number that is not beyond all bounds", token.said, token.at)
    whole = token.said.lstrip("+-").isdecimal() and abs(value) < INTEGER_MAX
    return int(token.said) if whole else value


def shape(token: Token) -> shapely.Geometry:
    """The geometry that a token writes as WKT or BBOX; QueryError for one that is none, or crosses itself."""
    try:
        found = _bbox(token.said) if token.said[:4].upper() == "BBOX" else shapely.from_wkt(token.said)
    except (shapely.GEOSException, ValueError, LookupError):
        found = None
    if found is None or shapely.is_empty(found) or not np.isfinite(shapely.get_coordinates(found)).all():
        raise unexpected("a geometry as WKT, such as POINT(5.9 52.5), or BBOX(5, 52, 6, 53)", token.said, token.at)
    if not shapely.is_valid(found):
        raise unexpected("a valid geometry", shapely.is_valid_reason(found), token.at)
    return shapely.force_2d(found)


def _bbox(said: str) -> shapely.Geometry:
    edges = [float(edge) for edge in said[said.index("(") + 1 : -1].split(",")]
    west, south, east, north = (edges[i] for i in CORNERS[len(edges)])
    if west > east or south > north:
        raise ValueError(said)
    return shapely.box(west, south, east, north)
