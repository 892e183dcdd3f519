from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import rules, standards, written
from data.study import StudyFile
from geo.errors import InputError
from geo.levels import DERIVED
from geo.rules import TAGS, Rule
from geo.setbacks import SetbackParams
from geo.standards import cited

OURS = rules.load()
NUMBERS = r"((art\. \d+|\d+(\.\d+)+)([,;] \d+(\.\d+)+)*)?"
"""What a clause of ours may be: a remark is a comment."""
BEGIN = 'study_id = "a"\nname = "A"\ncrs = "EPSG:4549"\n\n'
NEW = """\
[rules.heat_plant]   # the works council asked for it
layer = "facilities"
kinds = ["works"]
distance = 60
zone = "prevent"
applies_to = ["dwelling"]
en = "Heat plant"
zh = "热电厂"
"""


def load(folder: Path, text: str) -> StudyFile:
    path = folder / "study.toml"
    path.write_text(BEGIN + text, encoding="utf-8")
    return StudyFile.load(path)


def refused(folder: Path, text: str) -> list[str]:
    """What is wrong, without the folder's name; lines counted from the first of ``text``."""
    with pytest.raises(InputError) as raised:
        load(folder, text)
    return [str(fault).replace(f"{folder}/", "") for fault in raised.value.faults]


def table(**changes: object) -> str:
    """A new rule as text, some of its fields changed."""
    told = {"layer": "lines", "kinds": ["river"], "distance": 20, "zone": "let", "applies_to": ["building"],
            "en": "River", "zh": "河"} | changes  # fmt: skip
    return "[rules.mine]\n" + "".join(f"{key} = {value!r}\n" for key, value in told.items())


# -- ours --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(rules.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_our_own_files_are_checked_by_the_same_code(path: Path) -> None:
    found = rules.understood(path.read_text(encoding="utf-8"), where=path.name)
    for rule in found.values():
        assert re.fullmatch(NUMBERS, rule.clause)
        assert rule.clause or rule.grade in ("P", "M", "V2")  # a clause that was seen can be named
        assert len(rule.en) < 80 and not rule.en.endswith(".") and not rule.zh.endswith("。")
    broken = path.read_text(encoding="utf-8").replace("layer = ", "layr = ", 1)
    with pytest.raises(InputError, match=rf"{path.name}, line \d+.*Did you mean layer\?"):
        rules.understood(broken, where=path.name)


def test_the_sets_that_are_used_are_there() -> None:
    chosen = set(SetbackParams.of(standards.load()).rule_sets)
    assert {"china", "japan", "planning"} <= chosen <= {*OURS.of.values(), rules.STUDY}
    assert "alquist_priolo" in OURS.rules and "alquist_priolo" not in OURS.chosen(tuple(chosen)).rules


@pytest.mark.parametrize(("name", "metres", "grade"), [
    ("fault_8_b", 200, "V"), ("fault_8_c", 100, "V"), ("fault_9_b", 400, "V"), ("fault_9_c", 200, "V"),
    ("power_10kv", 5, "V2"), ("power_110kv", 10, "V2"), ("power_330kv", 15, "V2"), ("power_500kv", 20, "V2"),
    ("power_unknown", 10, "P"), ("hazardous_works_shelter", 1000, "V"), ("fire_source_shelter", 30, "P"),
    ("fuel_important", 35, "M"), ("steep_top", 10, "V"), ("landslide_reach", 250, "P"), ("landslide_special", 60, "P"),
    ("alquist_priolo", 15.2, "V2"), ("fire_separation", 6, "M"), ("river", 20, "P"),
])  # fmt: skip
def test_numbers_are_those_of_the_sources(name: str, metres: float, grade: str) -> None:
    rule = OURS.rules[name]
    assert (rule.metres({}, 1)[0], rule.grade) == (metres, grade)


