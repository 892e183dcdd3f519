"""Which front-end files there are, and where they lie. Standard library only: it must run before anything else does."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from geo.errors import Fault, FileMissingError, NotFoundError, UnreadableError, refuse

LIST = Path(__file__).with_name("assets.toml")
PACKAGE_KEYS = {"name", "version", "licence", "files"}
FILE_KEYS = {"take", "as"}


@dataclass(frozen=True)
class Asset:
    """One file of an npm package: ``take`` is its path inside the package, ``name`` its path in our folder.

    ``sha256`` is 64 hex digits, or empty while an entry is being written: such a file is never brought.
    """

    package: str
    version: str
    licence: str
    take: str
    name: str
    sha256: str

    @property
    def spec(self) -> str:
        """The package as npm wants it named."""
        return f"{self.package}@{self.version}"


def folder() -> Path:
    """Where the files lie: ``RENXING_ASSETS``, else ``.assets`` beside the packages."""
    return Path(os.environ.get("RENXING_ASSETS") or Path(__file__).parents[2] / ".assets")


def listed(source: Path = LIST) -> tuple[Asset, ...]:
    """Every file of the list, in its order. Raises :class:`UnreadableError` with all faults of the list."""
    try:
        packages = tomllib.loads(source.read_text(encoding="utf-8")).get("package", [])
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(Fault("a TOML file", str(error), source.name, "Mend that line.")) from error
    refuse(UnreadableError, faults_of(packages, source.name))
    return tuple(
        Asset(package["name"], package["version"], package["licence"], file["take"], file["as"], file.get("sha256", ""))
        for package in packages
        for file in package["files"]
    )


def path(name: str) -> Path:
    """Where the file ``name`` of the list lies.

    Raises :class:`NotFoundError` for a name that is not listed, :class:`FileMissingError` when it was not brought yet.
    """
    if name not in {asset.name for asset in listed()}:
        raise NotFoundError(Fault("a file of assets.toml", name, fix="Ask for one that is listed, or add it."))
    file = folder() / name
    if not file.is_file():
        raise FileMissingError(Fault("the front-end file", "nothing", str(file), "Run `make assets`."))
    return file


def faults_of(packages: list[Mapping[str, Any]], where: str) -> Iterator[Fault]:
    """What is wrong with the list: lacking keys, names that lead out of the folder, names given twice."""
    seen: set[str] = set()
    for package in packages:
        place = f"{where}, package {package.get('name', '?')}"
        yield from lacking(package, PACKAGE_KEYS, place)
        for file in package.get("files", []):
            yield from lacking(file, FILE_KEYS, place)
            name = str(file.get("as", ""))
            if not stays_inside(name) or name in seen:
                yield Fault("a path of its own below the assets folder", repr(name), place, "Name it differently.")
            seen.add(name)


def lacking(table: Mapping[str, Any], keys: set[str], where: str) -> Iterator[Fault]:
    """One fault when ``table`` lacks some of ``keys``."""
    missing = sorted(keys - table.keys())
    if missing:
        yield Fault(f"the keys {', '.join(missing)}", f"only {', '.join(sorted(table))}", where, "Add them.")


def stays_inside(name: str) -> bool:
    """Whether ``name`` is a plain relative path that cannot lead out of the folder."""
    place = PurePosixPath(name)
    return bool(name) and not place.is_absolute() and ".." not in place.parts and "\\" not in name
