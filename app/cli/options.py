"""Options that several commands share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """Languages of names and reasons on the screen."""

    en = "en"
    zh = "zh"


def spoken() -> Language:
    """The language of the terminal, from LC_ALL, LC_MESSAGES or LANG; English unless it is Chinese."""
    named = next((os.environ[v] for v in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(v)), "")
    return Language.zh if named.lower().startswith("zh") else Language.en


def asked(arguments: Sequence[str]) -> Language:
    """The language of a whole command line, ``--lang`` or the terminal's: for what is said before it is understood."""
    given = [after for before, after in itertools.pairwise(arguments) if before == "--lang"]
    given += [word.removeprefix("--lang=") for word in arguments if word.startswith("--lang=")]
    return Language(given[-1]) if given and given[-1] in set(Language) else spoken()


def stdout_is_json(arguments: Sequence[str]) -> bool:
    """Whether the command was asked to answer in JSON."""
    return "--json" in arguments


StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="Id of the study, or the name it was made with.")]
WorkspacePath = Annotated[
    Path,
    typer.Option(
        "--workspace",
        envvar="RENXING_WORKSPACE",
        metavar="FOLDER",
        help="Folder that holds the studies (a path; made when the first study is).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output (flag).")]
InLanguage = Annotated[
    Language | None, typer.Option("--lang", help="Language of names and reasons (default: the terminal's, else en).")
]
WORKSPACE = Path("workspace")


class ExportFormat(StrEnum):
    """Formats of ``renxing export``: those of ``app.export.Format`` (not loaded to show help), and an archive."""

    geojson = "geojson"
    gpkg = "gpkg"
    csv = "csv"
    fgb = "fgb"
    parquet = "parquet"
    archive = "archive"


class TimeOfDay(StrEnum):
    """When people are where a table says."""

    day = "day"
    night = "night"


class StateOfCity(StrEnum):
    """平时, 急时, 战时."""

    normal = "normal"
    alert = "alert"
    emergency = "emergency"


class StreetsFrom(StrEnum):
    """Where a study's streets come from."""

    map = "map"
    lattice = "lattice"


def language(given: Language | None) -> Language:
    """The language asked for, else the terminal's."""
    return given or spoken()