@pytest.mark.parametrize(("prefix", "volts", "metres"), [
    (prefix, *each) for prefix in ("", "given_") for each in (
        (400, None), (10_000, 5), (20_000, 10), (35_000, 10), (110_000, 10), (220_000, 15), (330_000, 15),
        (500_000, 20), (1_000_000, 50), (np.nan, 10))
])  # fmt: skip
def test_a_power_line_has_one_strip(prefix: str, volts: float, metres: float | None) -> None:
    of = [rule for name, rule in OURS.rules.items() if name.startswith(f"{prefix}power_")]
    held = [rule for rule in of if rule.holds({"voltage_v": np.array([volts])}, 1)[0]]
    assert [rule.metres({}, 1)[0] for rule in held] == ([] if metres is None else [metres])


@pytest.mark.parametrize(("degrees", "cover", "names"), [
    (7, np.nan, set()), (8, np.nan, {"fault_8_a", "fault_8_a_study", "fault_8_b", "fault_8_c"}), (8, 61, set()),
    (9, 61, {"fault_9_a", "fault_9_a_study", "fault_9_b", "fault_9_c"}), (9, 91, set()),
])  # fmt: skip
def test_faults_hold_from_intensity_8_and_not_under_deep_soil(degrees: float, cover: float, names: set[str]) -> None:
    known = {"intensity": np.array([degrees]), "cover_m": np.array([cover])}
    of = {name: rule for name, rule in OURS.rules.items() if name.startswith("fault_") and name != "fault_shelter"}
    assert {name for name, rule in of.items() if rule.holds(known, 1)[0]} == names


def test_a_slope_keeps_twice_its_height_up_to_50_m() -> None:
    height = np.array([4.9, 5.0, 10.0, 30.0])
    rule = OURS.rules["steep_toe"]
    values = {"height_m": height, "slope_deg": np.full(4, 30.0)}
    assert rule.metres(values, 4).tolist() == [9.8, 10.0, 20.0, 50.0]
    assert rule.holds(values, 4).tolist() == [False, True, True, True]


def test_hazards_made_from_the_map_and_all_together_do_not_say_things_twice() -> None:
    let = [rule for rule in OURS.chosen(("china", "japan", "planning")).rules.values() if rule.zone == "let"]
    kinds = {kind for rule in let if rule.layer == "hazards" for kind in rule.kinds}
    assert kinds & {*DERIVED, "combined"} == {"steep_slope"}
    assert not kinds & {"earthquake", "earthquake_pga", "wind", "sand", "fire"}
    drawn = [rule for rule in let if rule.applies_to == ("shelter",)]
    assert drawn and all("ground" not in rule.on for rule in drawn)  # 1 km round a tank is nothing to a dwelling


# -- a study's ---------------------------------------------------------------------------------------------------------


def test_a_study_changes_single_fields(tmp_path: Path) -> None:
    study = load(tmp_path, '[rules.power_500kv]\ndistance = 30\n\n[rules.steep_toe]\nuse = false\nen = "Slope"\n')
    found = rules.merged(OURS, study.rules)
    changed, slope = found.rules["power_500kv"], found.rules["steep_toe"]
    assert (changed.metres({}, 1)[0], changed.grade, changed.where) == (30, "P", OURS.rules["power_500kv"].where)
    assert changed.standard.startswith("the study's own, instead of 电力设施保护条例")
    assert (slope.use, slope.grade, slope.en, slope.distance) == (False, "V", "Slope", "2H <= 50")
    assert list(found.rules) == list(OURS.rules) and found.of == OURS.of
    assert OURS.rules["power_500kv"].distance == "20"
    assert [note.en for note in rules.told(study.rules)] == [
        "Rules of distance that differ from ours: Overhead line, 500 kV (distance 30 m, ours 20 m); Below a steep "
        "slope (used no, ours yes, English name Slope, ours Below a steep slope)."
    ]  # fmt: skip
    assert [note.zh for note in rules.told(study.rules)] == [
        "与默认不同的避让规则：架空电力线，500千伏（距离30米，默认20米）；陡坡下方（启用否，默认是，"
        "英文名称“Slope”，默认“Below a steep slope”）。"
    ]  # fmt: skip
    assert cited(changed.standard, changed.clause, changed.grade) == (
        "the study's own number, instead of Regulation on the protection of power facilities art. 10",
        "本研究取值（代替电力设施保护条例第10条）",
    )  # fmt: skip


