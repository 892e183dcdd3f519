"""What the command line says, and how: answers on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from app.errors import answer, problem
from app.legible import SAID_MAX, legible
from app.texts import catalogue
from app.texts.phrases import in_chinese, told_in_chinese
from geo.errors import RenxingError

STARTED = time.perf_counter()
NARROW = 120
"""Columns of text a table gets where standard output is not a terminal and COLUMNS does not say."""


class Screen(Console):
    """A console on which text from data steers nothing: escapes are shown, colours come from the program alone."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """What is written, piece by piece."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(legible(piece.text), piece.style)


def out() -> Console:
    """Where answers go."""
    told = os.environ.get("COLUMNS", "")
    wanted = int(told) if told.isdecimal() else 0
    width = wanted or (None if sys.stdout.isatty() else NARROW)
    return Screen(width=width, highlight=False, soft_wrap=False)


def err() -> Console:
    """Where progress and complaints go."""
    return Screen(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line of progress; text from data is never read as markup."""
    err().print(Text(text))


def print_json(value: Any) -> None:
    """The machine-readable answer, on standard output."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(value, option=option) + b"\n")
    sys.stdout.flush()


def said(key: str, lang: str, **gaps: object) -> str:
    """What a command says, under ``cli.key``, in one language with its gaps filled in."""
    return catalogue(lang)[f"cli.{key}"].format(**gaps)


class Stages:
    """Says on standard error what is being done, in ``lang``, and keeps how long each stage took, in seconds."""

    def __init__(self, lang: str = "en") -> None:
        self.lang = lang
        self.seconds: dict[str, float] = {}
        self._began = STARTED

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time one stage; the same name again adds up."""
        began = time.perf_counter()
        console = err()
        shown = self._shown(name)
        with console.status(Text(shown)) if console.is_terminal else _plainly(shown):
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def summary(self) -> str:
        """Where the time went."""
        each, apart, unit = ("：", "，", "秒") if self.lang == "zh" else (": ", ", ", "s")
        parts = apart.join(f"{self._shown(name)} {seconds:.1f} {unit}" for name, seconds in self.seconds.items())
        return f"{time.perf_counter() - self._began:.1f} {unit}{each}{parts}"

    def _shown(self, name: str) -> str:
        return in_chinese(name) if self.lang == "zh" else name


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    say(f"{name} …")
    yield


def complain(error: Exception, *, as_json: bool, debug: bool, lang: str = "en") -> int:
    """Say what is wrong and what to do; the exit code."""
    row = answer(error)
    if debug:
        traceback.print_exception(error)
    if isinstance(error, RenxingError):
        title, detail = (f"{row.title_zh}。", _in_chinese(error)) if lang == "zh" else (f"{row.title_en}.", str(error))
        say(f"renxing: {title}\n{legible(detail, SAID_MAX)}")
    else:
        say(_report(error))
    if as_json:
        print_json(_problem(error))
    return row.exit_code


def _in_chinese(error: RenxingError) -> str:
    return "\n".join(map(told_in_chinese, error.faults)) or str(error)


def _report(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"renxing: an error inside Renxing: {type(error).__name__}: {error}\n"
        f"Please report this with the command you gave and this place: {last.name}, line {last.lineno}. "
        "With RENXING_DEBUG=1 the whole trace is shown. Nothing was half written."
    )


def _problem(error: Exception) -> Mapping[str, object]:
    said = problem(error)
    return {"error": {part: said[part] for part in ("code", "title", "detail", "faults")}}
