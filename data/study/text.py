"""``study.toml`` as text: read with the line of every fault, and written back with its comments."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from tomlkit.container import Container
from tomlkit.items import AoT, Table

from data.limits import DEFINITION, DEPTH
from geo.errors import Fault, FileMissingError, InputError, UnreadableError

Model = TypeVar("Model", bound=BaseModel)
LISTS = {"layers": "layer_id", "scenarios": "scenario_id"}
"""Lists of tables, and the key that names an entry."""
DOTTED = re.compile(rf"^[ \t\[]*(?:[A-Za-z0-9_-]+[ \t]*\.[ \t]*){{{DEPTH.most}}}", re.MULTILINE)
"""A key of more parts than any has: reading it takes the square of them in time and memory."""


def read(path: Path) -> str:
    """The text of a file; FileMissingError or UnreadableError (not UTF-8)."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise FileMissingError(Fault("a study.toml", "none there", str(path), "Make one with renxing new.")) from None
    except UnicodeDecodeError as error:
        raise UnreadableError(Fault("text in UTF-8", str(error), str(path), "Save it as UTF-8.")) from error


def validated(model: type[Model], written: str, where: str) -> Model:
    """The model that the text defines; UnreadableError when it is not TOML, InputError with all its faults."""
    DEFINITION.require(len(written), where)
    if DOTTED.search(written):
        raise DEPTH.exceeded("a key of more parts", where)
    try:
        values = tomllib.loads(written)
    except RecursionError as error:
        raise DEPTH.exceeded("more", where) from error
    except ValueError as error:
        raise UnreadableError(Fault("TOML", str(error), where, "Mend that line.")) from error
    if isinstance(values.get("parameters"), dict):
        values["parameters"] = flat(values["parameters"])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(*(_fault(e, model, written, where) for e in error.errors())) from None


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``walk.max_minutes`` from ``"walk.max_minutes"`` as well as from a table ``walk``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _fault(error: Any, model: type[BaseModel], written: str, where: str) -> Fault:
    loc = error["loc"]
    line = line_of(written, loc)
    place = f"{where}, line {line}" if line else where
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
    fields = _fields(model, loc)
    if error["type"] == "extra_forbidden":
        keys = list(fields)
        close = difflib.get_close_matches(str(loc[-1]), keys, n=1)
        cure = f"Did you mean {close[0]}?" if close else ""
        return Fault(f"a key of {', '.join(keys)}", repr(name), place, cure)
    if error["type"] == "missing":
        return Fault(f"a key {name}", "none", place)
    field = fields.get(str(loc[-1]))
    said = field.description if field and field.description else error["msg"]
    return Fault(f"{name}: {said.rstrip('.')}", repr(error["input"])[:80], place)


def _fields(model: type[BaseModel], loc: tuple[str | int, ...]) -> dict[str, FieldInfo]:
    """The fields of the model in which the last part of ``loc`` stands."""
    for part in loc[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            inner = getattr(model.model_fields[part].annotation, "__args__", ())
            model = next((a for a in inner if isinstance(a, type) and issubclass(a, BaseModel)), model)
    return model.model_fields


def line_of(written: str, loc: tuple[str | int, ...]) -> int | None:
    """The line, from 1, on which the key at ``loc`` (``("layers", 1, "unit")``) stands, or its table begins."""
    table, index, key = _split(loc)
    seen, here, start = -1, "", None
    for number, line in enumerate(written.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\[\]]+?)\s*\]+", line):
            here = header[1].split(".")[0]
            seen += here == table and "." not in header[1]
            start = number if (here, seen) == (table, max(index, 0)) and start is None else start
        elif here == table and (not table or seen == max(index, 0)):
            written_key = re.match(r"\s*[\"']?([^\"'=]+?)[\"']?\s*=", line)
            if written_key and key is not None and written_key[1].split(".")[0] in (key, key.split(".")[0]):
                return number
    return start


def _split(loc: tuple[str | int, ...]) -> tuple[str, int, str | None]:
    """The table, which one of its list, and the key in it."""
    if len(loc) > 1 and isinstance(loc[1], int):
        return str(loc[0]), loc[1], str(loc[2]) if len(loc) > 2 else None
    if len(loc) > 1:
        return str(loc[0]), 0, str(loc[1])
    return "", 0, str(loc[0])


def merged(written: str, values: Mapping[str, Any]) -> str:
    """The text changed as little as it takes to hold ``values``; new text when there was none."""
    document = tomlkit.parse(written)
    wanted = {key: value for key, value in values.items() if value not in ({}, [])}
    for key in [key for key in document if key not in wanted]:
        del document[key]
    if "parameters" in wanted:
        _merge_parameters(document, wanted.pop("parameters"))
    for key in [key for key in wanted if key in LISTS]:
        _merge_list(document, key, wanted.pop(key))
    _merge(document, wanted)
    new = tomlkit.dumps(document)
    return new if new == written else _spaced(new)


def _spaced(new: str) -> str:
    """One empty line before each table. Left alone where text over several lines could hold what looks like one."""
    if '"""' in new or "'''" in new:
        return new
    return re.sub(r"\n+(?=\[+[^\]]+\]+ *\n)", "\n\n", new)


def _merge(table: Container | Table, wanted: Mapping[str, Any]) -> None:
    """Give the table these values, touching only what differs."""
    for key, value in wanted.items():
        if key not in table or _plain(table[key]) != value:
            table[key] = value


def _merge_parameters(document: tomlkit.TOMLDocument, wanted: Mapping[str, Any]) -> None:
    there = document.get("parameters")
    if there is not None and flat(_plain(there)) == wanted:
        return
    if there is None or flat(_plain(there)).keys() != _plain(there).keys():
        document["parameters"] = _table(wanted)
        return
    for key in [key for key in there if key not in wanted]:
        del there[key]
    _merge(there, wanted)


def _merge_list(document: tomlkit.TOMLDocument, key: str, wanted: list[dict[str, Any]]) -> None:
    """Entries are known by their id: those there are changed in place, new ones follow, others go."""
    name = LISTS[key]
    there = {entry[name]: entry for entry in document.get(key, [])}
    order = [entry[name] for entry in wanted]
    if [i for i in there if i in order] != [i for i in order if i in there] or any(i not in order for i in there):
        kept = tomlkit.aot()
        for entry in wanted:
            kept.append(there.get(entry[name], _table(entry)))
        document[key] = kept
    elif key not in document:
        document[key] = tomlkit.aot()
    _update_list(document[key], wanted, name)


def _update_list(entries: AoT, wanted: list[dict[str, Any]], name: str) -> None:
    there = {entry[name]: entry for entry in entries}
    for values in wanted:
        entry = there.get(values[name])
        if entry is None:
            entries.append(_table(values))
            continue
        for key in [key for key in entry if key not in values]:
            del entry[key]
        _merge(entry, values)


def _table(values: Mapping[str, Any]) -> Table:
    """A new table, with an empty line before it."""
    table = tomlkit.table()
    table.trivia.indent = "\n"
    for key, value in values.items():
        if value not in ({}, ""):
            table[key] = value
    return table


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item
