"""How complete the data is for what a plan needs: counts and shares, and what they let a planner suspect.

A map that shows no fire station says nothing of the city. Each measure tells how much is there and of how much; where
it is little, a sentence says what that may mean and what to do. How old the data is, is told elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced
from geo.network import Ways
from geo.reasons import SEVERITIES, Finding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

STREETS = (
    "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "pedestrian", "road",
)  # fmt: skip
"""Values of ``highway`` that a name, a width, a surface and a lamp can be expected of."""
HOMES = ("residential", "living_street")
"""Values of ``highway`` along which people live."""
WATER = ("river", "stream", "canal", "shore", "coastline")
"""Kinds of lines that are water."""
UNTOLD_USE = ("yes", "public", "civic", "building", "unclassified")
"""Values of a building's use that do not say it."""
PIECE_M = 50.0
"""Longest piece that streets are measured in."""
LEAST_HOMES_M, LEAST_LAND_M2 = 1000.0, 50_000.0
"""Length of residential streets and residential land below which buildings are not judged by them."""
TOLD = 3
"""How many kinds or streets a sentence names."""

LEVELS_FEW = Finding(
    "levels_few",
    "Buildings: storeys or height are recorded for {count:,.0f} of {of:,.0f}; for the others they are assumed, and "
    "with them people and floor area.",
    "建筑：{of:,.0f}栋中仅{count:,.0f}栋有层数或高度，其余按假定值估算人口和建筑面积。", "warning",
    do_en="Give people as a layer of their own, or buildings with their storeys.",
    do_zh="请添加人口图层，或含层数的建筑图层。",
)  # fmt: skip
USE_FEW = Finding(
    "use_few",
    "Buildings: what they are for is recorded for {count:,.0f} of {of:,.0f}; whether people live in the others is "
    "assumed.", "建筑：{of:,.0f}栋中仅{count:,.0f}栋有用途，其余是否有人居住按假定处理。", "info",
    do_en="Give people as a layer of their own, or buildings with their use.",
    do_zh="请添加人口图层，或含用途的建筑图层。",
)  # fmt: skip
"""Said with ``count`` buildings ``of`` so many filled in."""
MEASURES = {
    "streets_named": ("Streets with a name", "有名称的道路", "m"),
    "streets_width": ("Streets with width or lanes", "有宽度或车道数的道路", "m"),
    "streets_surface": ("Streets with surface", "有路面类型的道路", "m"),
    "streets_lit": ("Streets with lighting", "有照明信息的道路", "m"),
    "streets_built": ("Residential streets with buildings near", "附近有建筑的居住区道路", "m"),
    "buildings_on_land": ("Buildings on residential land", "居住用地上的建筑", "buildings"),
    "buildings_levels": ("Buildings with storeys or height", "有层数或高度的建筑", "buildings"),
    "buildings_use": ("Buildings with their use", "有用途的建筑", "buildings"),
    "shelters_mapped": ("Places of refuge stated as such", "明确为避难场所的地点", "places"),
    "fire_station": ("Fire stations", "消防站", "places"),
    "hospital": ("Hospitals", "医院", "places"),
    "clinic": ("Clinics and practices", "诊所", "places"),
    "school": ("Schools", "学校", "places"),
    "kindergarten": ("Kindergartens", "幼儿园", "places"),
    "police": ("Police stations", "派出所", "places"),
    "hydrants": ("Hydrants", "消火栓", "places"),
    "water": ("Rivers, canals and lakes", "河流、渠道和湖泊", "places"),
}
"""What is measured: its name in English and Chinese, and the unit of ``count`` and ``of``."""
KINDS = {
    "fire_station": ("fire_station",), "hospital": ("hospital",), "clinic": ("clinic", "doctors"),
    "school": ("school",), "kindergarten": ("kindergarten",), "police": ("police",),
}  # fmt: skip
"""Facilities that a number of people needs, and the kinds that count."""
DETAILS = {
    "streets_width": ("width", "宽度"), "streets_surface": ("surface", "路面"), "streets_lit": ("lighting", "照明"),
}  # fmt: skip
CANDIDATES = {
    "school": ("school", "schools", "所学校"), "kindergarten": ("kindergarten", "kindergartens", "所幼儿园"),
    "college": ("college", "colleges", "所学院"), "university": ("university", "universities", "所大学"),
    "sports": ("sports ground", "sports grounds", "处体育场地"), "park": ("park", "parks", "处公园"),
    "square": ("square", "squares", "处广场"), "library": ("library", "libraries", "处图书馆"),
    "community_centre": ("community centre", "community centres", "处社区中心"),
    "townhall": ("town hall", "town halls", "处政府机构"), "civil_defence": ("bunker", "bunkers", "处人防工程"),
    "place_of_worship": ("place of worship", "places of worship", "处宗教场所"),
    "recreation_ground": ("recreation ground", "recreation grounds", "处活动场地"),
}  # fmt: skip
"""Kinds of places that could become a shelter: one, many, Chinese with its measure word."""
EMPTY_EN, EMPTY_ZH = "the map may be empty rather than the city", "可能是地图缺失，而非城市没有"


