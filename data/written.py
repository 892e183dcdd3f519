"""TOML that people write: the line on which a key stands, and what is wrong with a value, in words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from geo.errors import Fault

Path = tuple[str | int, ...]
"""Where a value stands: ``("layers", 1, "unit")``, ``("rules", "power_500kv", "distance")``."""
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"\s*((?:\"[^\"]*\"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:\"[^\"]*\"|'[^']*'|[\w-]+))*)\s*=")
_PART = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s.\"']+")
FOUND_MAX = 80
"""So many letters of a wrong value are shown."""


def line_of(written: str, loc: Path) -> int | None:
    """The line, from 1, on which the key at ``loc`` stands, or the innermost table around it begins."""
    wanted = _dotted(loc)
    best, within, line = 0, None, None
    for number, path in _keys(written):
        if path == wanted[: len(path)] and len(path) > best:
            best, line = len(path), number
        elif within is None and wanted == path[: len(wanted)]:
            within = number
    return within if best < len(wanted) and within is not None else line


def _dotted(loc: Path) -> Path:
    """``("parameters", "walk.max_minutes")`` with each part by itself."""
    return tuple(part for each in loc for part in (each.split(".") if isinstance(each, str) else (each,)))


def _keys(written: str) -> Iterator[tuple[int, Path]]:
    """Each line with a table's name or a key, and where that stands."""
    table: Path = ()
    seen: dict[str, int] = {}
    for number, line in enumerate(written.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _table(header[1], _parts(header[2]), seen)
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_parts(key[1]))


def _table(brackets: str, parts: Path, seen: dict[str, int]) -> Path:
    """The table a header opens; an entry of a list, and a table in it, with the entry's number."""
    name = str(parts[0])
    if brackets == "[[":
        seen[name] = seen.get(name, -1) + 1
    return (name, seen[name], *parts[1:]) if name in seen else parts


def _parts(text: str) -> Path:
    return tuple(part for found in _PART.findall(text) for part in found.strip("\"'").split("."))


def faults(
    errors: Iterable[Mapping[str, Any]], model: type[BaseModel], *, written: str, where: str, under: Path = ()
) -> Iterator[Fault]:
    """What pydantic found wrong with values of ``model``, which stand at ``under`` in the text.

    A list is not wrong by itself when something in it is.
    """
    every = list(errors)
    inner = {tuple(error["loc"][:-1]) for error in every if error["loc"] and isinstance(error["loc"][-1], int)}
    for error in (each for each in every if tuple(each["loc"]) not in inner):
        loc = (*under, *error["loc"])
        line = line_of(written, loc) if written else None
        yield _fault(error, model, loc, f"{where}, line {line}" if line else where)


def _fault(error: Mapping[str, Any], model: type[BaseModel], loc: Path, place: str) -> Fault:
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
    fields = _fields(model, error["loc"])
    if error["type"] == "extra_forbidden":
        return Fault(f"a key of {', '.join(fields)}", repr(name), place, meant(str(loc[-1]), fields))
    if error["type"] == "missing":
        return Fault(f"a key {name}", "none", place)
    if not error["loc"]:
        return Fault(f"{name} to {_said(error).removeprefix('should ')}", "something else", place)
    field = next((fields[part] for part in reversed(error["loc"]) if part in fields), None)
    told = field.description if field and field.description else _said(error)
    return Fault(f"{name}: {told.rstrip('.')}", repr(error["input"])[:FOUND_MAX], place, _cure(error))


def _said(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _cure(error: Mapping[str, Any]) -> str:
    """What was likely meant, or what the check of a value says beyond what the field is."""
    if error["type"] == "literal_error":
        return meant(str(error["input"]), re.findall(r"'([^']+)'", str(error["ctx"]["expected"])))
    if error["type"] == "value_error":
        said = _said(error)
        return f"{said[:1].upper()}{said[1:].rstrip('.')}."
    return ""


def meant(word: str, known: Iterable[str]) -> str:
    """``Did you mean …?`` for a word near to a known one; empty for others."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {close[0]}?" if close else ""


def _fields(model: type[BaseModel], loc: Path) -> dict[str, FieldInfo]:
    """The fields of the model in which the last key of ``loc`` stands."""
    for part in loc[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            inner = getattr(model.model_fields[part].annotation, "__args__", ())
            model = next((a for a in inner if isinstance(a, type) and issubclass(a, BaseModel)), model)
    return model.model_fields
