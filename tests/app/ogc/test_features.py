"""OGC API Features over HTTP: what each address answers, pages that give every feature once, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import geopandas as gpd
import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from app.main import create_app
from app.ogc.crs import CRS84_URI, EPSG_URI
from app.ogc.documents import CONFORMS
from app.ogc.matching import matching
from app.ogc.parser import parse
from app.ogc.table import opened
from app.ogc.tree import written
from app.settings import Settings
from tests.app.hand_made import CRS, HOSTILE, extract, outcome, recipe, study_file, workspace
from tests.app.ogc.awkward import ROWS, boxes, conditions, saved

STUDY = "/ogc/kampen"
UTM, WEB, LAT_LON = (EPSG_URI.format(code) for code in (32631, 3857, 4326))


class Site:
    """The service over the awkward layer."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.workspace, self.run = saved(folder)
        self.client = TestClient(create_app(Settings(workspace=self.workspace.path, **changes)))
        self.of_run = f"{STUDY}/runs/{self.run.run_id}"
        self.items = f"{self.of_run}/collections/awkward/items"
        self.table = self.run.table("awkward")

    def get(self, path: str, code: int = 200, headers: dict[str, str] | None = None, **query: object) -> Any:
        full = f"{path}{'&' if '?' in path else '?'}{urlencode(query)}" if query else path
        answer = self.client.get(full, headers=headers)
        assert answer.status_code == code, answer.text
        return answer

    def json(self, path: str, code: int = 200, **query: object) -> Any:
        return self.get(path, code, **query).json()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("ogc"))


def links(answer: Any) -> dict[str, str]:
    """The first address of each relation."""
    return {link["rel"]: link["href"] for link in reversed(answer["links"])}


# -- what there is -------------------------------------------------------------------------------------------------


def test_from_the_landing_page_everything_is_found(site: Site) -> None:
    for root, name in ((STUDY, "flood.communities"), (site.of_run, "communities")):
        landing = site.json(root)
        assert landing["attribution"] == "© OpenStreetMap contributors"
        ways = links(landing)
        assert site.json(ways["conformance"])["conformsTo"] == list(CONFORMS)
        listed = site.json(ways["data"])["collections"]
        assert {one["id"].removeprefix("flood.") for one in listed} == {
            "awkward", "communities", "cut_off", "demand", "shelters", "streets",
        }  # fmt: skip
        (one,) = [each for each in listed if each["id"] == name]
        assert one == site.json(links(one)["self"])
        page = site.json(links(one)["items"])
        assert [feature["id"] for feature in page["features"]] == ["c1", "c2"]
        assert set(site.json(links(one)["http://www.opengis.net/def/rel/ogc/1.0/queryables"])["properties"]) == {
            *page["features"][0]["properties"], "geometry",
        }  # fmt: skip


def test_a_collection_says_where_it_lies_and_in_what_it_can_be_had(site: Site) -> None:
    one = site.json(f"{STUDY}/collections/flood.communities")
    assert one["extent"]["spatial"]["bbox"] == [list(site.run.layer("communities").bounds)]
    assert (one["storageCrs"], one["crs"]) == (CRS84_URI, [CRS84_URI, LAT_LON, WEB, UTM])
    assert one["title"] == "Flood · Community risk"
    assert site.json(f"{STUDY}/collections/flood.communities?lang=zh")["title"].startswith("洪水 · ")
    assert "extent" not in site.json(f"{STUDY}/collections/flood.cut_off")


