"""Every folder of the real data as a study, made by nothing but commands; what came of it as a table for docs/.

``python -m tests.real.cities [CITY ...]`` makes the studies in a temporary workspace, checks and runs them, and writes
docs/cities.md.
"""

from __future__ import annotations

import glob
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import shared_data

LISTED = Path(__file__).with_suffix(".toml")
DOCS = shared_data.ROOT / "docs" / "cities.md"
HEAD = """# Real cities, as they came in

Every folder of open and official data at hand, made into a study by its commands and nothing else; written by
`python -m tests.real.cities`. Rows are those the plan takes. What was repaired, assumed or left out is
what `renxing check` says of it; what was refused is what the command answered.
"""


@dataclass
class Said:
    """A command and what came of it."""

    words: list[str]
    code: int
    out: str
    err: str


@dataclass
class City:
    """A study as it was made."""

    name: str
    title: str
    commands: list[Said] = field(default_factory=list)
    refused: list[tuple[Said, str]] = field(default_factory=list)
    check: dict[str, Any] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def listed() -> dict[str, dict[str, Any]]:
    """The cities and their commands."""
    return tomllib.loads(LISTED.read_text(encoding="utf-8"))


def commands(line: str) -> Iterator[list[str]]:
    """A line as commands with the shared data's paths: one for each file that fits."""
    words = shlex.split(line)
    place = next((i for i, word in enumerate(words) if "/" in word and not word.startswith("-") and i > 1), None)
    if place is None:
        yield words
        return
    named = str(shared_data.folder() / words[place])
    for path in sorted(glob.glob(named)) or [named]:
        stem = Path(path).stem
        yield [path if i == place else word.replace("{stem}", stem) for i, word in enumerate(words)]


def said(words: list[str], workspace: Path) -> Said:
    """Run one command in a process of its own."""
    called = [sys.executable, "-m", "app.cli", *words, "--workspace", str(workspace)]
    env = {**os.environ, "COLUMNS": "160", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(called, capture_output=True, text=True, cwd=shared_data.ROOT, env=env, check=False)
    return Said(words, done.returncode, done.stdout, done.stderr)


def made(name: str, about: dict[str, Any], workspace: Path) -> City:
    """The study of one city: made, tried with what must be refused, checked and run."""
    began = time.monotonic()
    city = City(name, about["title"])
    city.commands = [said(words, workspace) for line in about["commands"] for words in commands(line)]
    city.refused = [
        (said(words, workspace), expected) for line, expected in about.get("refused", []) for words in commands(line)
    ]
    city.check = _json(said(["check", name, "--json"], workspace))
    city.runs = _json(said(["run", name, "--json"], workspace)).get("runs", [])
    city.seconds = time.monotonic() - began
    return city


def _json(answer: Said) -> dict[str, Any]:
    try:
        found = json.loads(answer.out)
    except json.JSONDecodeError:
        return {"failed": answer.err[-2000:]}
    return dict(found)


def faults(city: City) -> list[str]:
    """What did not go as it should."""
    wrong = [f"{shlex.join(c.words)}\n{c.err[-1500:]}" for c in city.commands if c.code != 0]
    wrong += [
        f"{shlex.join(c.words)}: exit {c.code}, not refused for {expected!r}\n{c.err[-1500:]}"
        for c, expected in city.refused if c.code != 1 or expected not in c.err
    ]  # fmt: skip
    if "failed" in city.check or not city.runs:
        wrong.append(f"{city.name}: check or run: {city.check.get('failed', 'no run')}")
    return wrong


def main() -> None:
    """Make the cities named, else all, and write the page."""
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="renxing-cities-") as folder:
        cities = []
        for name, about in listed().items():
            if wanted and name not in wanted:
                continue
            cities.append(made(name, about, Path(folder)))
            print(f"{name}: {cities[-1].seconds:.1f} s", *faults(cities[-1]), sep="\n", flush=True)
    if not wanted:
        from tests.real.city_page import page

        DOCS.write_text(HEAD + page(cities), encoding="utf-8")


if __name__ == "__main__":
    main()
