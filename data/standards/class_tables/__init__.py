"""Class tables of well-known hazard maps: what the classes of each stand for, one TOML a table, chosen by its name.

``--map @japan-flood-rank`` says at once what ``--map 1=0.5 --map 2=3 …`` says by hand, with the source beside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from geo.errors import Fault, ParameterError
from geo.standards import GRADES

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ClassTable(Mapping[str, float]):
    """Values or texts of a file, each with what it stands for in ``unit``; itself the mapping.

    ``kinds`` are the hazards it is for, ``columns`` the columns of outlines it is usually found in, ``classes`` says
    each class in words. ``standard``, ``clause`` and ``grade`` are of the classes (``geo.standards.GRADES``);
    ``chosen`` says which of the numbers are Renxing's choice, empty where none is.
    """

    name: str
    en: str
    zh: str
    kinds: tuple[str, ...]
    unit: str
    values_: Mapping[str, float]
    classes: Mapping[str, str]
    columns: tuple[str, ...]
    standard: str
    clause: str
    grade: str
    chosen: str

    def __post_init__(self) -> None:
        if self.grade not in GRADES:
            raise ParameterError(Fault(f"a grade of {', '.join(GRADES)}", repr(self.grade), self.name))

    def __getitem__(self, key: str) -> float:
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def __repr__(self) -> str:
        return f"ClassTable(@{self.name}: {len(self)} classes in {self.unit}, {self.grade})"


def class_table(name: str) -> ClassTable:
    """The table of a name, with or without its ``@``; ParameterError lists those there are."""
    tables = _loaded()
    if name.removeprefix("@") not in tables:
        there = ", ".join(f"@{known}" for known in tables)
        raise ParameterError(Fault(f"a class table of {there}", repr(name), "--map", "Or write --map VALUE=NUMBER."))
    return tables[name.removeprefix("@")]


def class_tables(kind: str | None = None) -> list[ClassTable]:
    """Every table by name, or those for one kind of hazard."""
    return [table for table in _loaded().values() if kind is None or kind in table.kinds]


@lru_cache(maxsize=1)
def _loaded() -> Mapping[str, ClassTable]:
    found = (_read(path) for path in sorted(FOLDER.glob("*.toml")))
    return {table.name: table for table in found}


def _read(path: Path) -> ClassTable:
    entry: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    classes = entry.pop("classes")
    return ClassTable(
        name=path.stem, kinds=tuple(entry.pop("kinds")), columns=tuple(entry.pop("columns", ())),
        values_={key: float(said["is"]) for key, said in classes.items()},
        classes={key: str(said["means"]) for key, said in classes.items()}, chosen=entry.pop("chosen", ""), **entry,
    )  # fmt: skip
