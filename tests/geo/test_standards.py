"""How a source is told to a planner."""

from __future__ import annotations

import pytest

from geo.standards import AFTER, INSTEAD, OWN_RULE, cited

POWER = "电力设施保护条例 (Regulation on the protection of power facilities)"


@pytest.mark.parametrize(
    ("standard", "clause", "grade", "en", "zh"),
    [
        ("GB 50011-2010 (2016)", "4.1.7", "V", "GB 50011-2010 (2016) 4.1.7, clause seen",
         "GB 50011-2010 (2016) 4.1.7，已见原文"),
        (POWER, "art. 10: taken for 35-110 kV", "V",
         "Regulation on the protection of power facilities art. 10, clause seen", "电力设施保护条例第10条，已见原文"),
        (POWER, "第10条", "V2", "Regulation on the protection of power facilities art. 10, seen second-hand",
         "电力设施保护条例第10条，间接引用"),
        (f"{INSTEAD}{POWER}", "art. 10", "P",
         "the study's own number, instead of Regulation on the protection of power facilities art. 10",
         "本研究取值（代替电力设施保护条例第10条）"),
        (f"{INSTEAD}planning choice; more", "", "P", "the study's own number, instead of planning choice",
         "本研究取值（代替规划取值）"),
        (OWN_RULE, "", "P", "the study's own rule", "本研究自定规则"),
        (f"{AFTER}GB 50413-2007; another", "8.2.7; 4.2.4", "P", "planning choice after GB 50413-2007 8.2.7",
         "规划取值，参照GB 50413-2007 8.2.7"),
        (f"{INSTEAD}{AFTER}GB 50413-2007", "8.2.7", "P",
         "the study's own number, instead of planning choice after GB 50413-2007 8.2.7",
         "本研究取值（代替规划取值，参照GB 50413-2007 8.2.7）"),
        ("GB/T 50293-2014", "corridors of 750-1000 kV: 90 m", "M", "GB/T 50293-2014, to be confirmed",
         "GB/T 50293-2014，待核实"),
        ("GB 50011", "4.1.7 asks for a special study", "V", "GB 50011 4.1.7, clause seen", "GB 50011 4.1.7，已见原文"),
        ("GB 50011", "3.3.1, 4.1.1", "M", "GB 50011 3.3.1, 4.1.1, to be confirmed", "GB 50011 3.3.1、4.1.1，待核实"),
        ("planning choice; the city's own line goes before", "", "P", "planning choice", "规划取值"),
        ("GB 50016", "", "M", "GB 50016, to be confirmed", "GB 50016，待核实"),
        ("general disaster code, title to be confirmed", "4.2.4; more", "V2",
         "general disaster code, title to be confirmed 4.2.4, seen second-hand",
         "防灾避难场所通用规范（名称待确认） 4.2.4，间接引用"),
    ],
)  # fmt: skip
def test_a_source_is_cited_in_few_words(standard: str, clause: str, grade: str, en: str, zh: str) -> None:
    assert cited(standard, clause, grade) == (en, zh)