def test_every_field_of_a_rule_has_words() -> None:
    assert rules.FIELDS.keys() == Rule.model_fields.keys() and set(TAGS) <= rules.WORDS_ZH.keys()
    (said,) = rules.told({"fault_8_c": {"applies_to": ["class_c", "high"], "zone": "prevent", "on": ["planned"],
                                        "distance": "2 * cover_m", "assume": {"cover_m": 5}, "grade": "V2",
                                        "where": ["cover_m is unknown"]}})  # fmt: skip
    assert said.zh == (
        "与默认不同的避让规则：活动断裂，8度，丙类建筑（适用于丙类、高层建筑，默认丙类，分区防，默认让，"
        "判断对象拟建建筑，默认用地、现状建筑、拟建建筑，距离2 * 覆盖层厚度（米），默认100米，"
        "缺失时取覆盖层厚度（米） = 5，默认覆盖层厚度（米） = 0，依据间接引用，默认已见原文，"
        "条件覆盖层厚度（米） 未知，默认烈度 >= 8、烈度 < 9、覆盖层厚度（米） <= 60）。"
    )


def test_a_rule_of_a_studys_own_and_one_that_is_to_be_used(tmp_path: Path) -> None:
    study = load(tmp_path, NEW + "\n[rules.alquist_priolo]\nuse = true\n")
    found = rules.merged(OURS, study.rules)
    own = found.rules["heat_plant"]
    assert (own.standard, own.grade, own.distance, own.zone) == ("the study's own", "P", "60", "prevent")
    assert cited(own.standard, own.clause, own.grade) == ("the study's own rule", "本研究自定规则")
    assert {found.of["heat_plant"], found.of["alquist_priolo"]} == {rules.STUDY}
    assert {"heat_plant", "alquist_priolo"} <= set(found.chosen(("china", rules.STUDY)).rules)
    assert [note.code for note in rules.told(study.rules)] == ["rules_changed", "rules_added"]