class CompletenessParams(Sourced):
    """When the map rather than the city is likely to be what lacks something."""

    subject = "completeness"

    detail_share: float = Field(
        ge=0, le=1, description="A detail of streets or buildings recorded for a smaller share than this is told."
    )
    built_m: float = Field(
        gt=0, le=1000, description="A residential street with no building within so many metres counts as bare."
    )
    bare_share: float = Field(
        ge=0, le=1, description="A larger share of the length of residential streets that is bare is told."
    )
    dense_per_km2: float = Field(
        ge=0, le=10_000, description="A smaller count of buildings on a square kilometre of residential land is told."
    )
    shelter_share: float = Field(
        ge=0, le=1, description="A smaller share of the places of refuge and those that could be one is told."
    )
    people_per_fire_station: float = Field(gt=0, le=1e7, description="People for whom one fire station is usual.")
    people_per_hospital: float = Field(gt=0, le=1e7, description="People for whom one hospital is usual.")
    people_per_clinic: float = Field(gt=0, le=1e7, description="People for whom one clinic or practice is usual.")
    people_per_school: float = Field(gt=0, le=1e7, description="People for whom one school is usual.")
    people_per_kindergarten: float = Field(gt=0, le=1e7, description="People for whom one kindergarten is usual.")
    people_per_police: float = Field(gt=0, le=1e7, description="People for whom one police station is usual.")
    facility_share: float = Field(
        ge=0, le=1, description="Fewer facilities than this share of the usual number are told as few."
    )
    hydrant_spacing_m: float = Field(gt=0, le=1000, description="Longest street between two hydrants, metres.")
    hydrant_share: float = Field(
        ge=0, le=1, description="Fewer hydrants than this share of what the spacing asks for are told."
    )

    def usual(self, code: str, people: float | None) -> float:
        """How many facilities of ``KINDS`` so many people usually have, in whole numbers; NaN for people not known."""
        return math.nan if people is None else float(people // getattr(self, f"people_per_{code}"))


@dataclass(frozen=True)
class Completeness:
    """What is there, and what that lets suspect.

    ``shares``: one row a measure (``measure``, ``en``, ``zh``), ``count`` of ``of`` in ``unit`` (m, buildings, places)
    and ``share`` (0-1); ``of`` and ``share`` NaN where nothing says how much there should be. ``findings`` worst first.
    """

    shares: pd.DataFrame
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"Completeness({len(self.shares)} measures, {len(self.findings)} findings)"


@dataclass(frozen=True)
class _Row:
    measure: str
    count: float
    of: float = math.nan

    @property
    def share(self) -> float:
        return min(self.count / self.of, 1.0) if self.of > 0 else math.nan


def completeness(
    ways: Ways, buildings: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, shelters: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, *, params: CompletenessParams, people: float | None = None,
    within: shapely.Polygon | shapely.MultiPolygon | None = None,
) -> Completeness:  # fmt: skip
    """How complete a study's tables (``geo.tables``, one metric CRS) are for a plan.

    ``people`` are those the study has, None when not known. Streets and land count as far as they lie ``within`` (the
    study's outline or the extract's box, same CRS): streets run out of an extract, buildings do not.
    """
    streets = _streets(ways, within)
    built = _near(streets, buildings, params.built_m) & streets.of_class(HOMES)
    land_m2, on_land = _residential(areas, buildings, within)
    rows = {row.measure: row for row in (
        *_street_rows(streets), _Row("streets_built", streets.metres(built), streets.metres(streets.of_class(HOMES))),
        _Row("buildings_on_land", on_land, math.ceil(params.dense_per_km2 * land_m2 / 1e6)),
        *_building_rows(buildings), _shelter_row(shelters), *_facility_rows(facilities, params, people),
        _hydrant_row(facilities, streets, params), _Row("water", _waters(areas, lines)),
    )}  # fmt: skip
    findings = [
        *_of_buildings(rows, params, land_m2, _longest(streets, streets.of_class(HOMES) & ~built), len(buildings)),
        *_of_shelters(shelters, params), *_of_facilities(rows, params, people), *_of_hydrants(rows, streets, params),
        *_of_streets(rows, params), *_of_water(rows["water"]),
    ]  # fmt: skip
    return Completeness(_table(rows.values()), tuple(sorted(findings, key=lambda f: SEVERITIES.index(f.severity))))


def _table(rows: Iterable[_Row]) -> pd.DataFrame:
    told = [(r.measure, *MEASURES[r.measure], float(r.count), float(r.of), r.share) for r in rows]
    return pd.DataFrame(told, columns=["measure", "en", "zh", "unit", "count", "of", "share"])


@dataclass(frozen=True)
class _Streets:
    """Streets in pieces: tags of the ways, and of each piece its way, length in metres and middle (m, 2)."""

    tags: pd.DataFrame
    way: Ints
    length_m: Floats
    middle: Floats

    def of_class(self, values: Sequence[str]) -> Mask:
        """The pieces of ways of these kinds, (m,)."""
        return np.asarray(self.tags["highway"].isin(values), dtype=bool)[self.way]

    def tagged(self, *keys: str) -> Mask:
        """The pieces of ways that have one of these tags, (m,)."""
        return np.asarray(self.tags[list(keys)].notna().any(axis=1), dtype=bool)[self.way]

    def metres(self, kept: Mask) -> float:
        """How long the pieces kept (m,) are together."""
        return float(self.length_m[kept].sum())


def _streets(ways: Ways, within: shapely.Geometry | None) -> _Streets:
    lines = shapely.linestrings(ways.x, ways.y, indices=np.repeat(np.arange(len(ways)), np.diff(ways.start)))
    xy, way = shapely.get_coordinates(shapely.segmentize(lines, PIECE_M), return_index=True)
    joined = way[1:] == way[:-1]
    middle = ((xy[1:] + xy[:-1]) / 2)[joined]
    length_m, way = np.hypot(*np.diff(xy, axis=0).T)[joined], way[1:][joined]
    if within is not None:
        inside = shapely.contains_xy(within, middle)
        middle, length_m, way = middle[inside], length_m[inside], way[inside]
    return _Streets(ways.tags, way.astype(np.int64), length_m, middle)


def _street_rows(streets: _Streets) -> Iterator[_Row]:
    one = streets.of_class(STREETS)
    for measure, keys in (("streets_named", ("name", "name_zh", "name_en")), ("streets_width", ("width", "lanes")),
                          ("streets_surface", ("surface",)), ("streets_lit", ("lit",))):  # fmt: skip
        yield _Row(measure, streets.metres(one & streets.tagged(*keys)), streets.metres(one))


def _near(streets: _Streets, buildings: gpd.GeoDataFrame, within_m: float) -> Mask:
    """The pieces whose middle has a building near, (m,)."""
    tree = shapely.STRtree(buildings.geometry.to_numpy())
    hit = tree.query(shapely.points(streets.middle), predicate="dwithin", distance=within_m)[0]
    near = np.zeros(len(streets.way), dtype=bool)
    near[hit] = True
    return near


def _longest(streets: _Streets, kept: Mask) -> list[str]:
    """Names of the streets with most of the length kept."""
    lengths = pd.Series(streets.length_m[kept]).groupby(streets.tags["name"].to_numpy(dtype=object)[streets.way[kept]])
    return [str(name) for name in lengths.sum().sort_values(ascending=False, kind="stable").index[:TOLD]]


def _residential(
    areas: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, within: shapely.Geometry | None
) -> tuple[float, int]:
    """Residential land in square metres, and the buildings on it."""
    land = areas.geometry.to_numpy()[(areas["kind"] == "residential").to_numpy(dtype=bool)]
    whole = shapely.union_all(land if within is None else shapely.intersection(land, within))
    inner = shapely.get_coordinates(shapely.point_on_surface(buildings.geometry.to_numpy()))
    return float(shapely.area(whole)), int(shapely.contains_xy(whole, inner).sum())


def _building_rows(buildings: gpd.GeoDataFrame) -> Iterator[_Row]:
    n = len(buildings)
    yield _Row("buildings_levels", int((buildings["levels"].notna() | buildings["height_m"].notna()).sum()), n)
    yield _Row("buildings_use", n - int((buildings["use"].isna() | buildings["use"].isin(UNTOLD_USE)).sum()), n)


def _shelter_row(shelters: gpd.GeoDataFrame) -> _Row:
    return _Row("shelters_mapped", int((shelters["origin"] != "candidate").sum()), len(shelters))


def _facility_rows(facilities: gpd.GeoDataFrame, params: CompletenessParams, people: float | None) -> Iterator[_Row]:
    for code, kinds in KINDS.items():
        yield _Row(code, int(facilities["kind"].isin(kinds).sum()), params.usual(code, people))


def _hydrant_row(facilities: gpd.GeoDataFrame, streets: _Streets, params: CompletenessParams) -> _Row:
    asked = streets.metres(streets.of_class(STREETS)) // params.hydrant_spacing_m
    return _Row("hydrants", int((facilities["kind"] == "hydrant").sum()), asked)


def _waters(areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame) -> int:
    return int((areas["kind"] == "water").sum() + lines["kind"].isin(WATER).sum())


def _of_buildings(
    rows: dict[str, _Row], params: CompletenessParams, land_m2: float, bare: Sequence[str], n: int
) -> Iterator[Finding]:
    built, on_land = rows["streets_built"], rows["buildings_on_land"]
    if not n:
        yield _no_buildings()
        return
    if built.of >= LEAST_HOMES_M and 1 - built.share > params.bare_share:
        yield _bare(built, params, bare)
    if land_m2 >= LEAST_LAND_M2 and on_land.share < 1:
        yield _thin(on_land, params, land_m2)
    if (levels := rows["buildings_levels"]).share < params.detail_share:
        yield _few(LEVELS_FEW, levels)
    if (use := rows["buildings_use"]).share < params.detail_share:
        yield _few(USE_FEW, use)


def _no_buildings() -> Finding:
    return Finding(
        "buildings_none", f"Buildings: none is in the data, so nobody is counted as living anywhere: {EMPTY_EN}.",
        f"建筑：数据中没有，因此无法估算居住人口：{EMPTY_ZH}。", "warning",
        do_en="Add a layer of buildings, or one that says where people live.", do_zh="请添加建筑图层或人口图层。",
    )  # fmt: skip


def _bare(built: _Row, params: CompletenessParams, bare: Sequence[str]) -> Finding:
    gone_km = (built.of - built.count) / 1000
    most_en = f", most of it on {', '.join(bare)}" if bare else ""
    most_zh = f"，主要在{'、'.join(bare)}" if bare else ""
    return Finding(
        "quarters_may_be_missing",
        f"Buildings: {1 - built.share:.0%} of the length of residential streets ({gone_km:.1f} km) has none within "
        f"{params.built_m:g} m{most_en}: whole quarters may be missing, and nobody is counted as living there.",
        f"建筑：{1 - built.share:.0%}的居住区道路长度（{gone_km:.1f}公里）在{params.built_m:g}米内没有建筑{most_zh}："
        "可能有整片街区未绘制，其居民未被计入。",
        "warning", do_en="Look at these streets on the map; where people live, add a layer of buildings or of people.",
        do_zh="请在地图上核对这些道路；如有人居住，请添加建筑或人口图层。",
    )  # fmt: skip


def _thin(on_land: _Row, params: CompletenessParams, land_m2: float) -> Finding:
    density, km2 = on_land.count / land_m2 * 1e6, land_m2 / 1e6
    return Finding(
        "buildings_thin_on_land",
        f"Buildings: {density:.0f} on a square kilometre of residential land ({km2:.2f} km² in all), fewer than "
        f"{params.dense_per_km2:g}: some may be missing, and with them their people.",
        f"建筑：每平方公里居住用地（共{km2:.2f}平方公里）仅{density:.0f}栋，少于{params.dense_per_km2:g}栋："
        "可能有建筑未绘制，其居民未被计入。",
        "warning", do_en="Compare with an aerial picture; add a layer of buildings or of people.",
        do_zh="请对照影像核实，并添加建筑或人口图层。",
    )  # fmt: skip


def _few(said: Finding, row: _Row) -> Finding:
    """What is recorded for some buildings and assumed for the others, with how many these are."""
    en, zh = (text.format(count=row.count, of=row.of) for text in (said.en, said.zh))
    return replace(said, en=en, zh=zh, count=int(row.of - row.count))


def _of_shelters(shelters: gpd.GeoDataFrame, params: CompletenessParams) -> Iterator[Finding]:
    """A list of the city's own is complete; a map is not where it has many places and calls few a refuge."""
    origin = shelters["origin"]
    mapped, could = int((origin == "mapped").sum()), shelters.loc[origin == "candidate", "kind"]
    if (origin == "official").any() or mapped >= params.shelter_share * (mapped + len(could)) > 0:
        return
    many_en, many_zh = _counted(could)
    there_en = "none is" if not mapped else "1 is" if mapped == 1 else f"{mapped} are"
    beside_en = f", beside {many_en} that could be one" if many_en else ""
    beside_zh = f"，另有{many_zh}可作为候选" if many_zh else ""
    yield Finding(
        "shelters_few", f"Shelters: {there_en} mapped{beside_en}: {EMPTY_EN}.",
        f"避难场所：地图上{f'有{mapped}处' if mapped else '没有'}{beside_zh}：{EMPTY_ZH}。", "warning", count=mapped,
        do_en="Add the city's own list of shelters; without it the plan assumes places that nobody called a shelter.",
        do_zh="请添加本市避难场所名录；否则规划只能以候选地点代替。",
    )  # fmt: skip


def _counted(kind: pd.Series) -> tuple[str, str]:
    """Kinds with how many there are of each, most first, in English and Chinese."""
    counts = [(str(k), int(n)) for k, n in kind.value_counts(sort=False).items()]
    most = sorted(counts, key=lambda each: (-each[1], each[0]))
    words = [(n, *CANDIDATES.get(k, (k, k, f"处{k}"))) for k, n in most[:TOLD]]
    en, zh = [f"{n} {one if n == 1 else many}" for n, one, many, _ in words], [f"{n}{said}" for n, _, _, said in words]
    if rest := sum(n for _, n in most[TOLD:]):
        en, zh = [*en, f"{rest} other place{'s' * (rest > 1)}"], [*zh, f"{rest}处其他地点"]
    return _listed(en), "、".join(zh)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _of_facilities(rows: dict[str, _Row], params: CompletenessParams, people: float | None) -> Iterator[Finding]:
    """Kinds of which the data has none, or far fewer than so many people usually have."""
    for code in KINDS:
        row, (en, zh, _) = rows[code], MEASURES[code]
        if row.count == 0 and (people is None or row.of >= 1):
            yield _none(code, en, zh, row.of, people)
        elif row.count < params.facility_share * row.of:
            yield Finding(
                f"{code}_few",
                f"{en}: {row.count} in the data for {people:,.0f} people, where {row.of:,.0f} would be usual: "
                "the map may lack some.",
                f"{zh}：{people:,.0f}人的范围内数据中有{row.count}处，通常应有约{row.of:,.0f}处：地图可能有缺失。",
                "info", count=int(row.count), do_en="Compare with the city's own list and add it.",
                do_zh="请与本市名录核对并添加。",
            )  # fmt: skip


def _none(code: str, en: str, zh: str, usual: float, people: float | None) -> Finding:
    for_en = "" if people is None else f" for {people:,.0f} people, where {usual:,.0f} would be usual"
    for_zh = "" if people is None else f"（{people:,.0f}人，通常应有约{usual:,.0f}处）"
    return Finding(
        f"{code}_none", f"{en}: none is in the data{for_en}: {EMPTY_EN}.", f"{zh}：数据中没有{for_zh}：{EMPTY_ZH}。",
        "info" if people is None else "warning",
        do_en="Add the city's own list; one just outside the study's outline may serve it too.",
        do_zh="请添加本市名录；研究范围外附近的设施也可能服务本区。",
    )  # fmt: skip


def _of_hydrants(rows: dict[str, _Row], streets: _Streets, params: CompletenessParams) -> Iterator[Finding]:
    row = rows["hydrants"]
    if not row.share < params.hydrant_share:
        return
    km = streets.metres(streets.of_class(STREETS)) / 1000
    there = "none is" if row.count == 0 else "1 is" if row.count == 1 else f"{row.count:,} are"
    yield Finding(
        "hydrants_few",
        f"Hydrants: {there} mapped on {km:,.0f} km of streets, where one every {params.hydrant_spacing_m:g} m would be "
        f"{row.of:,.0f}: what water the fire brigade finds cannot be told.",
        f"消火栓：{km:,.0f}公里道路上地图有{row.count:,}处，按间距{params.hydrant_spacing_m:g}米应有约{row.of:,.0f}处："
        "无法判断消防水源。",
        "info", count=int(row.count), do_en="Add the water company's list of hydrants.",
        do_zh="请添加供水部门的消火栓名录。",
    )  # fmt: skip


def _of_streets(rows: dict[str, _Row], params: CompletenessParams) -> Iterator[Finding]:
    if (named := rows["streets_named"]).share < params.detail_share:
        yield Finding(
            "street_names_few",
            f"Streets: {named.share:.0%} of their length has a name; where a reason points to another, it can only "
            "call it an unnamed street.",
            f"道路：仅{named.share:.0%}的长度有名称，其余在说明原因时只能称为无名道路。", "info",
            do_en="Add a layer of streets with names if the city has one.", do_zh="如有含路名的道路图层，请添加。",
        )  # fmt: skip
    lacking = [code for code in DETAILS if rows[code].share < params.detail_share]
    if lacking:
        en = _listed([f"{DETAILS[code][0]} for {rows[code].share:.0%}" for code in lacking])
        zh = "、".join(f"{DETAILS[code][1]}{rows[code].share:.0%}" for code in lacking)
        yield Finding(
            "street_details_few", f"Streets: of their length, the map has {en}; elsewhere the kind of street must do.",
            f"道路：按长度计，地图上的信息仅有{zh}；其余按道路等级处理。", "info",
        )  # fmt: skip


def _of_water(row: _Row) -> Iterator[Finding]:
    if not row.count:
        yield Finding(
            "water_none", "Water: no river, canal, shore or lake is in the data, so no land is kept free along any.",
            "水系：数据中没有河流、渠道、岸线或湖泊，因此未划定滨水退让范围。", "info",
            do_en="If the city has water, add it with a newer map.", do_zh="如本市有水系，请使用更新的地图补充。",
        )  # fmt: skip
