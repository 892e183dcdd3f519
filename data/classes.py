"""Classes of hazard maps: what each stands for, and which way they run where nobody has said.

Some maps call the worst class 1 and others the highest number; taken the wrong way round, the safest ground is the most
dangerous. So whole numbers that may be classes are asked about with an example of both orders, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from data.hazards import KINDS, LEVEL_MAX
from data.standards.class_tables import ClassTable, class_tables
from geo.errors import Fault, InputError, ParameterError
from geo.reasons import counted

CLASSES_MAX = 6
"""Up to so many different whole numbers look like classes."""
SPREAD_MAX = 1000.0
"""Whole numbers further apart are no classes."""
NAMED_MAX = 12
"""So many values are named where their meaning is asked for."""

Floats = NDArray[np.float32]


def explained(values: Floats, classes: Mapping[str, float], where: str) -> Floats:
    """Each value replaced by what it stands for; InputError names the values that nobody explained.

    Keys that are no numbers are for tables and say nothing of a raster.
    """
    meaning = {np.float32(value): stands_for for value, stands_for in classes.items() if is_number(value)}
    found = np.unique(values[~np.isnan(values)])
    lacking = [value for value in found if value not in meaning]
    if lacking:
        cure = f"Add --map {lacking[0]:g}=VALUE, or --nodata {lacking[0]:g} if it means not known."
        expected = f"values that --map explains ({', '.join(f'{value:g}' for value in meaning) or 'none'})"
        raise InputError(Fault(expected, _named(found), where, cure))
    result = np.full(values.shape, np.nan, dtype=np.float32)
    for value in found:
        result[values == value] = meaning[value]
    return result


def few_whole(values: NDArray[np.floating]) -> list[tuple[float, int]]:
    """The different values, each with how often it occurs, where they may be classes; empty where they are not.

    They may be where all that are known are whole numbers, at most ``CLASSES_MAX`` different ones.
    """
    known = values[~np.isnan(values)]
    spread = float(known.max()) - float(known.min()) if len(known) else np.inf
    if spread > SPREAD_MAX or not np.array_equal(known, np.rint(known)):
        return []
    low = int(known.min())
    counts = np.bincount((known - low).astype(np.int64).ravel())
    found = np.flatnonzero(counts)
    return [(float(low + at), int(counts[at])) for at in found] if len(found) <= CLASSES_MAX else []


def order_faults(found: Sequence[tuple[float, int]], kind: str, where: str, *, what: str = "cell") -> Iterator[Fault]:
    """Ask which way classes of a kind in levels run; ``found`` as ``few_whole`` gives it, each of so many ``what``."""
    numbers = [value for value, _ in found if value != 0]
    if KINDS[kind].unit != "level" or not numbers:
        return
    told = ", ".join(f"{value:g} ({counted(count, what)})" for value, count in found)
    first, last = (f"{end:g}" for end in (numbers[0], numbers[-1]))
    lowest = f"If {last} is the worst: {_example(numbers[::-1])}." if len(numbers) > 1 else ""
    worst = f"If {first} is the worst: {_example(numbers, spare=all(value != 0 for value, _ in found))}."
    cure = " ".join(filter(None, [lowest, worst, "If they are levels already, 0 none and 5 worst: --map @levels.",
                                  ready_made(kind)]))  # fmt: skip
    yield Fault("classes whose order somebody said", told, where, cure)


def picture_fault(found: Sequence[tuple[float, int]], kind: str, where: str) -> Fault:
    """Refuse a raster with a palette: colours stand for classes, and classes are no measurements."""
    told = ", ".join(f"{value:g}" for value, _ in found) or "many colours"
    of = KINDS[kind]
    cure = "Bring the raster that the picture was drawn from."
    if found:
        cure = f"Say what each value stands for: --map {found[0][0]:g}=VALUE in {of.unit} … {ready_made(kind)}"
    return Fault(of.noun, f"a picture or classes with a palette, not values: {told}", where, cure.strip())


def table_meanings(texts: Iterable[str], classes: Mapping[str, float], where: str) -> dict[str, float]:
    """What each text or number of a column stands for; InputError names those that nobody explained."""
    meaning = {plain(key): stands_for for key, stands_for in classes.items()}
    texts = list(texts)
    lacking = [text for text in texts if plain(text) not in meaning]
    if lacking:
        named = ", ".join(map(repr, texts[:NAMED_MAX])) + (" …" if len(texts) > NAMED_MAX else "")
        expected = f"values that --map explains ({', '.join(meaning)})"
        raise InputError(Fault(expected, named, where, f"Add --map {lacking[0]}=VALUE."))
    return {text: meaning[plain(text)] for text in texts}


def plain(text: str) -> str:
    """A class as it is compared: ``1``, ``1.0`` and `` 1`` are one."""
    return f"{float(text):g}" if is_number(text) else text.strip()


def is_number(text: str) -> bool:
    """Whether a text is a finite number."""
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def require_table(table: ClassTable, kind: str, *, where: str) -> None:
    """ParameterError when a class table is for other hazards than ``kind``."""
    if kind not in table.kinds:
        cure = ready_made(kind) or "Write --map VALUE=NUMBER."
        found = f"@{table.name}, which is for {', '.join(table.kinds)}"
        raise ParameterError(Fault(f"a class table for {kind}", found, where, cure))


def _example(numbers: Sequence[float], *, spare: bool = False) -> str:
    """``--map`` for classes from the worst to the least; ``spare``: the last may well mean none."""
    steps = [f"{level:g}" for level in np.rint(np.linspace(LEVEL_MAX, 1, max(len(numbers), 2)))[: len(numbers)]]
    if spare and len(numbers) > 1:
        steps[-1] = "none"
    return " ".join(f"--map {value:g}={step}" for value, step in zip(numbers, steps, strict=True))


def ready_made(kind: str) -> str:
    """The class tables for a kind of hazard, as a hint; empty where there are none."""
    there = [f"@{table.name}" for table in class_tables(kind) if table.name != "levels"]
    return f"Ready-made: --map {', '.join(there)}." if there else ""


def _named(found: NDArray[np.floating]) -> str:
    return ", ".join(f"{value:g}" for value in found[:NAMED_MAX]) + (" …" if len(found) > NAMED_MAX else "")
