"""Reads the standards beside this file: one TOML a subject, one table a value.

``need_profiles`` holds one TOML a profile of needs, read as ``needs.PROFILE.name``; ``shelter_rules`` one TOML a rule
set for the tiers of shelters, read as ``tiers.SET.name``.
"""

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
    files = {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}
    files |= {f"needs.{path.stem}": path for path in sorted((FOLDER / "need_profiles").glob("*.toml"))}
    files |= {f"tiers.{path.stem}": path for path in sorted((FOLDER / "shelter_rules").glob("*.toml"))}
    return Standards({
        f"{subject}.{name}": _value(entry)
        for subject, path in files.items()
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items()
    })  # fmt: skip


def _value(entry: dict[str, Any]) -> Value:
    value = entry["value"]
    return Value(**(entry | {"value": tuple(value) if isinstance(value, list) else value}))
