"""Refusals of values in plain words, for every kind of check that parameters and requests have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from app.faults import expected


class Format(StrEnum):
    """Two formats."""

    csv = "csv"
    pdf = "pdf"


def moment(text: str) -> str:
    raise ValueError("should be a weekday and a time such as Mo 08:30, or any")


def exactly(text: str) -> str:
    raise ValueError("Numbers of OpenStreetMap only")


CASES: list[tuple[Any, object, str]] = [
    (float, "fast", "a number"),
    (float, None, "a number"),
    (Annotated[float, Field(allow_inf_nan=False)], "nan", "a number"),
    (int, "1.5", "a whole number"),
    (bool, "perhaps", "true or false"),
    (str, 5, "text"),
    (tuple[str, ...], 5, "a list"),
    (Annotated[float, Field(gt=0)], "0", "more than 0"),
    (Annotated[float, Field(ge=0.25)], "-1", "at least 0.25"),
    (Annotated[float, Field(lt=1e6)], "2e6", "less than 1000000"),
    (Annotated[int, Field(le=65535)], "65536", "at most 65535"),
    (Annotated[tuple[str, ...], Field(min_length=1)], (), "at least one"),
    (Annotated[tuple[str, ...], Field(min_length=5)], ("1",), "at least 5"),
    (Annotated[tuple[str, ...], Field(max_length=1)], ("1", "2"), "at most one"),
    (Annotated[str, StringConstraints(min_length=1)], "", "at least one character"),
    (Annotated[str, StringConstraints(max_length=3)], "four", "at most 3 characters"),
    (Literal["from", "towards"], "away", "one of from, towards"),
    (Literal["walk", "car", "tram"], "bus", "one of walk, car, tram"),
    (Format, "doc", "one of csv, pdf"),
    (Annotated[str, AfterValidator(moment)], "noon", "a weekday and a time such as Mo 08:30, or any"),
    (Annotated[str, AfterValidator(exactly)], "noon", "Numbers of OpenStreetMap only"),
]


@pytest.mark.parametrize(("kind", "value", "said"), CASES)
def test_what_was_expected(kind: Any, value: object, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    assert expected(refused.value.errors()[0]) == said


def test_other_kinds_say_what_the_library_says_without_its_beginning() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Annotated[str, StringConstraints(pattern="^A+$")]).validate_python("b")
    assert expected(refused.value.errors()[0]) == "match pattern '^A+$'"
