"""What is wrong with a value, in plain words instead of those of the library that checked it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}
"""Kinds of error about a bound: how it is said, and where pydantic keeps the bound."""
LENGTHS = {
    "too_short": ("at least", "min_length"),
    "string_too_short": ("at least", "min_length"),
    "too_long": ("at most", "max_length"),
    "string_too_long": ("at most", "max_length"),
}
"""The same about how many there are."""
KINDS = {
    "float": "a number", "finite_number": "a number", "int": "a whole number", "bool": "true or false",
    "string": "text", "tuple": "a list", "list": "a list", "missing": "a value", "none_required": "nothing",
}  # fmt: skip
"""What is expected, by the kind of error without what kind of check found it."""
TYPE_CHECKS = "_(type|parsing|parsing_size|from_float)$"


def expected(error: Mapping[str, Any]) -> str:
    """What a value should be, from one of pydantic's errors: ``at least 3``, ``one of from, towards``, ``a number``.

    What a check of ours says (a ValueError) is kept to the letter, examples and all.
    """
    kind, told = str(error["type"]), error.get("ctx") or {}
    if kind in BOUNDS:
        said, bound = BOUNDS[kind]
        return f"{said} {_number(told[bound])}"
    if kind in LENGTHS:
        said, bound = LENGTHS[kind]
        many = told[bound]
        letters = (" character" if many == 1 else " characters") if kind.startswith("string") else ""
        return f"{said} {'one' if many == 1 else many}{letters}"
    if kind in ("literal_error", "enum"):
        return "one of " + ", ".join(re.findall("'([^']*)'", str(told["expected"])))
    if kind in ("value_error", "assertion_error"):
        return re.sub(r"^(must|should) be ", "", str(told.get("error") or error["msg"]))
    return KINDS.get(re.sub(TYPE_CHECKS, "", kind)) or _unquoted(str(error["msg"]))


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _unquoted(message: str) -> str:
    """A message of pydantic without its beginning; what it quotes stays as it is."""
    plain = re.sub(r"^(Value error, |Input should be |String should )", "", message)
    return plain[:1].lower() + plain[1:]
