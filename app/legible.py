"""Text from data made legible: what would steer a terminal or turn a line round is shown, not obeyed.

A file's name, a cell or a column's name can hold escapes that clear a screen or set its title, and marks that make
``gnp.exe`` read as ``exe.png``. They are written out (``\\x1b``, ``\\u202e``) wherever text from data leaves.
"""

from __future__ import annotations

import re

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters but tab and line end, marks of direction, separators of lines, and halves of characters."""
SAID_MAX = 8000
"""Characters of a refusal; of one of its parts, ``PART_MAX``."""
PART_MAX = 2000


def legible(text: str, most: int | None = None) -> str:
    """The text with what steers written out, cut after ``most`` characters with a mark."""
    if most is not None and len(text) > most:
        text = f"{text[:most]} …"
    return STEERING.sub(_written_out, text) if STEERING.search(text) else text


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
