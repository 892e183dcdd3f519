"""CQL2 text cut into words, numbers, texts and shapes; how long and how deep it is, known before that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from geo.errors import Fault, LimitError, QueryError

Kind = Literal["name", "quoted", "text", "number", "sign", "shape", "end"]
SHAPES = frozenset({
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "BBOX",
})  # fmt: skip
TEXT = r"'(?:[^'\\]|''|\\'|\\)*+'"
QUOTED = r'"(?:[^"]|"")*+"'
NESTING = re.compile(rf"{TEXT}|{QUOTED}|[()]")
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
TOKEN = re.compile(
    rf"(?P<text>{TEXT})|(?P<quoted>{QUOTED})|(?P<number>{NUMBER})|(?P<name>[^\W\d][\w.:]*+)"
    rf"|(?P<sign><>|<=|>=|[=<>(),])"
)
SPACE = re.compile(r"\s*+")
OPENING = re.compile(r"\s*+(?:(?:ZM|Z|M)\s*+)?\(", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """A piece of a filter: what it is, what it says (quotes taken off), where it begins (from 1)."""

    kind: Kind
    said: str
    at: int

    @property
    def word(self) -> str:
        """A name in capitals, as keywords are compared; empty for anything else."""
        return self.said.upper() if self.kind == "name" else ""


def refuse_long(text: str, *, chars: int, depth: int) -> None:
    """LimitError for a filter longer or with more brackets inside each other than may be; nothing is parsed yet."""
    if len(text) > chars:
        raise LimitError(Fault(f"at most {chars} characters", str(len(text)), "filter"), limit="filter_chars")
    found = deepest(text)
    if found > depth:
        raise LimitError(
            Fault(f"at most {depth} brackets inside each other", str(found), "filter"), limit="filter_depth"
        )


def deepest(text: str) -> int:
    """How many brackets are open at most; those in texts do not count."""
    now = most = 0
    for found in NESTING.finditer(text):
        now += {"(": 1, ")": -1}.get(found[0], 0)
        most = max(most, now)
    return most


def tokens(text: str) -> list[Token]:
    """All pieces of a filter and a last one of kind ``end``; QueryError shows where something else stands."""
    found: list[Token] = []
    at = SPACE.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        token, end = _next(text, at)
        found.append(token)
        at = SPACE.match(text, end).end()  # type: ignore[union-attr]
    return [*found, Token("end", "", len(text) + 1)]


def _next(text: str, at: int) -> tuple[Token, int]:
    found = TOKEN.match(text, at)
    if found is None:
        raise unexpected("a name, a number, a text in single quotes or a sign", text[at : at + 20], at + 1)
    kind, said, end = found.lastgroup, found[0], found.end()
    if kind == "name" and said.upper() in SHAPES and (opening := OPENING.match(text, end)):
        end = _closing(text, opening.end(), at)
        return Token("shape", text[at:end], at + 1), end
    return Token(kind, _bare(kind, said), at + 1), end  # type: ignore[arg-type]


def _closing(text: str, at: int, start: int) -> int:
    """Where the brackets that are open before ``at`` are closed."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    raise unexpected("as many closing as opening brackets", text[start : start + 20], start + 1)


def _bare(kind: str | None, said: str) -> str:
    if kind == "text":
        return re.sub(r"''|\\'", "'", said[1:-1])
    return said[1:-1].replace('""', '"') if kind == "quoted" else said


def unexpected(expected: str, found: str, at: int) -> QueryError:
    """What a filter should say, what it says instead, and where."""
    said = repr(found[:80]) if found else "its end"
    return QueryError(Fault(expected, said, f"filter, character {at}", "It is CQL2 text (filter-lang=cql2-text)."))
