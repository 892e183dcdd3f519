"""Reads the standards beside this file: one TOML a subject, one table a value."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from geo.standards import Standards, Value

FOLDER = Path(__file__).parent


@lru_cache(maxsize=1)
def load() -> Standards:
    """Every value of every file, keyed ``subject.name``; the file's name is the subject."""
    found: dict[str, Value] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[f"{path.stem}.{name}"] = _value(entry)
    return Standards(found)


def _value(entry: dict[str, Any]) -> Value:
    value = entry["value"]
    return Value(**(entry | {"value": tuple(value) if isinstance(value, list) else value}))