def test_the_description_is_valid_and_names_every_column(site: Site) -> None:
    answer = site.get(f"{STUDY}/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    described = answer.json()
    validate(described)
    validate(site.json("/openapi.json"))
    assert described["components"]["parameters"]["limit"]["schema"] == {
        "type": "integer", "minimum": 1, "maximum": 10_000, "default": 10,
    }  # fmt: skip
    asked = described["paths"]["/collections/flood.awkward/items"]["get"]["parameters"]
    known = [described["components"]["parameters"][each["$ref"].rpartition("/")[2]] for each in asked]
    assert {"name", "status", "people", "bbox", "filter"} <= {each["name"] for each in known}
    assert {each["schema"].get("type") for each in known if each["name"] == "people"} == {"integer"}


def test_every_answer_is_what_the_description_says(site: Site) -> None:
    from openapi_schema_validator import OAS30Validator

    described = site.json(f"{STUDY}/api")
    paths = [
        path.replace("{featureId}", "c1") for path in described["paths"] if "{" not in path or "communities" in path
    ]
    for path in paths:
        template = path.replace("/c1", "/{featureId}")
        (media, content), *_ = described["paths"][template]["get"]["responses"]["200"]["content"].items()
        answer = site.get(STUDY + path.rstrip("/"))
        assert answer.headers["content-type"] == media
        schema = {**content["schema"], "components": described["components"]}
        OAS30Validator(schema).validate(answer.json())


def test_features_of_each_layer_are_those_of_the_run(site: Site) -> None:
    for name in ("communities", "demand", "shelters", "streets", "cut_off", "awkward"):
        found = site.json(f"{site.of_run}/collections/{name}/items", limit=100)["features"]
        table = site.run.table(name)
        assert len(found) == len(table)
        for feature, (_, row) in zip(found, table.iterrows(), strict=True):
            shape = feature["geometry"] and shapely.from_geojson(json.dumps(feature["geometry"]))
            assert shape is row["geometry"] is None or shapely.equals_exact(shape, row["geometry"])
            for column, value in feature["properties"].items():
                kept = row[column]
                assert value == (None if kept is None or kept != kept else str(kept) if column == "seen" else kept)


def test_one_feature_is_found_by_any_id(site: Site) -> None:
    for name in site.table["row_id"][:3]:
        one = site.json(f"{site.items}/{quote(name, safe='')}")
        assert (one["id"], one["properties"]["row_id"]) == (name, name)
        assert site.json(links(one)["self"])["id"] == name
        assert site.json(f"{site.items}/{quote(name)}")["properties"] == one["properties"]
    for name in ("none", "0", "-1", "..%2f..%2fetc%2fpasswd", "%00", "a" * 500):
        assert site.json(f"{site.items}/{name}", 404)["code"] == "not-found"


def test_rows_without_a_name_are_numbered(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    whole = outcome()
    twice = gpd.GeoDataFrame({"item_id": ["a", "a"], "n": [1, 2]}, geometry=[shapely.Point(0, 0)] * 2, crs=CRS)
    run = made.save(recipe(made.study("kampen").file, 1), type(whole)({"twice": twice}))
    client = TestClient(create_app(Settings(workspace=made.path)))
    base = f"{STUDY}/runs/{run.run_id}/collections/twice/items"
    assert [each["id"] for each in client.get(base).json()["features"]] == [1, 2]
    assert client.get(f"{base}/2").json()["properties"]["n"] == 2
    assert [client.get(f"{base}/{name}").status_code for name in ("0", "3", "02", "²", "9" * 30)] == [404] * 5


# -- pages ---------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(1, 40), box=st.none() | boxes, tree=st.none() | conditions)
def test_turning_pages_gives_every_feature_once(site: Site, limit: int, box: Any, tree: Any) -> None:
    query: dict[str, object] = {"limit": limit}
    expected = np.ones(ROWS, dtype=bool)
    if box is not None:
        query["bbox"] = ",".join(map(repr, shapely.bounds(box).tolist()))
        expected &= site.table.geometry.intersects(box).to_numpy()
    text = written(tree) if tree is not None else ""
    if text and len(text) <= 2000:
        query["filter"] = text
        rows = matching(parse(text), opened(site.run.file("awkward", "table")))
        expected &= np.isin(np.arange(ROWS), rows)
    page, seen, turns = site.json(site.items, **query), [], 0
    while True:
        assert page["numberReturned"] == len(page["features"]) <= limit
        assert page["numberMatched"] == expected.sum()
        seen += [feature["id"] for feature in page["features"]]
        if "next" not in links(page):
            break
        page, turns = site.json(links(page)["next"]), turns + 1
    assert seen == site.table["row_id"][expected].tolist()
    back = page
    for _ in range(turns):
        back = site.json(links(back)["prev"])
    assert "prev" not in links(back) and [f["id"] for f in back["features"]] == seen[:limit]


def test_pages_of_the_latest_run_stay_in_it_when_another_comes(tmp_path: Path) -> None:
    site = Site(tmp_path)
    first = site.json(f"{STUDY}/collections/flood.awkward/items", limit=60)
    whole = outcome()
    again = site.workspace.save(recipe(site.workspace.study("kampen").file, 1, other=1), type(whole)(whole.tables))
    site.workspace.mark_latest(again)
    assert site.json(f"{STUDY}/collections/flood.awkward", 404)["code"] == "not-found"
    rest = site.json(links(first)["next"])
    assert len({f["id"] for page in (first, rest) for f in page["features"]}) == ROWS


def test_limits_are_published_and_kept(tmp_path: Path) -> None:
    site = Site(tmp_path, ogc_limit_max=20, ogc_filter_chars=100, ogc_filter_depth=4)
    limits = {limit["name"]: limit["value"] for limit in site.json("/limits")["limits"]}
    assert {"ogc_limit_max": 20, "ogc_filter_chars": 100, "ogc_filter_depth": 4}.items() <= limits.items()
    assert len(site.json(site.items, limit=10_000)["features"]) == 20
    assert len(site.json(site.items)["features"]) == 10
    assert site.json(f"{STUDY}/api")["components"]["parameters"]["limit"]["schema"]["maximum"] == 20
    assert site.json(site.items, 413, filter="people = 1" + " " * 100)["code"] == "limit-filter_chars"
    assert site.json(site.items, 413, filter="(((((people = 1)))))")["code"] == "limit-filter_depth"


def test_layers_are_let_go_by_number_and_by_weight(tmp_path: Path) -> None:
    for changes in ({"ogc_open_layers": 1}, {"ogc_memory": 0}):
        folder = tmp_path / next(iter(changes))
        folder.mkdir()
        site = Site(folder, **changes)
        for name in ("awkward", "demand", "streets", "awkward"):
            assert site.json(f"{site.of_run}/collections/{name}/items")["numberMatched"]
            assert "(1 layers open)" in repr(site.client.app.state.service.shelf)


# -- questions -----------------------------------------------------------------------------------------------------


def test_columns_are_parameters(site: Site) -> None:
    table = site.table
    asked = {"status": "bad", "open": "true", "people": "4"}
    wanted = (table["status"] == "bad") & table["open"] & (table["people"] == 4)
    assert [f["id"] for f in site.json(site.items, limit=99, **asked)["features"]] == table["row_id"][wanted].tolist()
    assert site.json(site.items, name="坎彭")["numberMatched"] == (table["name"] == "坎彭").sum()
    assert site.json(site.items, seen="2023-01-30")["numberMatched"] > 0
    assert site.json(site.items, never="x")["numberMatched"] == 0


REFUSED = [
    ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=a", "limit"), ("limit=1e3", "limit"), ("limit=٣", "limit"),
    ("offset=-1", "offset"), ("offset=99999999999", "offset"), ("bbox=1,2,3", "bbox"), ("bbox=1,2,3,nan", "bbox"),
    ("bbox=1,3,2,2", "bbox"), ("bbox=", "bbox"), ("bbox=a,b,c,d", "bbox"), ("bbox=1,2,3,4,5", "bbox"),
    (f"bbox=2,1,1,3&bbox-crs={quote(WEB)}", "bbox"), ("bbox-crs=EPSG:1", "bbox-crs"), ("crs=EPSG:4326", "crs"),
    ("filter-crs=x", "filter-crs"), ("filter-lang=cql2-json", "filter-lang"), ("f=xml", "f"),
    ("datetime=yesterday", "datetime"),
    ("people=x", "people"), ("people=nan", "people"), ("open=maybe", "open"), ("seen=2023-13-01", "seen"),
    ("colour=red", "colour"), ("limit=1&limit=2", "limit"), ("filter=people%20%3D", "filter"),
    ("filter=colour%20%3D%201", "colour"),
    ("filter=people%20%3D%20'x'", "filter"), ("filter=S_WITHIN(geometry,POINT(a b))", "filter"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "where"), REFUSED)
def test_what_cannot_be_understood_is_refused(site: Site, query: str, where: str) -> None:
    answer = site.get(f"{site.items}?{query}", 400)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "query"
    assert any(where in fault["where"] + fault["found"] for fault in problem["faults"])


def test_every_fault_is_told_at_once_and_columns_are_named(site: Site) -> None:
    faults = site.json(f"{site.items}?limit=0&bbox=1&people=x&filter=(", 400)["faults"]
    assert [fault["where"].split(",")[0] for fault in faults] == ["limit", "bbox", "filter", "people"]
    assert "row_id, name, status" in site.json(site.items, 400, filter="colour = 1")["detail"]
    zh = site.get(f"{site.items}?limit=0", 400, headers={"Accept-Language": "zh-CN"}).json()
    assert zh["title"] == "查询不符合要求"


@pytest.mark.parametrize("path", [
    "", "/conformance", "/api", "/collections", "/collections/communities", "/collections/communities/queryables",
    "/collections/communities/items/c1",
])  # fmt: skip
def test_every_address_refuses_what_it_does_not_know(site: Site, path: str) -> None:
    assert site.json(f"{site.of_run}{path}?limit_=1", 400)["code"] == "query"
    assert site.get(f"{site.of_run}{path}?f=html").headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("part", ["%2e%2e", "..%2f..%2fetc", "a" * 300, quote("坎彭"), "%00", "' OR 1=1", "{{7*7}}"])
def test_hostile_names_are_not_found(site: Site, part: str) -> None:
    for path in (
        f"/ogc/{part}",
        f"{STUDY}/runs/{part}",
        f"{STUDY}/collections/{part}",
        f"{STUDY}/collections/{part}/items",
    ):
        answer = site.client.get(path)
        assert answer.status_code == 404
        assert str(site.workspace.path) not in answer.text


def test_a_run_of_another_study_is_not_found(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.workspace.create(study_file("delft"), {"osm": extract(tmp_path)})
    assert site.json(f"/ogc/delft/runs/{site.run.run_id}", 404)["code"] == "not-found"
    assert site.json("/ogc/delft/collections")["collections"] == []


def test_boxes_reach_across_the_antimeridian(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    points = [shapely.Point(lon, -17) for lon in (179.5, -179.5, 0)]
    fiji = gpd.GeoDataFrame({"place_id": ["west", "east", "far"]}, geometry=points, crs=4326)
    whole = outcome()
    run = made.save(recipe(made.study("kampen").file, 1), type(whole)({"places": fiji}))
    client = TestClient(create_app(Settings(workspace=made.path)))
    base = f"{STUDY}/runs/{run.run_id}/collections/places/items"
    found = [
        {f["id"] for f in client.get(base, params=query).json()["features"]}
        for query in ({"bbox": "179,-18,-179,-16"}, {"bbox": "179,-18,0,-179,-16,9"}, {"bbox": "-180,-18,-179,-16"},
                      {"bbox": "-18,179,-16,-179", "bbox-crs": LAT_LON})
    ]  # fmt: skip
    assert found == [{"west", "east"}, {"west", "east"}, {"east"}, {"west", "east"}]


def test_times_have_every_feature(site: Site) -> None:
    for time in ("2023-01-30", "2023-01-30T12:00:00Z", "2023-01-30T12:00:00+08:00/..", "../2023-01-30", "/2023-01-30"):
        assert site.json(site.items, datetime=time)["numberMatched"] == ROWS


# -- coordinate systems --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uri", "code", "turned"), [
    (CRS84_URI, 4326, False), (LAT_LON, 4326, True), (WEB, 3857, False), (UTM, 32631, False),
])  # fmt: skip
def test_features_come_in_the_system_asked_for(site: Site, uri: str, code: int, turned: bool) -> None:
    answer = site.get(site.items, limit=100, crs=uri)
    assert answer.headers["content-crs"] == f"<{uri}>"
    expected = site.table.to_crs(code).geometry
    for feature, shape in zip(answer.json()["features"], expected, strict=True):
        if shape is None:
            assert feature["geometry"] is None
            continue
        found = shapely.from_geojson(json.dumps(feature["geometry"]))
        plain = shapely.transform(found, lambda xy: xy[:, ::-1]) if turned else found
        assert shapely.equals_exact(plain, shape, tolerance=1e-6 if code == 4326 else 0.002)
    one = site.get(f"{site.items}/{quote(site.table['row_id'][0], safe='')}", crs=uri)
    assert one.headers["content-crs"] == f"<{uri}>"
    assert one.json()["geometry"] == answer.json()["features"][0]["geometry"]


def test_boxes_and_filters_are_given_in_the_system_they_say(site: Site) -> None:
    metric = site.table.to_crs(32631)
    west, south, east, north = metric.total_bounds
    box = shapely.box(west + 333, south + 333, east - 777, north - 555)
    expected = set(site.table["row_id"][metric.intersects(box)])
    assert 0 < len(expected) < ROWS
    edges = ",".join(map(str, box.bounds))
    by_box = site.json(site.items, limit=100, bbox=edges, **{"bbox-crs": UTM})
    assert {f["id"] for f in by_box["features"]} == expected
    by_filter = site.json(site.items, limit=100, filter=f"S_INTERSECTS(geometry, {box.wkt})", **{"filter-crs": UTM})
    assert {f["id"] for f in by_filter["features"]} == expected
    first = site.table.geometry[0].centroid
    point = f"S_INTERSECTS(geometry, POINT({first.y} {first.x}))"
    assert site.json(site.items, filter=point, **{"filter-crs": LAT_LON})["numberMatched"] > 0
    assert site.json(site.items, filter=point)["numberMatched"] == 0


def test_a_chinese_grid_says_northing_before_easting() -> None:
    from app.ogc.crs import of_code

    nanjing = of_code("EPSG:4549")
    assert nanjing is not None and nanjing.northing_first
    (point,) = nanjing.from_degrees(np.array([shapely.Point(118.8, 32.05)], dtype=object))
    assert (round(point.x, -3), round(point.y, -3)) == (3_548_000, 387_000)
    assert shapely.distance(nanjing.to_degrees(point), shapely.Point(118.8, 32.05)) < 1e-7
    box = nanjing.box(point.x - 10, point.y - 10, point.x + 10, point.y + 10)
    assert shapely.contains(box, shapely.Point(118.8, 32.05))


# -- headers and pages ---------------------------------------------------------------------------------------------


def test_answers_are_kept_by_readers(site: Site) -> None:
    paths = [STUDY, f"{STUDY}/api", f"{STUDY}/collections", site.items, f"{site.items}?limit=3", f"{site.items}?f=html",
             f"{STUDY}/collections/flood.communities/items/c1"]  # fmt: skip
    tags = []
    for path in paths:
        first = site.client.get(path, headers={"accept-encoding": "gzip"})
        again = site.client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert {"Accept", "Accept-Encoding"} <= set(first.headers["vary"].split(", "))
        tags.append(first.headers["etag"])
    assert len(set(tags)) == len(tags)
    with site.client.stream("GET", f"{site.items}?limit=60", headers={"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
    assert site.get(site.items).headers["cache-control"].endswith("max-age=3600")
    assert site.get(STUDY).headers["cache-control"].endswith("no-cache")


@pytest.mark.parametrize(("accept", "form"), [
    ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"), ("*/*", "application/geo+json"),
    ("application/geo+json, application/json", "application/geo+json"), ("image/png", "application/geo+json"),
    ("text/html;q=0.3, application/json", "application/geo+json"),
])  # fmt: skip
def test_readers_get_the_form_they_would_rather_have(site: Site, accept: str, form: str) -> None:
    assert site.get(site.items, headers={"accept": accept}).headers["content-type"].startswith(form)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_are_strict_and_show_no_data_as_markup(site: Site, lang: str) -> None:
    communities = f"{site.of_run}/collections/communities"
    paths = [STUDY, site.of_run, f"{STUDY}/conformance", f"{STUDY}/collections", f"{STUDY}/api", communities,
             f"{communities}/queryables", f"{communities}/items", f"{communities}/items/c1", site.items,
             f"{site.items}?limit=5&offset=5", f"{site.items}/{quote(site.table['row_id'][0], safe='')}"]  # fmt: skip
    for path in paths:
        answer = site.get(path, f="html", lang=lang)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "sandbox" in policy and "unsafe" not in policy
        assert HOSTILE not in answer.text and "<script" not in answer.text and "<b>&" not in answer.text
        for way in re.findall(r'href="(/ogc[^"]*)"', answer.text):
            assert site.client.get(way.replace("&amp;", "&")).status_code == 200, way
        if not path.endswith("/api"):
            assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in answer.text
            assert "© OpenStreetMap contributors" in answer.text
