"""``study.toml`` as text: read with the line of every fault, and written back with its comments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.container import Container
from tomlkit.items import AoT, String, StringType, Table, Trivia

from data.limits import DEFINITION, DEPTH
from data.written import faults
from geo.errors import Fault, FileMissingError, InputError, UnreadableError, refuse

Model = TypeVar("Model", bound=BaseModel)
LISTS = {"layers": "layer_id", "scenarios": "scenario_id"}
"""Lists of tables, and the key that names an entry."""
DOTTED = re.compile(rf"^[ \t\[]*(?:[A-Za-z0-9_-]+[ \t]*\.[ \t]*){{{DEPTH.most}}}", re.MULTILINE)
"""A key of more parts than any has: reading it takes the square of them in time and memory."""

FAULTS_MOST = 1000
LOOKED_FOR = 50_000_000
"""So many characters are read to find the lines of faults; beyond, they are told without."""
ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
SHORT = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r", '"': r"\"", "\\": r"\\"}


def read(path: Path) -> str:
    """The text of a file; FileMissingError or UnreadableError (not UTF-8)."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise FileMissingError(Fault("a study.toml", "none there", str(path), "Make one with renxing new.")) from None
    except UnicodeDecodeError as error:
        raise UnreadableError(Fault("text in UTF-8", str(error), str(path), "Save it as UTF-8.")) from error


def validated(
    model: type[Model], written: str, where: str, also: Callable[[Mapping[str, Any]], Iterable[Fault]] = lambda _: ()
) -> Model:
    """The model that the text defines; UnreadableError when it is not TOML, InputError with all its faults.

    ``also`` tells what else is wrong with the values as TOML has them.
    """
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
    more = [*also(values)]
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        told = error.errors()[:FAULTS_MOST]
        lines = written if len(told) * len(written) <= LOOKED_FOR else ""
        raise InputError(*faults(told, model, written=lines, where=where), *more) from None
    refuse(InputError, more)
    return found


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``walk.max_minutes`` from ``"walk.max_minutes"`` as well as from a table ``walk``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def merged(written: str, values: Mapping[str, Any]) -> str:
    """The text changed as little as it takes to hold ``values``; new text when there was none."""
    document = tomlkit.parse(written)
    wanted = {key: value for key, value in values.items() if value not in ({}, [])}
    for key in [key for key in document if key not in wanted]:
        del document[key]
    if "parameters" in wanted:
        _merge_parameters(document, wanted.pop("parameters"))
    if "rules" in wanted:
        _merge_tables(document, "rules", wanted.pop("rules"))
    for key in [key for key in wanted if key in LISTS]:
        _merge_list(document, key, wanted.pop(key))
    _merge(document, wanted)
    new = tomlkit.dumps(document)
    return new if new == written else _spaced(new)


def _spaced(new: str) -> str:
    """One empty line before each table. Left alone where text over several lines could hold what looks like one."""
    if '"""' in new or "'''" in new:
        return new
    return re.sub(r"(?<!\n)\n+(?=\[+[^\]\n]+\]+ *\n)", "\n\n", new)


def _merge(table: Container | Table, wanted: Mapping[str, Any]) -> None:
    """Give the table these values, touching only what differs."""
    for key, value in wanted.items():
        if key not in table or _plain(table[key]) != value:
            table[key] = _item(value)


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


def _merge_tables(document: tomlkit.TOMLDocument, key: str, wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """A table of tables: what differs in each is changed in place, new ones follow, others go."""
    if key not in document:
        document[key] = tomlkit.table(is_super_table=True)
    tables = document[key]
    for name in [name for name in tables if name not in wanted]:
        del tables[name]
    for name, values in wanted.items():
        if name not in tables:
            tables[name] = _table(values)
            continue
        for lost in [each for each in tables[name] if each not in values]:
            del tables[name][lost]
        _merge(tables[name], values)


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
            table[key] = _item(value)
    return table


def _item(value: Any) -> Any:
    """What tomlkit makes of a value, its texts escaped by us: tomlkit takes the square of their length."""
    if isinstance(value, str):
        return String(StringType.SLB, value, escaped(value), Trivia())
    if isinstance(value, Mapping):
        return {key: _item(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_item(each) for each in value]
    return value


def escaped(said: str) -> str:
    """A text as it stands between quotation marks, in a time that grows as the text."""
    return ESCAPED.sub(lambda found: SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", said)


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item
