"""Real communities: their faults found with their size, their parents, and cells drawn where there are none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import data.osm
from data import standards
from geo import fit, grids, membership, network, parentage, population
from geo.communities import CommunityParams
from geo.fit import Fit
from geo.grids import GridParams, Grids
from geo.population import PopulationParams
from tests import shared_data

KNOWN = standards.load()
PARAMS = CommunityParams.of(KNOWN)


def file(name: str) -> Path:
    if why := shared_data.why_not(name):
        pytest.skip(why)
    return shared_data.folder() / name


def units(
    name: str, crs: int, column: str, *, parent: str = "", level: str = "community", ids: str = ""
) -> gpd.GeoDataFrame:
    """A file of outlines as a table of communities."""
    read = gpd.read_file(file(name)).to_crs(crs)
    own = read[ids].astype(str) if ids else [f"{level}{n}" for n in range(len(read))]
    columns = {"community_id": own, "name": read[column], "name_zh": None, "name_en": None, "level": level,
               "parent_id": read[parent] if parent else None, "source": name}  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=read.geometry.make_valid(), crs=read.crs)


def slivers(found: Fit) -> tuple[int, int]:
    return int(found.overlaps["sliver"].sum()), int(found.gaps["sliver"].sum())


class TestFaults:
    def test_jakartas_neighbourhoods(self) -> None:
        """2 685 RW, all overlaps and nearly all gaps drawing noise of a metre or two; 105 share name and kelurahan."""
        table = units("jakarta/boundaries/rw_jakarta.shp", 32748, "RW", parent="KEL_NAME")
        found = fit.faults(table, params=PARAMS)
        assert slivers(found) == (18, 392)
        wide = found.gaps[~found.gaps["sliver"]]
        assert wide["area_m2"].round().tolist() == [968, 486, 39]
        told = {finding.code: finding.count for finding in found.findings}
        assert told["communities_tiny"] == 2 and told["communities_parts"] == 16
        done = fit.mended(table, found)
        assert slivers(fit.faults(done.table, params=PARAMS)) == (0, 0) and done.moved_m2 == pytest.approx(
            13_346, rel=0.01
        )

    def test_yaizus_airfield_belongs_to_no_neighbourhood(self) -> None:
        table = units("yaizu/自主防災会区域更新.shp", 2450, "SAFIELD001")
        found = fit.faults(table, params=PARAMS)
        assert slivers(found) == (20, 24)
        assert found.gaps["area_m2"].iloc[0] == pytest.approx(737_251, rel=0.001)
        assert "上小杉第5自主防災会" in found.gaps["beside_names"].iloc[0]

    def test_marikina_within_its_outline(self) -> None:
        folder = file("marikina/barangays")
        names = sorted(path.stem for path in folder.glob("*.shp"))
        tables = [units(f"marikina/barangays/{name}.shp", 32651, "name").assign(name=name, community_id=name)
                  for name in names if name != "Marikina Boundary"]  # fmt: skip
        table = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=tables[0].crs)
        (outline,) = units("marikina/barangays/Marikina Boundary.shp", 32651, "name").geometry
        found = fit.faults(table, params=PARAMS, study_outline=outline)
        assert len(table) == 15 and slivers(found) == (1, 3)
        # The city's outline goes round ground that is no barangay's, between Barangka and Calumpang.
        assert found.gaps["area_m2"].iloc[0] == pytest.approx(827_913, rel=0.001)
        assert found.gaps["beside_ids"].iloc[0].split("; ") == ["Barangka", "Calumpang"]

    def test_bazhongs_counties_fill_the_city(self) -> None:
        codes = ("511902", "511903", "511921", "511922", "511923")
        tables = [
            units(f"boundaries-china/conv_{code}.geojson", 4545, "name", ids="adcode", level="district")
            for code in codes
        ]
        city = units("boundaries-china/conv_511900.geojson", 4545, "name", ids="adcode", level="city")
        counties = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=city.crs)
        assert fit.faults(counties, params=PARAMS, study_outline=city.geometry.iloc[0]).clean
        found = parentage.linked([*tables, city], params=PARAMS)
        assert found.table["parent_id"].tolist() == ["511900"] * 5 and found.findings == ()


class TestParents:
    def test_jakartas_neighbourhoods_in_their_kelurahan(self) -> None:
        """“RW 01” is there 254 times; seven RW lie in another kelurahan than they say."""
        rw = units("jakarta/boundaries/rw_jakarta.shp", 32748, "RW", parent="KEL_NAME", ids="OBJECTID")
        above = units("jakarta/boundaries/kelurahan_jakarta.shp", 32748, "KEL_NAME2", level="subdistrict", ids="ID",
                      parent="KEC_NAME_2")  # fmt: skip
        found = parentage.linked([rw, above], params=PARAMS)
        assert found.table["parent_id"].notna().all() and found.table["parent_id"].nunique() == 260
        told = {finding.code: finding for finding in found.findings}
        assert {code: finding.count for code, finding in told.items()} == {
            "parents_made": 42, "parents_unknown": 16, "parents_elsewhere": 7, "parents_stick_out": 7,
        }  # fmt: skip
        assert "TANAH SERAL" in told["parents_unknown"].en and "PASAR MINGGU" in told["parents_elsewhere"].en
        levels = parentage.ancestors(found.table, found.parents)
        assert list(levels) == ["subdistrict", "district"] and levels.notna().all(axis=None)

    def test_pontianaks_kecamatan_are_made_of_their_desa(self) -> None:
        found = parentage.linked([units("pontianak/region.geojson", 32749, "DESA", parent="KECAMATAN")], params=PARAMS)
        assert len(found.table) == 29 and found.parents["name"].tolist() == [
            f"PONTIANAK {side}" for side in ("BARAT", "KOTA", "SELATAN", "TENGGARA", "TIMUR", "UTARA")
        ]
        assert shapely.area(found.parents.geometry).sum() == pytest.approx(shapely.area(found.table.geometry).sum())


@cache
def town(name: str) -> tuple[Grids, gpd.GeoDataFrame]:
    extract = data.osm.read(file(name))
    streets = network.build(extract.ways)
    people = population.from_buildings(extract.buildings, extract.areas, params=PopulationParams.of(KNOWN)).demand
    return grids.make(streets, people, params=GridParams.of(KNOWN), lines=extract.lines), people


@pytest.mark.parametrize(("name", "cells", "compact"), [
    ("kampen/kampen.osm.pbf", 50, 0.55), ("osm/nanjing-hongtao45_bbox.osm.xml", 50, 0.6),
])  # fmt: skip
def test_cells_between_real_streets(name: str, cells: int, compact: float) -> None:
    """About a thousand people each, none cut off from the rest of its cell, and every bit of ground in one of them."""
    found, people = town(name)
    counts = found.measures["people"]
    assert len(found.table) == pytest.approx(cells, rel=0.15)
    assert counts.sum() == people["people"].sum()
    assert counts.median() == pytest.approx(1050, rel=0.1) and counts.min() > 400 and counts.max() < 1600
    assert found.quality["compactness_median"] > compact and found.quality["main_share"] > 0.4
    assert found.table.geom_type.eq("Polygon").all() and found.table["name"].is_unique
    assert fit.faults(found.table, params=PARAMS).clean
    shapes = np.asarray(found.table.geometry.to_numpy(), dtype=object)
    assert shapely.area(shapes).sum() == pytest.approx(shapely.union_all(shapes).area, rel=1e-9)
    where = membership.smallest_holding(np.asarray(people.geometry.to_numpy(), dtype=object), shapes)
    assert np.bincount(where, people["people"], len(shapes)).tolist() == counts.tolist()


def test_names_a_resident_would_know() -> None:
    found, _ = town("osm/nanjing-hongtao45_bbox.osm.xml")
    assert "中山路" in " ".join(found.table["name"]) and found.table["name_zh"].str.contains("之间").mean() > 0.8
