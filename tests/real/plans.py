"""Whole plans of real cities: each study of ``cities.toml`` that is a full plan, run in every way the page asks for.

``python -m tests.real.plans [CITY ...]`` makes the studies that are not there yet, runs them and writes docs/plans.md,
docs/plans.zh-CN.md and the pictures of docs/plans; cities that are named it only makes and runs. With ``--page`` it
writes and takes them of the runs that are there.
``RENXING_WORKSPACE`` is a workspace kept between tries (default: a temporary one).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.store.runs import Run, read_run
from tests import shared_data
from tests.real import cities
from tests.real.cities import Said

LISTED = Path(__file__).with_suffix(".toml")
DOCS = {lang: shared_data.ROOT / "docs" / name for lang, name in (("en", "plans.md"), ("zh", "plans.zh-CN.md"))}
MEASURED = "plans.json"
"""File of the workspace with the runs of each way and what they took: a run that is there already takes nothing."""
OPTIMAL = ""
"""The run with the parameters as they are."""
NEAREST = "refuge.order=nearest"


@dataclass
class Way:
    """The scenarios of a city run in one way: with a parameter set otherwise, or with none."""

    set: str
    runs: dict[str, Run]
    wall_s: float = 0.0
    processor_s: float = 0.0
    memory_gb: float = 0.0


@dataclass
class FullPlan:
    """A city and its runs by the parameter that was set (``OPTIMAL`` is first)."""

    name: str
    about: Mapping[str, Any]
    ways: dict[str, Way] = field(default_factory=dict)

    @property
    def runs(self) -> dict[str, Run]:
        """The plan as it is proposed, by scenario."""
        return self.ways[OPTIMAL].runs


def listed() -> dict[str, Any]:
    """The words of the page (``words``) and the plans in the order of the page (``plan``)."""
    return tomllib.loads(LISTED.read_text(encoding="utf-8"))


def made(name: str, workspace: Path) -> None:
    """Make a study by its commands, unless it is there; SystemExit says what was refused."""
    if (workspace / "studies" / name / "study.toml").is_file():
        return
    for line in cities.listed()[name]["commands"]:
        for words in cities.commands(line):
            _right(cities.said(words, workspace))


def _right(done: Said) -> Said:
    if done.code:
        sys.exit(f"{shlex.join(done.words)}\n{done.err[-3000:]}")
    return done


def run(name: str, workspace: Path, about: Mapping[str, Any]) -> FullPlan:
    """Run a study in every way that is asked of it; runs that are there are taken as they are."""
    for change in _ways(about):
        words = ["run", name, "--json", *(["--set", change] if change else [])]
        words += [word for scenario in about.get("scenarios", []) for word in ("--scenario", scenario)]
        done, took = _measured(words, workspace)
        runs = json.loads(_right(done).out)["runs"]
        _remember(name, change, workspace, runs, took)
        print(
            f"{name} {change or 'as it is'}: {took['processor_s']:.0f} s of processor\n  {_last(done.err)}", flush=True
        )
    return kept(name, workspace, about)


def kept(name: str, workspace: Path, about: Mapping[str, Any]) -> FullPlan:
    """The plan as it was run last, whatever the program has become since."""
    remembered = _remembered(workspace)
    ways = {}
    for change in _ways(about):
        told = remembered[f"{name} {change}"]
        runs = {scenario: read_run(Path(folder)) for scenario, folder in told["runs"].items()}
        ways[change] = Way(change, runs, *(told[what] for what in ("wall_s", "processor_s", "memory_gb")))
    return FullPlan(name, about, ways)


def _ways(about: Mapping[str, Any]) -> tuple[str, ...]:
    return (OPTIMAL, *about.get("also", []))


def _remember(
    name: str, change: str, workspace: Path, runs: Sequence[Mapping[str, Any]], took: Mapping[str, float]
) -> None:
    """Keep which runs a way has and what they took; of runs that were there already what they took then."""
    remembered, key = _remembered(workspace), f"{name} {change}"
    if not all(each["computed"] for each in runs):
        then = remembered.get(key, {})
        took = {what: then.get(what, 0.0) for what in took}
    remembered[key] = {"runs": {each["scenario_id"]: each["folder"] for each in runs}, **took}
    (workspace / MEASURED).write_text(json.dumps(remembered, indent=1), encoding="utf-8")


def _remembered(workspace: Path) -> dict[str, dict[str, Any]]:
    file = workspace / MEASURED
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _last(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def _measured(words: list[str], workspace: Path) -> tuple[Said, dict[str, float]]:
    """Run a command; what it took: ``wall_s``, ``processor_s`` and the most memory it held, ``memory_gb``."""
    called = [sys.executable, "-m", "app.cli", *words, "--workspace", str(workspace)]
    env = {**os.environ, "COLUMNS": "160", "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        child = subprocess.Popen(called, stdout=out, stderr=err, cwd=shared_data.ROOT, env=env)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took = {"wall_s": time.monotonic() - began, "processor_s": used.ru_utime + used.ru_stime,
                "memory_gb": used.ru_maxrss / 1024**2}  # fmt: skip
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
    return Said(words, child.returncode, *texts), took


def written(plans: Sequence[FullPlan]) -> None:
    """Write the page in both languages."""
    from tests.real.plan_page import page

    for lang, file in DOCS.items():
        file.write_text(page(plans, listed()["words"], lang), encoding="utf-8")


@contextmanager
def workspace() -> Iterator[Path]:
    """The workspace that is kept, else one for the time being."""
    if kept := os.environ.get("RENXING_WORKSPACE"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="renxing-plans-") as folder:
        yield Path(folder)


def main() -> None:
    """Make and run the plans that are named, else all; write the page and take the pictures when it was all."""
    asked, about = sys.argv[1:], listed()["plan"]
    with workspace() as folder:
        if asked != ["--page"]:
            done = [_done(name, folder, about[name]) for name in asked or about]
        else:
            done = [kept(name, folder, each) for name, each in about.items()]
        if len(done) == len(about):
            written(done)
            from tests.real.plan_pictures import taken

            taken(folder)


def _done(name: str, workspace: Path, about: Mapping[str, Any]) -> FullPlan:
    made(name, workspace)
    return run(name, workspace, about)


if __name__ == "__main__":
    main()
