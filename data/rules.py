"""Rules of distance as data: ours (data/standards/setback_rules, one TOML a set), and what a study says of them.

A study's ``[rules.ID]`` changes single fields of one of ours, or is a rule of its own. Whatever is wrong with any of
them is told at once, with file, line and key. See docs/rules.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from data import standards, words, written
from data.osm import kinds as mapped
from geo.errors import Fault, InputError, refuse
from geo.levels import UNITS
from geo.reasons import Finding
from geo.rules import NO_RULES, Rule, Rules
from geo.setbacks import LAYERS_ZH
from geo.sources import COMBINED
from geo.standards import GRADES, INSTEAD, OWN_RULE

FOLDER = standards.FOLDER / "setback_rules"
STUDY = "study"
"""The set of a study's own rules, and of those it says are to be used."""
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_OF_WHOM = {"standard": OWN_RULE, "grade": "P"}
"""What a rule of a study is from, where it does not say."""
NEEDED = tuple(name for name, field in Rule.model_fields.items() if field.is_required() and name not in _OF_WHOM)
_WORDING = frozenset({"use", "standard", "clause", "grade", "en", "zh"})
"""Fields whose change leaves the rule the standard's."""
_WORD = re.compile(r"is unknown|is known|(?<![A-Za-z_])[A-Za-z_]\w*")
_QUOTED = frozenset({"en", "zh", "standard", "clause"})
FIELDS: Mapping[str, tuple[str, str]] = {
    "layer": ("layer", "对象图层"), "kinds": ("kinds", "对象类型"), "where": ("conditions", "条件"),
    "level": ("level", "等级"), "distance": ("distance", "距离"), "assume": ("assumed", "缺失时取"),
    "zone": ("zone", "分区"), "applies_to": ("applies to", "适用于"), "on": ("asked of", "判断对象"),
    "use": ("used", "启用"), "standard": ("standard", "标准"), "clause": ("clause", "条款"), "grade": ("grade", "依据"),
    "en": ("English name", "英文名称"), "zh": ("Chinese name", "中文名称"),
}  # fmt: skip
"""What the fields of a rule are called, in English and Chinese."""
WORDS_ZH: Mapping[str, str] = {
    "let": "让", "prevent": "防", "ground": "用地", "standing": "现状建筑", "planned": "拟建建筑",
    "building": "建筑", "dwelling": "住宅", "important": "重要建筑", "shelter": "避难场所", "open": "开敞用地",
    "high": "高层建筑", "class_a": "甲类", "class_b": "乙类", "class_c": "丙类", "class_d": "丁类",
    "height_m": "高度（米）", "H": "高度（米）", "levels": "层数", "area_m2": "面积（平方米）",
    "voltage_v": "电压（伏）", "cover_m": "覆盖层厚度（米）", "intensity": "烈度", "volume_m3": "体积（立方米）",
    "slope_deg": "坡度（度）", "return_period_y": "重现期（年）", "is unknown": "未知", "is known": "已知", **LAYERS_ZH,
}  # fmt: skip
"""Words of rules in Chinese."""
Tables = Mapping[str, Mapping[str, Any]]


def _named(tags: Mapping[str, Mapping[str, str]], *more: str) -> tuple[str, ...]:
    return (*dict.fromkeys(kind for of_key in tags.values() for kind in of_key.values()), *more)


KINDS: Mapping[str, tuple[str, ...]] = {
    "lines": _named(mapped.LINES, "shore", "evacuation_route", "hazard_prone"),
    "areas": _named(mapped.AREAS, "hazard_prone"),
    "sources": words.known("source"),
    "slopes": ("toe", "top"),
    "hazards": (*UNITS, COMBINED),
}  # fmt: skip
"""Kinds of things in a layer, where they are all known; facilities, buildings and streets may have others."""


@lru_cache(maxsize=1)
def load() -> Rules:
    """Our rules, in the order of the files and of the tables in each."""
    rules: dict[str, Rule] = {}
    of: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        found = understood(path.read_text(encoding="utf-8"), where=path.name)
        twice = [Fault("each rule in one set", f"{name} in {of[name]} too", path.name) for name in found if name in of]
        refuse(InputError, twice)
        rules |= found
        of |= dict.fromkeys(found, path.stem)
    return Rules(rules, of)


def understood(text: str, *, where: str) -> dict[str, Rule]:
    """The rules of a set by id; InputError with every fault, its line and key."""
    tables = tomllib.loads(text)
    refuse(InputError, [fault for name in tables for fault in _faults(name, tables[name], NO_RULES, text, where, ())])
    return {name: Rule.model_validate(table) for name, table in tables.items()}


def faults(overrides: Tables, *, text: str = "", where: str = "study.toml") -> Iterator[Fault]:
    """What is wrong with the rules of a study; ``text`` is its definition as written, for the lines.

    What is no table at all is left to the definition.
    """
    rules = load()
    for name, table in overrides.items() if isinstance(overrides, dict) else ():
        if isinstance(table, dict):
            yield from _faults(name, _whole(name, table, rules), rules, text, where, ("rules",))


