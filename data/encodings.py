"""What text is written in, when a file does not say or says it wrongly.

UTF-8 is recognised by its form. The others are told apart by what they would spell: the share of characters that are
everyday ones in that encoding. Chinese read as Japanese, or the other way round, spells rare characters.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

from geo.errors import Fault, UnreadableError

UTF8, UTF16 = "UTF-8", "UTF-16"
CANDIDATES = ("GB18030", "CP932", "CP950", "CP1252")
"""What text that is not UTF-8 may be written in; GB 18030 reads GBK and GB 2312 as well."""
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF16_LE, UTF16), (codecs.BOM_UTF16_BE, UTF16))
SAMPLE_CHARACTERS = 5000
"""So many characters outside ASCII decide."""
BELIEVED = 0.6
"""Share of everyday characters from which an encoding is believed."""
SURE = 0.15
"""By so much the best must be ahead of the next to be beyond doubt."""
SINGLE_BYTE = frozenset({"CP1252", "CP437", "CP850"})
"""Encodings in which almost any bytes are text: that they can be read proves nothing."""
_EVERYDAY = {
    # The first byte of the everyday characters: the standards list their frequent characters first.
    "GB18030": ("gb2312", (range(0xA1, 0xA4), range(0xB0, 0xD8))),
    "CP932": ("cp932", (range(0x81, 0x84), range(0x88, 0x98))),
    "CP950": ("cp950", (range(0xA1, 0xA4), range(0xA4, 0xC7))),
}
_RARE = 0.2
"""What a character counts that exists in the encoding and is not an everyday one."""


@dataclass(frozen=True)
class Guess:
    """An encoding by Python's and iconv's common name, and whether there is no doubt about it."""

    encoding: str
    sure: bool


def text(content: bytes, *, where: str) -> tuple[str, Guess]:
    """The text of a file, and what it was written in.

    Raises UnreadableError when it is none of UTF-8, UTF-16, GB 18030, CP932 (Shift JIS), CP950 (Big5) and Windows-1252.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decoded(content.removeprefix(codecs.BOM_UTF8), encoding, where), Guess(encoding, True)
    guess = guessed([content])
    if guess is None:
        known = ", ".join((UTF8, UTF16, *CANDIDATES))
        raise UnreadableError(Fault(f"text in {known}", "bytes that are none of these", where, "Save it as UTF-8."))
    return _decoded(content, guess.encoding, where), guess


def _decoded(content: bytes, encoding: str, where: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        found = f"bytes at {error.start:,} that are not"
        raise UnreadableError(Fault(f"text in {encoding}", found, where, "Save it as UTF-8.")) from error


def guessed(pieces: Sequence[bytes], *, cut: bool = False) -> Guess | None:
    """What the pieces are written in; None when nothing fits. ``cut`` pieces may end within a character."""
    if fits(pieces, UTF8, cut=cut) and not _only_by_chance(pieces):
        return Guess(UTF8, True)
    scores = {name: _score(pieces, name) for name in CANDIDATES if fits(pieces, name, cut=cut)}
    if not scores:
        return None
    best, *others = sorted(scores.values(), reverse=True)
    name = next(name for name, score in scores.items() if score == best)
    if best < BELIEVED:
        return None if len(others) == 0 else Guess(name, False)
    return Guess(name, best - max(others, default=0.0) >= SURE)


def _only_by_chance(pieces: Sequence[bytes]) -> bool:
    """Whether Chinese words have the form of UTF-8: 学校 in GBK are the bytes of two Cyrillic letters."""
    spelled = "\n".join(piece.decode(UTF8, "ignore") for piece in _sampled(pieces))
    strange = [character for character in spelled if not character.isascii()]
    if not strange or max(strange) >= "\u0800" or _western(spelled) >= BELIEVED:
        return False
    return fits(pieces, "GB18030") and _score(pieces, "GB18030") == 1.0


def fits(pieces: Sequence[bytes], encoding: str, *, cut: bool = False) -> bool:
    """Whether every piece is text in the encoding; where ``cut``, its last character may be incomplete."""
    try:
        for piece in pieces:
            codecs.getincrementaldecoder(encoding)().decode(piece, final=not cut)
    except UnicodeDecodeError:
        return False
    return True


def spells(pieces: Sequence[bytes], encoding: str) -> float:
    """Share (0-1) of everyday characters among those outside ASCII; 1 when there are none."""
    return 1.0 if all(piece.isascii() for piece in pieces) else _score(pieces, encoding)


def _score(pieces: Sequence[bytes], encoding: str) -> float:
    spelled = "\n".join(piece.decode(encoding, "ignore") for piece in _sampled(pieces))
    strange = [c for c in spelled[: 20 * SAMPLE_CHARACTERS] if not c.isascii()][:SAMPLE_CHARACTERS]
    if not strange:
        return 0.0
    if encoding == "CP1252":
        return _western(spelled)
    return sum(_weight(c, *_EVERYDAY[encoding]) for c in strange) / len(strange)


def _sampled(pieces: Sequence[bytes]) -> list[bytes]:
    return [piece[: 20 * SAMPLE_CHARACTERS] for piece in pieces if not piece.isascii()]


def _weight(character: str, encoding: str, everyday: tuple[range, ...]) -> float:
    try:
        written = character.encode(encoding)
    except UnicodeEncodeError:
        return 0.0
    return 1.0 if len(written) == 2 and any(written[0] in part for part in everyday) else _RARE


def _western(spelled: str) -> float:
    """Letters with accents stand alone between plain letters: ``Plaça``, ``Größe``."""
    strange = re.findall(r"[^\x00-\x7f]+", spelled)
    single = sum(
        len(run) for run in re.findall(r"(?<=[A-Za-z])[À-ÿ]{1,2}(?![^\x00-\x7f])|\b[À-ÿ](?=[A-Za-z])", spelled)
    )
    return single / sum(map(len, strange))


def named(said: str) -> str | None:
    """An encoding as people write it (``Shift_JIS``, ``936``, ``ANSI 936``, ``OEM 932``); None when it is none."""
    word = said.strip().strip("\0").lower()
    if digits := re.fullmatch(r"(?:ansi|oem|cp|ms|windows|win)?[ _-]*(\d{3,5})", word):
        word = "utf-8" if digits[1] == "65001" else f"cp{digits[1]}"
    try:
        known = codecs.lookup(word).name
        "".encode(known)  # some of Python's encodings are of bytes, not of text
    except LookupError:
        return None
    return _OURS.get(known, known.upper())


_OURS = {
    "utf-8": UTF8, "utf-8-sig": UTF8, "gbk": "GB18030", "gb2312": "GB18030", "gb18030": "GB18030", "cp936": "GB18030",
    "shift_jis": "CP932", "cp932": "CP932", "big5": "CP950", "cp950": "CP950", "iso8859-1": "CP1252",
    "cp1252": "CP1252", "ascii": "CP1252", "latin_1": "CP1252",
}  # fmt: skip
"""Python's name -> the one used here: the larger set where one holds the other."""
