"""The image, as far as it can be checked without an engine; `make prove-image` also walks the steps."""

from __future__ import annotations

import subprocess
import tomllib

import pytest

from tests.dockerfile import ROOT, Step, below, sent, steps

STEPS = steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))
RULES = (ROOT / ".dockerignore").read_text(encoding="utf-8")


def context() -> list[str]:
    """The files an engine would be sent from a clean checkout."""
    listing = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, capture_output=True, check=True).stdout.decode().split("\0")
    return sent([name for name in names if (ROOT / name).is_file()], RULES)


def copied() -> list[str]:
    """The files and folders that the steps take from the context."""
    return [source for step in STEPS for source in step.copied_from_context]


def of_last_stage(word: str) -> list[Step]:
    return [step for step in STEPS if step.word == word and step.stage == STEPS[-1].stage]


def test_reads_a_dockerfile() -> None:
    drawn = 'FROM a AS b\n# no\nRUN x \\\n  && y\nFROM c\nCOPY --from=b /x /x\nCOPY d e ./\nCMD ["f", "g"]\n'
    assert [(step.word, step.rest, step.stage) for step in steps(drawn)] == [
        ("FROM", "a AS b", 0),
        ("RUN", "x && y", 0),
        ("FROM", "c", 1),
        ("COPY", "--from=b /x /x", 1),
        ("COPY", "d e ./", 1),
        ("CMD", '["f", "g"]', 1),
    ]
    assert [step.copied_from_context for step in steps(drawn)][-3:] == [[], ["d", "e"], []]
    assert steps(drawn)[-1].words == ["f", "g"]


@pytest.mark.parametrize(
    ("name", "goes"),
    [("app/main.py", True), ("app/__pycache__/main.pyc", False), ("tests/x.py", False), ("README.md", True)],
)
def test_reads_the_ignore_rules(name: str, goes: bool) -> None:
    assert sent([name], RULES) == ([name] if goes else [])


def test_everything_copied_is_sent() -> None:
    files = context()
    assert copied()
    assert [source for source in copied() if not any(below(file, source) for file in files)] == []


def test_what_is_sent_is_copied() -> None:
    assert context()
    assert [file for file in context() if not any(below(file, source) for source in copied())] == []


def test_all_four_packages_are_in_the_image() -> None:
    assert {"app", "geo", "data", "tiles", "pyproject.toml", "requirements.lock"} <= set(copied())


def test_two_slim_stages_of_a_python_we_support() -> None:
    bases = [step.words[0] for step in STEPS if step.word == "FROM"]
    assert len(bases) == 2
    assert set(bases) <= {"python:3.11-slim", "python:3.12-slim", "python:3.13-slim"}


def test_every_install_is_hashed_or_ours() -> None:
    installs = [step.rest for step in STEPS if step.word == "RUN" and "pip install" in step.rest]
    assert len(installs) == 2
    assert all("--require-hashes" in rest or "--no-deps --no-build-isolation ." in rest for rest in installs)


def test_runs_as_somebody_who_may_write_where_it_must() -> None:
    (user,) = of_last_stage("USER")
    (made,) = [step.rest for step in of_last_stage("RUN") if "useradd" in step.rest]
    variables = dict(pair.split("=", 1) for step in of_last_stage("ENV") for pair in step.words)
    owned = ["/data", "/var/cache/renxing"]
    assert user.rest not in {"root", "0"}
    assert all(f" {folder}" in made for folder in owned)
    for name in ("RENXING_WORKSPACE", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        assert variables[name].startswith(tuple(owned)), name


def test_serves_on_the_port_it_exposes_and_asks_itself() -> None:
    command = of_last_stage("CMD")[-1].words
    (port,) = [step.rest for step in of_last_stage("EXPOSE")]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert command[0] in scripts
    assert command[1:4] == ["serve", "--host", "0.0.0.0"]
    assert command[command.index("--port") + 1] == port
    assert f":{port}/healthz" in of_last_stage("HEALTHCHECK")[0].rest
