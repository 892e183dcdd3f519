"""Values that are none: what looks like an undeclared nodata value, and where nobody seems to have looked.

Read as water they would drown a city, read as dry they would hide that nobody measured; so they are asked about, and
never taken into a mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from data.hazards import Kind
from geo.errors import Fault
from geo.reasons import Finding, counted

NOISE = 0.001
"""A negative value up to this is a model's rounding and counts as 0, in the kind's unit."""
USUAL = frozenset(np.array([
    -1, -9, -99, -128, -999, -999.9, -999.999, -9999, -9999.9, -99999, -32767, -32768, -2147483648,
    127, 255, 999, 9999, 32767, 65535, 99999, 999999, 2147483647, 4294967295,
], dtype=np.float32).tolist())  # fmt: skip
"""Values that programs write where nothing is known."""
HUGE = 1e9
"""Values beyond are no measurements, whatever the unit: 1e20, 3.4e38, 9.97e36."""
FAR_ABOVE = 2.0
"""A usual nodata value is suspicious when it is this many times the largest other value."""
COLLAR_SHARE = 0.1
"""Whole rows and columns of 0 along the edges are said from this share of the raster on."""
RING_MIN = 3
"""Rows and columns a raster needs to have an edge that is not all of it."""

Floats = NDArray[np.float32]
Named: TypeAlias = float | Sequence[float] | None
"""Values that a person says mean not known: one, several or none."""
TYPED = 4
"""So many values can be given back one by one."""


NEAR_WHOLE = 1e-5
"""A number this near to a whole one, relative to it, was one before it was multiplied."""


def each(nodata: Named) -> tuple[float, ...]:
    """The values that were named."""
    if nodata is None:
        return ()
    return (float(nodata),) if isinstance(nodata, (int, float)) else tuple(float(value) for value in nodata)


def said(value: float) -> str:
    """A value as a person can give it back: -9999, -999.999, -3.4028235e+38."""
    single = np.float32(value)
    whole = abs(single) <= HUGE
    return np.format_float_positional(single, trim="-") if whole else np.format_float_scientific(single, trim="-")


def meant(raw: NDArray[np.generic], nodata: float) -> NDArray[np.bool_]:
    """Where a band holds the value that a person named, compared as the band holds it: -999.999 is -999.9990234375."""
    if np.issubdtype(raw.dtype, np.floating):
        with np.errstate(over="ignore"):
            return np.asarray(raw == np.asarray(nodata).astype(raw.dtype))
    return np.asarray(raw == np.float64(nodata))


def suspects(known: Floats) -> list[tuple[float, int]]:
    """Values that look like undeclared nodata, each with its number of cells; ``known`` (n,) without NaN.

    The ends are peeled off: the lowest while it is below 0 and usual, the highest while it is usual and far above all
    others, either while it is huge.
    """
    found: list[tuple[float, int]] = []
    while len(known):
        low, high = float(known.min()), float(known.max())
        end = low if _below(low) else high if _above(high, known) else None
        if end is None:
            break
        rest = known[known != np.float32(end)]
        found.append((end, len(known) - len(rest)))
        known = rest
    return found


def _below(low: float) -> bool:
    return low < 0 and (low in USUAL or low < -HUGE)


def _above(high: float, known: Floats) -> bool:
    if high > HUGE:
        return True
    if high not in USUAL or high < 0:
        return False
    others = known[known != np.float32(high)]
    return not len(others) or high > FAR_ABOVE * max(float(others.max()), 1.0)


def scaled_faults(values: NDArray[np.floating], scale: tuple[float, float], where: str) -> Iterator[Fault]:
    """Undeclared nodata of a file that multiplies its numbers: looked for among the numbers as the file holds them.

    ``values`` are after ``scale`` (factor, offset), NaN where not known.
    """
    factor, offset = scale
    if scale == (1.0, 0.0) or factor == 0:
        return
    raw = (values[~np.isnan(values)].astype(np.float64) - offset) / factor
    whole = np.rint(raw)
    held = np.where(np.abs(raw - whole) < NEAR_WHOLE * np.maximum(np.abs(whole), 1), whole, raw)
    for value, cells in suspects(held.astype(np.float32)):
        found = f"{said(value)} in {counted(cells, 'cell')}, undeclared (before the file's scale of {factor:g})"
        yield Fault("a declared nodata value", found, where, f"Give --nodata {said(value)} if it means not known.")


def faults(
    values: NDArray[np.floating], of: Kind, factor: float, where: str, *, explained: bool, what: str = "cell"
) -> Iterator[Fault]:
    """What cannot be; ``values`` in the file's unit, each ``factor`` of the kind's, NaN where not known.

    ``explained``: a person said what the values stand for, so none of them is nodata. ``what`` holds a value.
    """
    known = values[~np.isnan(values)].astype(np.float32, copy=False)
    if not len(known):
        yield Fault(of.noun, f"no {what} with a value", where, "Check its nodata value.")
        return
    strange = [] if explained else suspects(known)
    for value, cells in strange:
        cure = f"Give --nodata {said(value)} if it means not known, or the right --unit."
        yield Fault("a declared nodata value", f"{said(value)} in {counted(cells, what)}, undeclared", where, cure)
    rest = known[~np.isin(known, np.array([value for value, _ in strange], dtype=np.float32))] if strange else known
    yield from _beyond(rest, of, factor, where, what)


def _beyond(rest: Floats, of: Kind, factor: float, where: str, what: str) -> Iterator[Fault]:
    below, above = rest[rest * factor < -NOISE], rest[rest * factor > of.most]
    if len(below):
        found = f"{counted(len(below), what)} below, down to {below.min():g}"
        yield Fault(f"{of.noun} of 0 and more", found, where, f"{_typed(below)}.")
    if len(above):
        cure = f"{_typed(above)}, or the right --unit."
        if of.unit == "level":
            cure = "Say what each value stands for: --map VALUE=LEVEL (0 none, 5 worst)."
        limit = f"{of.noun} up to {of.most / factor:g}"
        yield Fault(limit, f"{counted(len(above), what)} above, up to {above.max():g}", where, cure)


def _typed(strange: Floats) -> str:
    """What to type when values that cannot be mean not known."""
    values = np.unique(strange)
    if len(values) <= TYPED:
        return f"Give {' '.join(f'--nodata {said(float(value))}' for value in values)} if it means not known"
    return "Set these cells to nodata first if they mean not known (QGIS: Raster Calculator)"


def findings(values: Floats, of: Kind) -> Iterator[Finding]:
    """What is to be said of the unknown in a raster, and of 0 and edges that may stand for it; NaN not known."""
    unknown = int(np.isnan(values).sum())
    if unknown:
        share = unknown / values.size
        yield Finding(
            "raster_unknown",
            f"{unknown:,} cells ({share:.1%}) are not known; they count as neither affected nor safe.",
            f"{unknown}个单元（{share:.1%}）无数据，既不视为受灾也不视为安全。", count=unknown,
        )  # fmt: skip
    else:
        yield from _collar(values, of)
    yield from _ring(values, of)


def _collar(values: Floats, of: Kind) -> Iterator[Finding]:
    """0 all around what is affected, in a raster without unknown cells: nobody may have looked there."""
    some = values > 0
    rows, columns = np.flatnonzero(some.any(axis=1)), np.flatnonzero(some.any(axis=0))
    last_row, last_column = (length - 1 for length in values.shape)
    if not len(rows) or of.worse == "less" or not (rows[0] and columns[0]):
        return
    if rows[-1] == last_row or columns[-1] == last_column:
        return
    inside = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    cells = values.size - int(inside)
    if cells / values.size >= COLLAR_SHARE:
        yield Finding(
            "raster_zero_collar",
            f"The outer rows and columns of the raster, {cells / values.size:.0%} of it, hold 0 without a break: they "
            f"count as {of.none_is}, but may lie beyond what was looked at.",
            f"栅格外缘连续的行列（占{cells / values.size:.0%}）全为0：按无影响计，但可能超出了评估范围。",
            "warning", count=cells, do_en="Cut the raster to the ground that was looked at, or declare nodata beyond.",
            do_zh="请将栅格裁剪到实际评估范围，或将范围外设为无数据。",
        )  # fmt: skip


def _ring(values: Floats, of: Kind) -> Iterator[Finding]:
    """One and the same value along the whole edge of a raster of depths, which water does not have."""
    if of.unit != "m" or min(values.shape) < RING_MIN:
        return
    ring = np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])
    if ring[0] > 0 and (ring == ring[0]).all() and not (values == ring[0]).all():
        cells = int((values == ring[0]).sum())
        yield Finding(
            "raster_same_edge",
            f"Every cell along the edge of the raster is {said(ring[0])} {of.unit}, {cells:,} cells in all: it may "
            "mean not known.",
            f"栅格四周单元的值均为{said(ring[0])}（共{cells}个单元）：可能表示无数据。",
            "warning", count=cells, value=said(ring[0]),
            do_en="Give that value with --nodata, in the file's unit, if it means not known.",
            do_zh="若其表示无数据，请用--nodata给出该值（按文件单位）。",
        )  # fmt: skip
