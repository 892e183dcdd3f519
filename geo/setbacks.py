"""What rules of distance keep away from, how far, and what stands or lies nearer than that.

::

    source ▒▒▒   ← required →│        hit: nearer than required (or, where that is 0, it overlaps the source);
             ·· distance ··■          exactly as far as required is far enough

Sources come from the map, from what a planner gives, from the heights of the ground and from hazards (``geo.rules``
names the layers). Those with many corners are cut into pieces, which changes no distance. What is not on the map is not
known to be away: rules without a source are kept, and ``known`` says whether anything could be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced, Word
from geo.reasons import Finding
from geo.rules import Rule, Rules
from geo.sources import ANY, Ground, Layer, Sources
from geo.steep import DEFAULT, SteepParams
from geo.tables import NAMES, without_nan
from geo.uses import Things

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]
On = Literal["standing", "planned", "ground"]

EXACT_M = 1e-6
"""Metres. A distance this near to the required one is as far; a required one up to this is none."""
SEGMENTS = 18
"""Stretches of a quarter of a circle: the ground of a rule lies within 0.1 % of its distance, cos(pi / 72) > 0.999."""
FIRST_M = 60.0
"""Metres round a place in which the nearest source is looked for first."""
AT_ONCE = 10_000
"""Pieces of sources whose things within reach are looked at together."""
HITS = ("thing", "rule", "source", "distance_m", "required_m")
"""Columns of ``lacking``."""
LAYERS_ZH = {
    "lines": "线状要素", "areas": "面状要素", "facilities": "设施", "buildings": "建筑", "sources": "规划退让对象",
    "streets": "道路", "slopes": "高程数据", "hazards": "灾害数据",
}  # fmt: skip
TOLD = 3
"""Rules that a note names of those that it counts."""
Nearest = tuple[int, float, bool]
"""Row of the piece of a source, metres to it, and whether that is too near."""
NOTHING: Nearest = (-1, np.nan, False)
Pairs = tuple[Ints, Ints, Floats]
"""Row of the thing, row of the piece of a source, and metres between them, (pairs,) each."""


class Row(NamedTuple):
    """How one rule stands to a shape.

    ``applies``: the rule is asked of such a thing; ``hit``: it applies, and the shape is too near. ``source`` is then
    the row of the piece as in ``HITS``, else the nearest within ``SetbackParams.reach_m``: -1, and NaN metres, where
    there is none.
    """

    rule: int
    applies: bool
    hit: bool
    source: int
    distance_m: float
    required_m: float


class SetbackParams(Sourced):
    """How rules of distance are asked."""

    subject = "setback"
    rule_sets: Words = Field(description="Sets of rules that hold (words).")
    intensity: float = Field(ge=0, le=12, description="Seismic intensity the study is built for, degrees.")
    reach_m: float = Field(ge=0, le=50_000, description="How far round a place sources are told, metres.")
    touching_m: float = Field(ge=0, le=5, description="Gap up to which buildings stand wall to wall, metres.")
    below_ground: tuple[Word, ...] = Field(description="Kinds of lines that are sources below ground too (words).")


@dataclass(frozen=True, eq=False)
class Kept:
    """One rule and what it keeps away from: sources, cut into pieces (n,) with the id, kind and names of the source.

    ``distance_m`` (n,) is what the rule asks. ``block`` (n,) numbers buildings that stand wall to wall, -1 for all
    else. ``dropped`` sources are left out: their distance could not be told. Not ``known``: there is no such layer, no
    such hazard, no heights; otherwise n = 0 says that nothing of the kind is on the map.
    """

    rule_id: str
    rule: Rule
    set_id: str
    shapes: Shapes
    source_id: NDArray[np.object_]
    kind: NDArray[np.object_]
    names: pd.DataFrame
    distance_m: Floats
    block: Ints
    dropped: int = 0
    known: bool = True

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"Kept({self.rule_id}: {self.sources} sources in {len(self)} pieces, at most {self.most_m:g} m)"

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """The place of each source among the sorted ids."""
        return {name: place for place, name in enumerate(sorted({*self.source_id}))}

    @cached_property
    def of(self) -> Ints:
        """The place of each piece's source in ``ids``."""
        return np.array([self.ids[name] for name in self.source_id], dtype=np.int64)

    @property
    def sources(self) -> int:
        """How many sources there are."""
        return len(self.ids)

    @cached_property
    def called(self) -> Shapes:
        """The names of each piece's source in the order of ``NAMES``, (n, names)."""
        return np.asarray(self.names[list(NAMES)].to_numpy(dtype=object))

    @cached_property
    def alike(self) -> bool:
        """Whether all sources ask the same distance and none is a building: the nearest one then lacks most."""
        return bool((self.distance_m == self.most_m).all() and (self.block < 0).all())

    @cached_property
    def most_m(self) -> float:
        """The largest distance; 0 without a source."""
        return float(self.distance_m.max(initial=0.0))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The pieces by place."""
        return shapely.STRtree(self.shapes)


@dataclass(frozen=True, eq=False)
class Setbacks:
    """All rules that hold in a study with their sources, in the order of the rules; ``notes`` say what is unsure."""

    kept: tuple[Kept, ...]
    crs: str
    notes: tuple[Finding, ...]
    params: SetbackParams

    def __repr__(self) -> str:
        sources = sum(kept.sources for kept in self.kept)
        return f"Setbacks({len(self.kept)} rules, {sources} sources, {self.crs})"


# -- what one keeps away from ------------------------------------------------------------------------------------------


def gather(
    rules: Rules, layers: Mapping[str, gpd.GeoDataFrame], ground: Ground, *, params: SetbackParams,
    steep: SteepParams = DEFAULT,
) -> Setbacks:  # fmt: skip
    """The sources of every rule, with their distances; of the rules those that are used and in ``params.rule_sets``.

    ``layers``: tables by their names in ``geo.rules.NAMES``, in the ground's CRS; a table that lacks is not known.
    ``streets`` have their highway as ``kind``; buildings have their use as kind. Sources too far from the extent to
    matter are left out.
    """
    chosen = rules.chosen(params.rule_sets)
    work = Sources(
        layers, ground, tuple(chosen.rules.values()), steep, intensity=params.intensity, reach_m=params.reach_m,
        touching_m=params.touching_m, below_ground=params.below_ground,
    )  # fmt: skip
    kept = tuple(_kept(work, name, rule, chosen.of[name]) for name, rule in chosen.rules.items())
    told = *_below(work), *_not_known(kept), *_left_out(kept), *_blocks_told(kept, params)
    notes = (*dict.fromkeys(work.notes), *told)
    return Setbacks(kept, ground.crs, notes, params)


def _kept(work: Sources, name: str, rule: Rule, set_id: str) -> Kept:
    layer = work.layer(rule)
    if layer is None:
        none, no = np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64)
        return Kept(name, rule, set_id, none, none, none, pd.DataFrame(columns=NAMES), np.zeros(0), no, known=False)
    chosen, metres = _asked(layer, rule)
    far = np.where(chosen, metres, np.nan)[layer.of]
    rows = np.flatnonzero(~np.isnan(far))
    rows = rows[_in_reach(layer.shapes[rows], far[rows], work)]
    of = layer.of[rows]
    names = without_nan(layer.names.iloc[of].reset_index(drop=True))
    return Kept(
        name, rule, set_id, layer.shapes[rows], layer.source_id[of], layer.kind[of],
        names, far[rows], layer.block[of], int((chosen & np.isnan(metres)).sum()),
    )  # fmt: skip


def _asked(layer: Layer, rule: Rule) -> tuple[Mask, Floats]:
    """Which things of a layer are sources of a rule, and the distance to each, (n,); NaN where it is not known."""
    n = len(layer.kind)
    kind = np.full(n, ANY in rule.kinds) | pd.Series(layer.kind, dtype=object).isin(rule.kinds).to_numpy()
    return kind & rule.holds(layer.values, n), rule.metres(layer.values, n)


def _in_reach(shapes: Shapes, metres: Floats, work: Sources) -> Mask:
    """Which pieces are near enough to the extent to matter, by their boxes."""
    west, south, east, north = work.ground.extent
    far = np.maximum(metres, work.reach_m)
    low_x, low_y, high_x, high_y = shapely.bounds(shapes).reshape(-1, 4).T
    across = (low_x - far <= east) & (high_x + far >= west)
    return np.asarray(across & (low_y - far <= north) & (high_y + far >= south))


def _below(work: Sources) -> Iterator[Finding]:
    """Lines of all layers that run in tunnels and culverts."""
    if count := sum(work.below):
        yield Finding(
            "sources_below_ground", f"{count:,} lines in tunnels and culverts are not kept away from.",
            f"{count:,}段位于隧道或暗渠中的线路不计退让距离。", count=count,
        )  # fmt: skip


def _not_known(kept: Sequence[Kept]) -> Iterator[Finding]:
    """Layers that are not there, with the rules that ask for them."""
    lacking = [each for each in kept if not each.known]
    for layer in dict.fromkeys(each.rule.layer for each in lacking):
        rules = [each.rule for each in lacking if each.rule.layer == layer]
        en, zh = "; ".join(rule.en for rule in rules[:TOLD]), "；".join(rule.zh for rule in rules[:TOLD])
        more_en, more_zh = (f" and {len(rules) - TOLD} more", "等") if len(rules) > TOLD else ("", "")
        lacks_en, lacks_zh = _lacks(layer, len(rules))
        # Nobody need give things for the rules alone; without a layer of the map nothing is judged that should be.
        yield Finding(
            "sources_not_known", f"{lacks_en}, not asked: {en}{more_en}.", f"{lacks_zh}，未判断：{zh}{more_zh}。",
            "info" if layer in ("sources", "hazards") else "warning", len(rules), column=layer,
        )  # fmt: skip


def _lacks(layer: str, rules: int) -> tuple[str, str]:
    """That there is nothing for some rules to look at; of hazards there may be others."""
    if layer == "hazards":
        asked = "the kind that 1 rule asks for" if rules == 1 else f"the kinds that {rules} rules ask for"
        return f"The study has no hazard of {asked}", f"研究没有{rules}条规则所涉类别的灾害数据"
    return (
        f"The study has no {layer} for {rules} rule{'s' * (rules > 1)}",
        f"研究缺少{LAYERS_ZH[layer]}，涉及{rules}条规则",
    )


def _left_out(kept: Sequence[Kept]) -> Iterator[Finding]:
    for each in kept:
        if each.dropped:
            names = ", ".join(sorted(each.rule.formula.names))
            yield Finding(
                "sources_without_distance", f"{each.rule.en}: {each.dropped:,} sources are left out, their {names} is "
                "not known.", f"{each.rule.zh}：{each.dropped:,}个对象缺少{names}，未计入。", "warning", each.dropped,
                column=names,
            )  # fmt: skip


def _blocks_told(kept: Sequence[Kept], params: SetbackParams) -> Iterator[Finding]:
    if any(each.rule.layer == "buildings" for each in kept):
        gap = params.touching_m
        yield Finding(
            "wall_to_wall", f"Buildings with a gap of at most {gap:g} m are taken for one block with fire walls: they "
            "keep no distance from each other.",
            f"间距不超过{gap:g}米的建筑视为设有防火墙的同一组建筑，相互之间不计间距。",
        )  # fmt: skip


# -- what is too near --------------------------------------------------------------------------------------------------


def lacking(setbacks: Setbacks, shapes: Shapes, things: Things, *, on: On) -> dict[str, Ints | Floats]:
    """Which things (n,) are too near for which rules: the columns ``HITS``, sorted by thing and rule.

    ``thing`` is the row of the thing, ``rule`` that in ``setbacks.kept``, ``source`` that of the piece in the rule's
    ``shapes``: of several the one that lacks most, then by id. ``distance_m`` is 0 where it overlaps the source.
    Things without a shape hit nothing. What stands wall to wall with a building, as the building itself does, belongs
    to its block and keeps no distance from it, unless ground is asked.
    """
    shapes, there = np.asarray(shapes, dtype=object), ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    rows, parts = np.flatnonzero(there), []
    tree = shapely.STRtree(shapes[rows])
    for row, kept in enumerate(setbacks.kept):
        asked = things.meets(kept.rule.applies_to) & (on in kept.rule.on)
        if len(kept) and asked.any():
            pairs = _too_near(kept, shapes, rows, tree, _gap(setbacks, on))
            thing, source, metres = _worst(kept, *_kept_only(asked[pairs[0]], *pairs))
            parts.append((thing, np.full(len(thing), row), source, metres, kept.distance_m[source]))
    columns = [np.concatenate(each) for each in zip(*parts, strict=True)] if parts else [np.zeros(0)] * len(HITS)
    order = np.lexsort((columns[1], columns[0]))
    found: dict[str, Ints | Floats] = {
        name: column[order].astype(np.float64) for name, column in zip(HITS, columns, strict=True)
    }
    return found | {name: found[name].astype(np.int64) for name in HITS[:3]}


def asked_of(setbacks: Setbacks, shape: shapely.Geometry, things: Things, *, on: On) -> list[Row]:
    """How one shape stands to every rule, in the order of ``setbacks.kept``."""
    gap, reach_m = _gap(setbacks, on), setbacks.params.reach_m
    one = np.array([shape], dtype=object)
    rows: list[Row] = []
    for row, kept in enumerate(setbacks.kept):
        applies = bool(on in kept.rule.on and things.meets(kept.rule.applies_to)[0])
        source, metres, hit = _nearest(kept, one, gap, reach_m)
        required = float(kept.distance_m[source]) if source >= 0 else np.nan
        rows.append(Row(row, applies, applies and hit, source, metres, required))
    return rows


def _gap(setbacks: Setbacks, on: On) -> float:
    """The gap up to which a building joins a block, metres; less than none where ground is asked."""
    return -1.0 if on == "ground" else setbacks.params.touching_m


def _nearest(kept: Kept, one: Shapes, gap: float, reach_m: float) -> Nearest:
    """The source that a shape is most too near to, or else the nearest within reach."""
    if not len(kept) or shapely.is_missing(one[0]) or shapely.is_empty(one[0]):
        return NOTHING
    if kept.alike:
        return _nearest_alike(kept, one, max(reach_m, kept.most_m))
    far = max(min(FIRST_M, reach_m), kept.most_m)
    while True:
        found = _chosen(kept, one, _apart(kept, gap, *_within(kept, one, max(far, gap))), far)
        if found[0] >= 0 or far >= reach_m:
            return found
        far = min(4 * far, reach_m)


def _nearest_alike(kept: Kept, one: Shapes, far: float) -> Nearest:
    """The same where all sources ask the same: nothing lacks more than the nearest."""
    (_, source), metres = kept.tree.query_nearest(one, max_distance=far + EXACT_M, return_distance=True)
    if len(source) == 1 and kept.most_m < metres[0] <= far:
        return int(source[0]), float(metres[0]), False
    # Others that are hardly farther off count as no farther.
    return _chosen(kept, one, _within(kept, one, float(metres[0]) + EXACT_M), far) if len(source) else NOTHING


def _chosen(kept: Kept, one: Shapes, pairs: Pairs, far: float) -> Nearest:
    """Of some sources the one that a shape is most too near to, or else the nearest that is not beyond ``far``."""
    _, source, metres = _worst(kept, *_kept_only(_inside(kept, one, *pairs), *pairs))
    if len(source):
        return int(source[0]), float(metres[0]), True
    _, source, metres = pairs
    if not len(source) or metres.min() > far:
        return NOTHING
    first = np.lexsort((source, kept.of[source], metres))[0]
    return int(source[first]), float(metres[first]), False


def _too_near(kept: Kept, shapes: Shapes, rows: Ints, tree: shapely.STRtree, gap: float) -> Pairs:
    """Every source that a thing is too near to; ``tree`` holds the ``rows`` of the things that have a shape."""
    reach = np.maximum(kept.distance_m, gap) + EXACT_M
    if len(rows) < len(kept):
        thing, source, metres = _within(kept, shapes[rows], float(reach.max()))
        pairs = _kept_only(metres <= reach[source], rows[thing], source, metres)
    else:
        pairs = _round(kept, shapes, rows, tree, reach)
    pairs = _apart(kept, gap, *pairs)
    return _kept_only(_inside(kept, shapes, *pairs), *pairs)


def _round(kept: Kept, shapes: Shapes, rows: Ints, tree: shapely.STRtree, reach: Floats) -> Pairs:
    """The things within reach of each source, metres."""
    parts = []
    for begin in range(0, len(kept), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        source, thing = tree.query(kept.shapes[some], predicate="dwithin", distance=reach[some])
        thing, source = rows[thing], source + begin
        parts.append((thing, source, shapely.distance(shapes[thing], kept.shapes[source])))
    thing, source, metres = (np.concatenate(each) for each in zip(*parts, strict=True))
    return thing, source, metres


def _within(kept: Kept, shapes: Shapes, metres: float) -> Pairs:
    """All sources within so many metres."""
    thing, source = kept.tree.query(shapes, predicate="dwithin", distance=metres + EXACT_M)
    return thing.astype(np.int64), source.astype(np.int64), shapely.distance(shapes[thing], kept.shapes[source])


def _apart(kept: Kept, gap: float, thing: Ints, source: Ints, metres: Floats) -> Pairs:
    """Without the blocks that a thing stands wall to wall with, or is one of."""
    if kept.rule.layer != "buildings":
        return thing, source, metres
    block = kept.block[source]
    key = thing * (kept.block.max(initial=0) + 1) + block
    touches = np.unique(key[(block >= 0) & (metres <= gap + EXACT_M)])
    return _kept_only(~((block >= 0) & np.isin(key, touches)), thing, source, metres)


def _kept_only(mask: Mask, thing: Ints, source: Ints, metres: Floats) -> Pairs:
    return thing[mask], source[mask], metres[mask]


def _inside(kept: Kept, shapes: Shapes, thing: Ints, source: Ints, metres: Floats) -> Mask:
    """Which pairs are too near; where no distance is required, which overlap."""
    required = kept.distance_m[source]
    inside = metres < required - EXACT_M
    none = np.flatnonzero((required <= EXACT_M) & (metres <= EXACT_M))
    inside[none] = _overlap(shapes[thing[none]], kept.shapes[source[none]])
    return inside


def _overlap(things: Shapes, pieces: Shapes) -> Mask:
    """Which pairs overlap: what only touches a source from outside does not; points and lines on its rim do."""
    shapely.prepare(pieces)
    found = shapely.intersects(pieces, things)
    rim = np.flatnonzero(found & (shapely.get_dimensions(things) == 2))
    rim = rim[~shapely.contains_properly(pieces[rim], things[rim])]
    found[rim] = ~shapely.touches(pieces[rim], things[rim])
    return np.asarray(found)


def _worst(kept: Kept, thing: Ints, source: Ints, metres: Floats) -> Pairs:
    """Of each thing's sources the one that lacks most, then by id."""
    lacks = np.round((metres - kept.distance_m[source]) / EXACT_M)
    order = np.lexsort((source, kept.of[source], lacks, thing))
    order = order[np.diff(thing[order], prepend=-1) != 0]
    return thing[order], source[order], metres[order]


# -- ground ------------------------------------------------------------------------------------------------------------


def ground(setbacks: Setbacks, *, zone: str) -> list[tuple[int, Shapes]]:
    """The ground of each rule of a zone that is asked of ground: its row in ``kept``, and its pieces (m,).

    Each is a piece of a source with the distance all round it, within 0.1 % of it; not merged, not clipped.
    """
    return [
        (row, around(kept)) for row, kept in enumerate(setbacks.kept)
        if len(kept) and kept.rule.zone == zone and "ground" in kept.rule.on
    ]  # fmt: skip


def around(kept: Kept, rows: Sequence[int] | None = None) -> Shapes:
    """The ground of a rule's pieces, or of some ``rows`` of them: each with its distance all round it, or as it is."""
    which = np.arange(len(kept)) if rows is None else np.asarray(rows, dtype=np.int64)
    found, metres = kept.shapes[which], kept.distance_m[which]
    far = metres > EXACT_M
    found[far] = shapely.buffer(found[far], metres[far], quad_segs=SEGMENTS)
    return found