def merged(rules: Rules, overrides: Tables) -> Rules:
    """The rules with what a study says of them, and its own; the order of ours is kept, the study's follow.

    What differs in more than words is no longer the standard's: it is a planning choice (P) unless the study says
    otherwise. A rule that the study says is to be used, and a new one, are of the set ``study``. InputError with every
    fault.
    """
    whole = {name: _whole(name, table, rules) for name, table in overrides.items()}
    refuse(InputError, [f for name in whole for f in _faults(name, whole[name], rules, "", "study.toml", ("rules",))])
    found = {name: _owned(Rule.model_validate(table), rules.rules.get(name), overrides[name])
             for name, table in whole.items()}  # fmt: skip
    own = {name: STUDY for name, table in overrides.items() if name not in rules.rules or table.get("use") is True}
    return Rules({**rules.rules, **found}, {**rules.of, **own})


def told(overrides: Tables) -> Iterator[Finding]:
    """What a plan says of a study's rules."""
    ours = load().rules
    rules = merged(load(), overrides).rules
    if changed := [name for name in overrides if name in ours]:
        parts = [_changes(overrides[name], ours[name], rules[name]) for name in changed]
        en, zh = "; ".join(en for en, _ in parts), "；".join(zh for _, zh in parts)
        en, zh = f"Rules of distance that differ from ours: {en}.", f"与默认不同的避让规则：{zh}。"
        yield Finding("rules_changed", en, zh, count=len(changed))
    if new := [name for name in overrides if name not in ours]:
        en, zh = "; ".join(rules[name].en for name in new), "；".join(rules[name].zh for name in new)
        en, zh = f"Rules of distance of the study's own: {en}.", f"本研究自定的避让规则：{zh}。"
        yield Finding("rules_added", en, zh, count=len(new))


def _changes(said: Mapping[str, Any], ours: Rule, now: Rule) -> tuple[str, str]:
    """``Overhead line, 500 kV (distance 30 m, ours 20 m)`` in English and Chinese."""
    differ = [key for key in said if getattr(now, key) != getattr(ours, key)]
    values = [(FIELDS[key], _shown(key, getattr(now, key)), _shown(key, getattr(ours, key))) for key in differ]
    en = ", ".join(f"{field[0]} {new[0]}, ours {old[0]}" for field, new, old in values)
    zh = "，".join(f"{field[1]}{new[1]}，默认{old[1]}" for field, new, old in values)
    return f"{ours.en} ({en or 'as ours'})", f"{ours.zh}（{zh or '与默认相同'}）"


def _shown(field: str, value: object) -> tuple[str, str]:
    """A value of a field in words, English and Chinese; what has no words as it is written."""
    if value in (None, (), {}, ""):
        return "none", "无"
    match value:
        case bool():
            return ("yes", "是") if value else ("no", "否")
        case tuple():
            shown = [_shown(field, each) for each in value]
            return " + ".join(en for en, _ in shown), "、".join(zh for _, zh in shown)
        case dict():
            return _shown(field, tuple(f"{name} = {number:g}" for name, number in value.items()))
    text = str(value)
    if field == "distance" and text.replace(".", "", 1).isdigit():
        return f"{text} m", f"{text}米"
    if field == "grade":
        return GRADES[text]
    return text, f"“{text}”" if field in _QUOTED else _WORD.sub(lambda word: WORDS_ZH.get(word[0], word[0]), text)


def _whole(name: str, table: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """All fields of a rule of which a study says some."""
    known = rules.rules.get(name)
    return {**(_OF_WHOM if known is None else known.model_dump(exclude_unset=True)), **table}


def _owned(now: Rule, ours: Rule | None, said: Mapping[str, Any]) -> Rule:
    """The rule with whose it is: a standard's number that was changed is not the standard's."""
    if ours is None or all(getattr(now, key) == getattr(ours, key) for key in said if key not in _WORDING):
        return now
    whose = {"grade": "P", "standard": f"{INSTEAD}{ours.standard}"}
    return now.model_copy(update={key: value for key, value in whose.items() if key not in said})


def _faults(
    name: str, table: Any, rules: Rules, text: str, where: str, under: written.Path
) -> Iterator[Fault]:  # fmt: skip
    """What is wrong with one rule."""
    at = (*under, name)
    line = written.line_of(text, at) if text else None
    place = f"{where}, line {line}" if line else where
    if not isinstance(table, dict):
        yield Fault(f"a table [{'.'.join(map(str, at))}]", repr(table)[: written.FOUND_MAX], place)
        return
    lacking = [key for key in NEEDED if key not in table]
    if rules is not NO_RULES and lacking:
        expected = f"the id of a rule, or all that a new one needs: {', '.join(NEEDED)}"
        cure = written.meant(name, rules.rules)
        yield Fault(expected, f"{name!r} without {', '.join(lacking)}", place, cure)
    if not _ID.match(name):
        yield Fault("an id of a-z, 0-9 and _, a letter first", repr(name), place)
    try:
        yield from _kind_faults(Rule.model_validate(table), at, text, where)
    except ValidationError as error:
        wrong = (each for each in error.errors() if each["type"] != "missing" or rules is NO_RULES)
        yield from written.faults(wrong, Rule, written=text, where=where, under=at)


def _kind_faults(rule: Rule, at: written.Path, text: str, where: str) -> Iterator[Fault]:
    """Kinds that a layer never has."""
    known = KINDS.get(rule.layer, rule.kinds)
    strange = [kind for kind in rule.kinds if kind not in known]
    line = written.line_of(text, (*at, "kinds")) if text else None
    place = f"{where}, line {line}" if line else where
    for kind in strange:
        yield Fault(f"kinds of {rule.layer}: {', '.join(known)}", repr(kind), place, written.meant(kind, known))
