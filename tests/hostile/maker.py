"""Files made to do harm: what each is given as, what it is after, and how it must end.

A file is made by the functions of the modules beside this one (``zips``, ``texts``, …); ``python -m
tests.hostile.maker FOLDER`` writes them all, to look at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.hostile.seeds import PLACES

MODULES = ("zips", "texts", "databases", "packed", "sheets", "rasters", "maps", "definitions", "names")
SECRET = "S3CRET-of-somebody-else"
"""What stands in a file that no hostile file may bring to light."""
SECRETS = "secret.txt"
CELLS = (".csv", ".xlsx", ".xlsm")
Make = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A hostile file: ``given`` is the kind of layer (and coordinate system) it is added as, ``after`` what it tries.

    ``ends`` is the stable code of the refusal, or ``accepted``, or ``accepted:CODE`` of a finding that must be said.
    """

    file: str
    given: str
    after: str
    ends: str
    make: Make

    def __repr__(self) -> str:
        return f"Case({self.file!a} as {self.given})"


CASES: list[Case] = []


def hostile(file: str, after: str, ends: str, *, given: str = "shelters") -> Callable[[Make], Make]:
    """Keep a function that writes a hostile file under the path it is given."""

    def keep(make: Make) -> Make:
        places = given == "shelters" and file.endswith(CELLS)
        CASES.append(Case(file, PLACES if places else given, after, ends, make))
        return make

    return keep


def case(file: str, after: str, ends: str, content: Callable[[], bytes], *, given: str = "shelters") -> None:
    """The same for a file that is its bytes and nothing else."""
    hostile(file, after, ends, given=given)(lambda path: path.write_bytes(content()))


def cases() -> list[Case]:
    """Every hostile file there is."""
    for module in MODULES:
        import_module(f"tests.hostile.{module}")
    return CASES


def written(folder: Path, *, only: Callable[[Case], bool] = lambda _: True) -> Iterator[tuple[Case, Path]]:
    """Every file, each in a folder of its own; beside them lies the secret."""
    (folder / SECRETS).write_text(f"name,lon,lat\n{SECRET},118.8,32.05\n")
    for number, each in enumerate(filter(only, cases())):
        place = folder / f"{number:03}"
        place.mkdir()
        each.make(place / each.file)
        yield each, place / each.file


if __name__ == "__main__":
    for made, path in written(Path(sys.argv[1])):
        print(f"{made.ends:30} {made.given:10} {made.after:60} {str(path)!a}")
