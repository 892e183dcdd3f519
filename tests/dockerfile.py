"""Reads the Dockerfile as instructions, for the test that checks them and the script that walks them."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Step:
    """One instruction: its word, the rest of it on one line, and the stage it belongs to (counted from 0)."""

    word: str
    rest: str
    stage: int

    @property
    def words(self) -> list[str]:
        """The arguments: the list when written as one, else split as a shell would."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else shlex.split(self.rest)

    @property
    def copied_from_context(self) -> list[str]:
        """What a COPY takes from the folder that is built; nothing when it takes from another stage."""
        return [] if self.word != "COPY" or self.words[0].startswith("--from") else self.words[:-1]


def steps(text: str) -> list[Step]:
    """The instructions in order."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[Step] = []
    for line in re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        found.append(Step(word.upper(), rest.strip(), sum(step.word == "FROM" for step in found) - (word != "FROM")))
    return found


def sent(names: list[str], rules: str) -> list[str]:
    """Those of ``names`` that a .dockerignore lets through: the last rule that fits a path or a folder above wins."""
    wanted = [rule for line in rules.splitlines() if (rule := line.strip()) and not rule.startswith("#")]
    return [name for name in names if not ignored(name, wanted)]


def below(name: str, source: str) -> bool:
    """Whether the file is ``source`` or lies in it."""
    return name == source or name.startswith(f"{source}/")


def ignored(name: str, rules: list[str]) -> bool:
    """Whether the rules keep the file out."""
    pieces = name.split("/")
    above = ["/".join(pieces[:count]) for count in range(1, len(pieces) + 1)]
    out = False
    for rule in rules:
        pattern = rule.removeprefix("!").removeprefix("**/")
        tried = pieces if rule.removeprefix("!").startswith("**/") else above
        if any(fnmatch(piece, pattern) and (pattern != "*" or "/" not in piece) for piece in tried):
            out = not rule.startswith("!")
    return out
