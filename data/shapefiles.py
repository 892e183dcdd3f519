"""Shapefiles: whether all parts are there, and what the text in them is written in.

The table (``.dbf``) may name its encoding, or a ``.cpg`` beside it may; both are often missing and sometimes wrong.
What is said is checked against the text itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import encodings
from geo.errors import Fault, UnreadableError
from geo.reasons import Finding

LANGUAGE_DRIVERS = {0x13: "CP932", 0x7B: "CP932", 0x4D: "GB18030", 0x7A: "GB18030", 0x4F: "CP950", 0x78: "CP950"}
"""The byte in a ``.dbf`` that names the encoding, where it means one; 0, 3 and 0x57 (the writer's own) say nothing."""
SAMPLE_ROWS = 20_000
"""So many rows are looked at."""
_HEADER, _FIELD = 32, 32


@dataclass(frozen=True)
class Encoding:
    """What a Shapefile's text is read as, and what is to be said of it."""

    name: str
    notes: tuple[Finding, ...] = ()


def complete(path: Path, *, where: str) -> None:
    """UnreadableError when a part is missing without which a Shapefile cannot be read."""
    lacking = [end for end in (".shx", ".dbf") if part(path, end) is None]
    if lacking:
        cure = "Zip all its files together and give the zip."
        raise UnreadableError(Fault("a Shapefile with its .shx and .dbf", f"no {', '.join(lacking)}", where, cure))
    table = part(path, ".dbf")
    if table is not None and not _is_table(table):
        raise UnreadableError(Fault("a Shapefile with its table", "a .dbf that is none", where, "Export it again."))


def _is_table(table: Path) -> bool:
    """Whether the head of a ``.dbf`` describes rows that can be; without it the columns would be lost unsaid."""
    with table.open("rb") as stream:
        head = stream.read(_HEADER)
    if len(head) < _HEADER:
        return False
    start, width = (int(number) for number in struct.unpack_from("<HH", head, 8))
    return _HEADER < start <= table.stat().st_size and width > 0


def part(path: Path, ending: str) -> Path | None:
    """The part of a Shapefile with this ending, small or capital; None where there is none."""
    return next((p for p in (path.with_suffix(ending), path.with_suffix(ending.upper())) if p.is_file()), None)


def encoding(path: Path, *, where: str) -> Encoding:
    """What the text of the Shapefile at ``path`` is written in: what it says, unless the text says otherwise."""
    table = part(path, ".dbf")
    assert table is not None
    pieces = list(_texts(table.read_bytes()))
    said, by = _said(path, table)
    guess = encodings.guessed(pieces, cut=True)
    if all(piece.isascii() for piece in pieces):
        return Encoding(said or encodings.UTF8)
    if said is None:
        return _unsaid(guess, where)
    if guess is None or guess.encoding == said or not _refuted(pieces, said, guess):
        return Encoding(said)
    return Encoding(guess.encoding, (_wrong(said, by, guess.encoding),))


def _said(path: Path, table: Path) -> tuple[str | None, str]:
    """The encoding that the Shapefile names, and where it does so."""
    beside = part(path, ".cpg")
    if beside is not None and (name := encodings.named(beside.read_text("ascii", "replace"))):
        return name, ".cpg"
    with table.open("rb") as stream:
        start = stream.read(_HEADER)
    return (LANGUAGE_DRIVERS.get(start[29]) if len(start) == _HEADER else None), ".dbf"


def _refuted(pieces: list[bytes], said: str, guess: encodings.Guess) -> bool:
    """Whether the text cannot be in the encoding that is named, or would be gibberish there and is not elsewhere."""
    if not encodings.fits(pieces, said, cut=True) or guess.encoding == encodings.UTF8:
        return True
    if said in encodings.SINGLE_BYTE:
        return guess.encoding not in encodings.SINGLE_BYTE and guess.sure
    return said in encodings.CANDIDATES and guess.sure and encodings.spells(pieces, said) < encodings.BELIEVED


def _unsaid(guess: encodings.Guess | None, where: str) -> Encoding:
    if guess is None:
        cure = "Put a .cpg file with the encoding's name beside it (UTF-8, GBK, CP932), or save it as GeoPackage."
        raise UnreadableError(Fault("text in a known encoding", "bytes that are none", where, cure))
    return Encoding(guess.encoding, (assumed(guess, "Shapefile"),))


def assumed(guess: encodings.Guess, what: str) -> Finding:
    """That a file does not say its encoding, and what it was taken for."""
    if guess.sure:
        return Finding("encoding_guessed", f"The {what} does not say how its text is written; it is {guess.encoding}.",
                       f"文件未注明文字编码，按{guess.encoding}读取。", value=guess.encoding)  # fmt: skip
    return Finding(
        "encoding_guessed", f"The {what} does not say how its text is written; {guess.encoding} fits best, not surely.",
        f"文件未注明文字编码，暂按{guess.encoding}读取，可能有误。", "warning", value=guess.encoding,
        do_en="Look whether the names are right; if not, save it as GeoPackage or UTF-8.",
        do_zh="请核对名称是否正确；若有乱码，请另存为GeoPackage或UTF-8。",
    )  # fmt: skip


def _wrong(said: str, by: str, found: str) -> Finding:
    return Finding(
        "encoding_said_wrongly", f"The {by} says {said}, but the text is {found}; read as {found}.",
        f"{by}注明编码为{said}，实际为{found}，已按{found}读取。", "repaired", value=said,
    )  # fmt: skip


def _texts(content: bytes) -> Iterator[bytes]:
    """The names of the columns, and the text in the first rows, without the blanks that fill them up."""
    if len(content) < _HEADER:
        return
    rows, start, width = struct.unpack_from("<IHH", content, 4)
    at = 1
    for offset in range(_HEADER, min(start, len(content)) - _FIELD + 1, _FIELD):
        field = content[offset : offset + _FIELD]
        if field[0] in (0x0D, 0):
            break
        yield field[:11].split(b"\0")[0]
        if field[11:12] == b"C":
            yield from _column(content, rows, start, width, slice(at, at + field[16]))
        at += field[16]


def _column(content: bytes, rows: int, start: int, width: int, of: slice) -> Iterator[bytes]:
    there = min(rows, SAMPLE_ROWS, max(len(content) - start, 0) // width if width else 0)
    cells = np.frombuffer(content, dtype=np.uint8, count=there * width, offset=start).reshape(there, -1)[:, of]
    strange = cells[(cells > 0x7F).any(axis=1)] if cells.size else cells
    yield from (row.tobytes().rstrip(b" \0") for row in strange)
