"""A definition is bounded, and written in a time that grows as it does."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit.items
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.limits import DEFINITION
from data.study import Layer, Scenario, StudyFile
from data.study.definition import LAYERS, NAME, SCENARIOS, TEXT
from data.study.text import escaped, merged
from geo.errors import InputError, LimitError

HEAD = 'study_id = "s"\nname = "S"\ncrs = "EPSG:32631"\n'
BASE = {"study_id": "s", "name": "S", "crs": "EPSG:32631"}
LAYER = {"layer_id": "a", "kind": "lots", "file": "a.csv"}
SCENARIO = {"scenario_id": "a", "name": "A"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "A" * (NAME + 1)}, "at most 200 characters, not 201"),
        ({"name": "\x1b[31mred"}, "control characters, such as U\\+001B"),
        ({"name_zh": "\x9b31m"}, "U\\+009B"),
        ({"name": "a\nb"}, "U\\+000A"),
        ({"crs": "x" * 501}, "at most 500 characters"),
        ({"scenarios": [SCENARIO | {"name": "\x1b[31m" + "A" * 900_000}]}, "at most 200 characters, not 900,005"),
        ({"scenarios": [SCENARIO] * (SCENARIOS + 1)}, "at most 200 items"),
        ({"scenarios": [SCENARIO | {"hazards": ["x"] * (LAYERS + 1)}]}, "at most 500 items"),
        ({"layers": [LAYER] * (LAYERS + 1)}, "at most 500 items"),
        ({"layers": [LAYER | {"source": "x" * (TEXT + 1)}]}, "at most 4,000 characters"),
        ({"layers": [LAYER | {"conversions": ["x"] * 1001}]}, "at most 1000 items"),
        ({"layers": [LAYER | {"where": ["a=\x00"]}]}, "U\\+0000"),
        ({"layers": [LAYER | {"columns": {"x" * 501: "a"}}]}, "at most 500 characters"),
        ({"layers": [LAYER | {"constants": {"a": "\x07"}}]}, "U\\+0007"),
        ({"layers": [LAYER | {"classes": {f"{i}": i for i in range(1001)}}]}, "at most 1,000 entries"),
        ({"parameters": {"a": ["x" * 4001]}}, "at most 4,000 characters"),
        ({"rules": {"a": {"b": {"c": "\x1b"}}}}, "U\\+001B"),
        ({"rules": {"a": {"b": [[[[[[[[[1]]]]]]]]]}}}, "at most 8 others"),
    ],
)
def test_what_is_too_much_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        StudyFile.model_validate(BASE | wrong)


def test_the_fault_of_a_text_says_its_line_and_what_is_wrong() -> None:
    with pytest.raises(InputError, match="without control characters") as error:
        StudyFile.understood(HEAD.replace('"S"', r'"\u001b[31mS"'), "study.toml")
    assert "line 2" in str(error.value) and "\x1b" not in str(error.value)


def test_more_than_may_be_read_again_is_not_written() -> None:
    layers = [Layer(**LAYER | {"layer_id": f"a{i}", "conversions": ["x" * TEXT] * 3}) for i in range(LAYERS)]
    study = StudyFile(**BASE, layers=layers)
    assert len(study.model_dump_json()) > DEFINITION.most
    with pytest.raises(LimitError, match=r"characters of study\.toml"):
        study.dump()


def test_texts_over_several_lines_and_signs_are_written_and_read() -> None:
    said = 'a "b" \\ c\n\td 人口'
    layer = Layer(**LAYER, source=said, columns={"people": said}, where=["a=人口"], conversions=[said])
    study = StudyFile(**BASE, layers=[layer], scenarios=[Scenario(**SCENARIO)])
    assert StudyFile.understood(study.dump(), "s") == study


def test_tomlkit_escapes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its way takes the square of a text's length: 16 minutes for one of 900 kB."""

    def never(*_: object, **__: object) -> str:
        raise AssertionError("escaped by tomlkit")

    monkeypatch.setattr(tomlkit.items, "escape_string", never)
    study = StudyFile(**BASE, layers=[Layer(**LAYER, source='"' * TEXT)])
    study = StudyFile(**BASE, layers=[Layer(**LAYER, source="\\" * TEXT, where=['"'])], rules={"a": {"help": '"'}})
    assert len(study.dump()) < 3 * TEXT


@given(st.text())
def test_what_is_escaped_is_read_as_it_was(said: str) -> None:
    assert tomllib.loads(f'a = "{escaped(said)}"') == {"a": said}


def test_empty_lines_are_taken_once() -> None:
    empty = HEAD + "\n" * 20_000 + "# end\n"
    assert merged(empty, BASE | {"name": "T"}) == empty.replace('"S"', '"T"')