@pytest.mark.parametrize(("text", "said"), [
    ('[rules.river]\n\nlayer = "lanes"\n',
     "study.toml, line 7: expected rules.river.layer: Where its sources are: .* found 'lanes'. Did you mean lines?"),
    ("[rules.river]\nzone = 'let'\ndistance = -5\n",
     r"study.toml, line 7: expected rules.river.distance: .* found -5. Should be 0 to 50,000 metres\."),
    ('[rules.steep_toe]\ndistance = "2H <"\n', "study.toml, line 6: .* found '2H <'. Should be metres, or a formula"),
    ('[rules.steep_toe]\ndistance = "__import__(1)"\n', r"study.toml, line 6: .* found '__import__\(1\)'."),
    ("[rules]\nriver.distnce = 5\n", "study.toml, line 6: .* found 'rules.river.distnce'. Did you mean distance?"),
    ("[rules.power_500]\ndistance = 30\n",
     "study.toml, line 5: expected the id of a rule, .* found 'power_500' without layer, .* Did you mean power_500kv?"),
    (table(zone="avoid"), r"study.toml, line 9: expected rules.mine.zone: .*let \(让\).* found 'avoid'"),
    (table(where=["voltage_v > 3", "about 3"]), "study.toml, line 13: .*rules.mine.where.2: .* found 'about 3'"),
    (table(kinds=[]), r"study.toml, line 7: expected rules.mine.kinds: .* found \[\]"),
    (table(grade="Q"), "study.toml, line 13: expected rules.mine.grade: .* found 'Q'"),
    (table(kinds=["rivr"]), "study.toml, line 7: expected kinds of lines: .* found 'rivr'. Did you mean river?"),
    (table(layer="sources", kinds=["fault", "falt"]), "study.toml, line 7: .* found 'falt'. Did you mean fault?"),
    (table(applies_to=["dwelings"]), "study.toml, line 10: .* found 'dwelings'. Did you mean dwelling?"),
    (table(distance="2H"), "study.toml, line 5: expected rules.mine to ask of lines only intensity, voltage_v, not"),
    ("[rules.river]\nlevel = 3\n", "study.toml, line 5: expected rules.river to have a level if its layer is hazards"),
    ("[rules.River]\n" + table().split("\n", 1)[1], "study.toml, line 5: expected an id of a-z"),
    ("[rules]\nriver = 5\n", "study.toml, line 6: expected rules.river: Rules of distance by id"),
    ("rules = 5\n", "study.toml, line 5: expected rules: Rules of distance by id"),
    ('["rules"."river"]\n"distance" = -1\n', "study.toml, line 6: expected rules.river.distance"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    (found,) = refused(tmp_path, text)
    assert re.match(said.replace("?", r"\?"), found), found


def test_every_fault_at_once_beside_those_of_the_study(tmp_path: Path) -> None:
    text = 'crrs = "x"\n\n[rules.river]\ndistance = -1\nzone = "no"\n\n' + table(grade="Q", layer="lanes")
    assert [part.split(":")[0] for part in refused(tmp_path, text)] == [
        "study.toml, line 5", "study.toml, line 8", "study.toml, line 9", "study.toml, line 12", "study.toml, line 19",
    ]  # fmt: skip


def test_rules_and_their_comments_survive(tmp_path: Path) -> None:
    text = f"# ours\n[rules.river]\ndistance = 40   # as the river office has it\n\n{NEW}"
    study = load(tmp_path, text)
    assert load(tmp_path, study.dump().split("\n", 4)[-1]) == study
    assert "# as the river office has it" in study.dump() and "# the works council" in study.dump()
    kept = {**study.rules, "river": {**study.rules["river"], "distance": 45}, "canal": {"use": False}}
    changed = study.model_copy(update={"rules": kept})
    again = changed.dump()
    assert "distance = 45" in again and "# as the river office has it" in again and "# the works council" in again
    assert load(tmp_path, again.removeprefix(BEGIN)).rules == kept
    gone = load(tmp_path, again.removeprefix(BEGIN)).model_copy(update={"rules": {"canal": {"use": False}}}).dump()
    assert "heat_plant" not in gone and load(tmp_path, gone.removeprefix(BEGIN)).rules == {"canal": {"use": False}}
    assert "rules" not in study.model_copy(update={"rules": {}}).dump()


keys = st.from_regex(r"[a-z]{1,4}", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(keys, st.dictionaries(keys, st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=4),
       st.integers(0, 3), st.booleans())  # fmt: skip
def test_the_line_of_every_key_is_found(tables: dict[str, dict[str, int]], blank: int, dotted: bool) -> None:
    lines: list[str] = ["# begins"]
    where: dict[tuple[str, ...], int] = {}
    for name, of in tables.items():
        lines += [*[""] * blank, f"[{name}]" if dotted else f"[ rules . {name} ] # of {name} = 3"]
        where[name,] = len(lines)
        for key, value in of.items():
            lines.append(f"{key}={value}")
            where[name, key] = len(lines)
    under: tuple[Any, ...] = () if dotted else ("rules",)
    for loc, line in where.items():
        assert written.line_of("\n".join(lines), (*under, *loc)) == line
        assert written.line_of("\n".join(lines), (*under, *loc, "nothing_there")) == line


def test_fields_of_a_rule_that_a_study_needs_to_say() -> None:
    assert rules.NEEDED == ("layer", "kinds", "distance", "zone", "applies_to", "en", "zh")
    assert set(rules.NEEDED) | {"standard", "grade"} == {
        name for name, field in Rule.model_fields.items() if field.is_required()
    }  # fmt: skip
