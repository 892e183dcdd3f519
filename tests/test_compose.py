"""The compose files, as far as they can be checked without an engine: read, put together, held against the program."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import typer
import yaml

from app.serving import SLACK_S
from app.settings import Settings
from tests.dockerfile import ROOT, steps

FILES = {"alone": ["compose.yaml"], "postgis": ["compose.yaml", "compose.postgis.yaml"]}
OURS = {"renxing", "worker"}
IMAGE = steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def merged(one: Any, other: Any) -> Any:
    """Two compose files as an engine puts them together: maps by key, lists one after the other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merged(one[key], other[key]) if key in one and key in other else one.get(key, other.get(key))
                for key in one | other}  # fmt: skip
    return [*one, *other] if isinstance(one, list) and isinstance(other, list) else other


@pytest.fixture(params=FILES)
def project(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: Any = {}
    for name in FILES[request.param]:
        found = merged(found, yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))
    return found


def example() -> dict[str, str]:
    lines = (ROOT / "renxing.env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def ours(project: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in project["services"].items() if name in OURS}


def test_the_first_file_needs_nothing_else() -> None:
    alone = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    (service,) = alone["services"].values()
    assert "env_file" not in service and "depends_on" not in service
    assert "RENXING_JOB_WORKERS" not in service["environment"]  # it computes itself


def test_every_name_is_known(project: dict[str, Any]) -> None:
    """Volumes and services that are named exist; variables of ours are settings."""
    mounted = {v.split(":")[0] for service in project["services"].values() for v in service.get("volumes", ())}
    assert mounted == set(project["volumes"])
    asked = {name for service in project["services"].values() for name in service.get("depends_on", ())}
    assert asked <= set(project["services"])
    given = {name for service in project["services"].values() for name in service.get("environment", {})} | set(
        example()
    )
    settings = {f"RENXING_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in given if name.startswith("RENXING_")} <= settings


def test_whoever_is_waited_for_says_when_it_is_healthy(project: dict[str, Any]) -> None:
    waited = {
        name for service in project["services"].values() for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }  # fmt: skip
    in_image = any(step.word == "HEALTHCHECK" for step in IMAGE)
    for name in waited:
        service = project["services"][name]
        assert "test" in service.get("healthcheck", {}) or (service["image"] == "renxing" and in_image)


def test_our_containers_may_do_as_little_as_they_need(project: dict[str, Any]) -> None:
    for service in ours(project).values():
        assert service["read_only"] is True and service["tmpfs"] == ["/tmp"] and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"] and service["init"] is True
        written = {volume.split(":")[1] for volume in service["volumes"]}
        assert written == {"/data", "/var/cache/renxing"}


def test_they_get_the_time_they_take_to_end(project: dict[str, Any]) -> None:
    most = Settings.model_fields["drain_s"].default + Settings.model_fields["grace_s"].default + SLACK_S
    assert most <= 10 + SLACK_S  # what docker stop gives, nearly
    for service in ours(project).values():
        assert float(service["stop_grace_period"].removesuffix("s")) > most


def test_no_secret_is_in_the_files(project: dict[str, Any]) -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for names in FILES.values() for name in names]
    assert not any(re.search(r"(?i)password\s*[:=]", text) for text in texts)
    assert "renxing.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert example()["POSTGRES_PASSWORD"] == "choose-one"


def test_the_example_fits_together() -> None:
    found = example()
    user, password, name = (found[f"POSTGRES_{word}"] for word in ("USER", "PASSWORD", "DB"))
    assert found["RENXING_DATABASE"] == f"postgresql://{user}:{password}@database/{name}"


def test_commands_are_the_program_s_own(project: dict[str, Any]) -> None:
    line = next(thing for thing in vars(importlib.import_module("app.cli")).values() if isinstance(thing, typer.Typer))
    known = typer.main.get_command(line).commands  # type: ignore[attr-defined]
    commands = [service["command"] for service in ours(project).values() if "command" in service]
    commands.append(next(step.words for step in IMAGE if step.word == "CMD"))
    for command in commands:
        assert command[0] == "renxing" and command[1] in known
        options = {option for parameter in known[command[1]].params for option in parameter.opts}
        assert {word for word in command if word.startswith("--")} <= options


def test_two_workers_beside_a_service_that_only_serves() -> None:
    project = merged(*(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in FILES["postgis"]))
    service, worker = project["services"]["renxing"], project["services"]["worker"]
    assert service["environment"]["RENXING_JOB_WORKERS"] == "0"
    assert worker["deploy"]["replicas"] == 2 and worker["command"] == ["renxing", "worker"]
    assert worker["image"] == service["image"]
