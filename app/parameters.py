"""Parameters by dotted name: the defaults from the standards, what a study changes, and what a run changes on top."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from app.faults import expected
from geo.city import PlanParams
from geo.errors import Fault, ParameterError, refuse

WELL_KNOWN = ("walk.max_minutes", "fire.minutes", "shelter.candidates")
"""What is named where nothing comes near to a name."""
CURE = "docs/manual.md lists every parameter with its range."


class Parameter(NamedTuple):
    """One number or word a planner may change."""

    name: str
    value: Any
    description: str


def listed(params: PlanParams) -> Iterator[Parameter]:
    """Every parameter, e.g. ``walk.max_minutes``, with its value in force and its description with the unit."""
    for part, _ in PlanParams.model_fields.items():
        group: BaseModel = getattr(params, part)
        for name, info in type(group).model_fields.items():
            yield Parameter(f"{part}.{name}", getattr(group, name), info.description or "")


def changed(params: PlanParams, changes: Mapping[str, Any], *, where: str) -> PlanParams:
    """``params`` with some values changed by dotted name; ParameterError with every unknown name and wrong value."""
    known = {parameter.name: parameter for parameter in listed(params)}
    refuse(ParameterError, [_unknown(name, known, where) for name in changes if name not in known])
    nested = params.model_dump()
    for name, value in changes.items():
        part, _, field = name.partition(".")
        nested[part][field] = _split(value, known[name].value)
    try:
        return PlanParams.model_validate(nested)
    except ValidationError as error:
        raise ParameterError(*(_fault(e, known, where) for e in error.errors())) from None


def parsed(settings: Sequence[str]) -> dict[str, str]:
    """``param=value`` texts as a mapping; ParameterError names all that are not of this form or given twice."""
    pairs = [text.partition("=") for text in settings]
    bad = [text for text, (name, sign, _) in zip(settings, pairs, strict=True) if not (name.strip() and sign)]
    names = [name.strip() for name, _, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    cure = "Write --set walk.max_minutes=20."
    faults = [Fault("param=value", repr(text), "--set", cure) for text in bad]
    refuse(ParameterError, [*faults, *(Fault("each parameter once", name, "--set") for name in twice)])
    return {name.strip(): value.strip() for name, _, value in pairs}


def _split(value: Any, default: Any) -> Any:
    """A list of words may be written with commas."""
    if isinstance(default, (tuple, list)) and isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _unknown(name: str, known: Mapping[str, Parameter], where: str) -> Fault:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or WELL_KNOWN
    return Fault(f"a parameter such as {', '.join(close)}", repr(name), where, CURE)


def _fault(error: Any, known: Mapping[str, Parameter], where: str) -> Fault:
    name = ".".join(map(str, error["loc"][:2]))
    about = f" ({known[name].description.rstrip('.')})" if name in known else ""
    found = error["input"]
    told = "values that do not go together" if isinstance(found, Mapping) else repr(found)
    return Fault(expected(error) + about, told, f"{where}, {name}", CURE)
