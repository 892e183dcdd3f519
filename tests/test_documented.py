"""Every setting, option, route and parameter says what it is, in which unit, and how far it may go."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.source import ROOT, modules

# Whole sets of numbers travel inside these by their own names (``sphere.space_m2``), so that a run is named by all its
# numbers; each refuses the names it does not know itself (tests/geo/test_needs.py, test_tiers.py).
OF_SETS = {"NeedsParams", "TierParams"}
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
# A number's description holds one of these.
UNITS = re.compile(
    r"\b(m|m2|m²|m³|mm|metres?|kilometres?|km|s|seconds?|minutes?|hours?|days?|years?|persons?|people|households?|CNY"
    r"|kg|kilograms?|share|ratio|factor|weight|degrees?|count|number|cells?|pixels?|bytes|KiB|MiB|GiB|kB|MB|storeys?|floors?"
    r"|zoom|port|seed|km/h|m/s|per cent|dimensionless)\b|%",
    re.IGNORECASE,
)


def models() -> list[type[BaseModel]]:
    """Every pydantic model that the four packages define."""
    found = {}
    for name in modules():
        if name.endswith("__main__"):
            continue
        for thing in vars(importlib.import_module(name)).values():
            if inspect.isclass(thing) and issubclass(thing, BaseModel) and thing.__module__ == name:
                found[f"{name}.{thing.__qualname__}"] = thing
    return list(found.values())


def fields(of: list[type[BaseModel]]) -> Iterator[tuple[str, FieldInfo]]:
    """Each model's own and inherited fields with a name to find them by."""
    for model in of:
        for name, field in model.model_fields.items():
            yield f"{model.__module__}.{model.__qualname__}.{name}", field


def parameters() -> list[type[BaseModel]]:
    """The models a user turns: the settings, and what stands beside a verb in ``geo``."""
    from app.settings import Settings

    return [Settings, *(model for model in models() if model.__module__.startswith("geo."))]


def is_number(field: FieldInfo) -> bool:
    """Whether the field takes an int or a float, perhaps none."""
    kinds = set(re.findall(r"\w+", str(field.annotation)))
    return bool(kinds & {"int", "float"}) and not kinds & {"dict", "Mapping", "tuple", "list"}


def is_bounded(field: FieldInfo) -> bool:
    """Whether the field has a lowest or highest value; of a number or a word, the number."""
    parts = [inner for part in get_args(field.annotation) for inner in getattr(part, "__metadata__", ())]
    limits = [*field.metadata, *(limit for inner in parts for limit in getattr(inner, "metadata", ()))]
    return any(hasattr(limit, side) for limit in limits for side in ("ge", "gt", "le", "lt"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application as an operator gets it, over an empty workspace."""
    from app.main import create_app
    from app.settings import Settings

    return create_app(Settings(workspace=tmp_path_factory.mktemp("workspace")))


def test_every_field_is_described() -> None:
    found = list(fields(models()))
    assert found
    assert [name for name, field in found if not field.description] == []


def test_every_number_says_its_unit_and_range() -> None:
    numbers = [(name, field) for name, field in fields(parameters()) if is_number(field)]
    assert numbers
    assert [name for name, field in numbers if not UNITS.search(field.description or "")] == []
    assert [name for name, field in numbers if not is_bounded(field)] == []


def test_parameters_are_frozen_and_refuse_what_they_do_not_know() -> None:
    turned = [model for model in parameters() if model.__module__.startswith("geo.")]
    assert turned
    assert [model.__qualname__ for model in turned if not model.model_config.get("frozen")] == []
    assert {model.__qualname__ for model in turned if model.model_config.get("extra") != "forbid"} == OF_SETS


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The command and all below it."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


def test_every_command_and_option_has_help() -> None:
    line = next(thing for thing in vars(importlib.import_module("app.cli")).values() if isinstance(thing, typer.Typer))
    known = dict(commands(typer.main.get_command(line), "renxing"))
    silent = [path for path, command in known.items() if not command.help]
    silent += [
        f"{path} {option.name}"
        for path, command in known.items()
        for option in command.params
        if option.name not in {"install_completion", "show_completion"} and not getattr(option, "help", "")
    ]
    assert len(known) > 1
    assert silent == []


def operations(site: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each route of the reference."""
    for path, item in site.openapi()["paths"].items():
        yield from ((f"{method.upper()} {path}", item[method]) for method in METHODS & item.keys())


def test_every_route_is_described(site: FastAPI) -> None:
    known = list(operations(site))
    assert known
    assert [name for name, operation in known if not operation.get("description")] == []


def test_every_parameter_of_a_route_is_described(site: FastAPI) -> None:
    silent = [
        f"{name} {parameter['name']}"
        for name, operation in operations(site)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


def test_the_manual_of_settings_would_be_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from app.settings import Settings

    monkeypatch.setenv("RENXING_WORKSPACE", str(tmp_path))
    assert Settings().workspace == tmp_path
    assert Settings.model_config["env_prefix"] == "RENXING_"


def test_every_setting_is_told_with_its_default() -> None:
    from app.settings import Settings

    told = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `RENXING_{name.upper()}` |" in told and f"| {field.description} |" in told, name
