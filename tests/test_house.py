"""The rules of the house, held against the source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from statistics import median

import pytest

from tests.source import PARTS, ROOT, circle, graph, modules

KNOWS = {"app": {"app", "geo", "data", "tiles"}, "data": {"data", "geo"}, "geo": {"geo"}, "tiles": {"tiles"}}
# The reading order of geo: a module imports only those before it.
ORDER = [
    *("errors", "crs", "shifts", "tables", "standards", "curves", "tags", "conditions", "profiles", "reasons"),
    *("network", "lattice", "snapping", "access", "speeds", "turns"),
    *("buckets", "dissection", "contraction", "hierarchy"),
    *("offsets", "routing", "search", "updates", "reach", "paths", "splits", "detours"),
    *("pairs", "gates", "trails", "reaching", "exchange", "ties", "assignment", "redealt"),
    *("traversal", "hazards", "levels", "slowing", "exposures", "terrain", "usable"),
    *("widths", "directions", "tradeoffs"),
    *("frames", "windows", "nearness", "composite", "derived"),
    *("completeness", "membership", "parts", "overlays", "boundaries", "cells", "rings", "outline"),
    *("headcount", "groups", "standing", "dwellings", "heights"),
    *("fit", "blocks", "balance", "naming_ground", "grids", "parentage"),
    *("population", "communities", "facilities", "tiers", "ground", "shelters"),
    *("evacuation", "displaced", "refuge", "clearance", "departures"),
    *("closures", "critical", "redundancy", "isolation"),
    *("thresholds",),
    *("needs", "goods", "depots", "delivery", "ways_out"),
    *("costs",),
    *("rules", "uses", "traced", "pieces", "steep", "sources", "setbacks", "setback_tables", "verdict_words"),
    *("zoning", "claimed", "retreat", "joining", "regions", "covering", "open_land", "reserve"),
    *("trunk_roads", "rubble", "ways_in", "fire_lanes", "access_words", "access_audit"),
    *("thinning", "twofold", "cutting", "lifelines", "lifeline_map", "suitability", "chains", "siting"),
    *("services", "circles", "causes", "territories", "coverage", "summary", "rollup", "city", "dangers", "rating"),
    *("scores", "index"),
    *("tallies", "lengths", "readied", "protected", "land", "nights", "situation", "provisions", "analyses", "what_if"),
    *("openings", "conversion_words", "convertible", "conversions"),
    *("stages", "site_check"),
    *("corridors", "footbridges", "cure_words", "remedies", "cures", "plan", "one_point", "sensitivity"),
]
NAMELESS = {"utils", "util", "common", "helpers", "helper", "base", "misc"}
FOREIGN_TO_GEO = {
    *("fastapi", "starlette", "uvicorn", "typer", "click", "rich", "jinja2"),
    *("folium", "branca", "mapbox_vector_tile", "mercantile", "matplotlib", "PIL"),
    *("rasterio", "pyogrio", "fiona", "osmium", "osmnx", "pyrosm", "httpx", "httpx2", "requests"),
}
REGISTRIES = re.compile(
    r"https?://[^\s\"'<>)]*(?:pypi\.|pythonhosted|npmjs|registry\.|/simple/|mirror|artifactory|nexus|devpi|proxy\.golang)",
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:work|farm|root|home|Users|opt/wheels|tmp/bash_jobs)/")
LARGEST_BYTES = 500_000


def tracked() -> list[Path]:
    """What git has, or would take with the next ``git add``."""
    listing = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, capture_output=True, check=True).stdout.decode().split("\0")
    return [file for name in names if name and (file := ROOT / name).is_file()]


def readable(file: Path) -> str:
    """The text of a file; empty for one that is not text."""
    content = file.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8")


def test_arrows_between_the_packages() -> None:
    wrong = [
        f"{module.name} imports {name}"
        for module in modules().values()
        for name in module.imports()
        if (top := name.split(".")[0]) in PARTS and top not in KNOWS[module.part]
    ]
    assert wrong == []


def test_every_module_of_geo_has_a_place_in_the_order() -> None:
    names = {name.split(".")[1] for name in modules("geo") if "." in name}
    assert names - set(ORDER) == set()


def test_modules_of_geo_import_only_earlier_ones() -> None:
    place = {f"geo.{name}": index for index, name in enumerate(ORDER)}
    wrong = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if name in place and other in place and place[other] >= place[name]
    ]
    assert wrong == []


def test_no_circles() -> None:
    assert circle(graph()) == []


def test_a_circle_would_be_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_function_budget() -> None:
    functions = [function for module in modules().values() for function in module.functions()]
    lengths = sorted(function.lines for function in functions)
    assert [function for function in functions if function.lines > 60] == []
    assert median(lengths) <= 8
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 25


def test_files_have_at_most_500_lines() -> None:
    files = [*(module.file for module in modules().values()), *(ROOT / "tests").rglob("*.py")]
    assert [file.name for file in files if file.read_text(encoding="utf-8").count("\n") > 500] == []


def test_no_module_without_a_noun() -> None:
    assert [name for name in modules() if NAMELESS & set(name.split("."))] == []


def test_what_is_public_says_what_it_is() -> None:
    silent = [
        f"{module.name}.{node.name}"
        for module in modules().values()
        for node in module.public()
        if not ast.get_docstring(node)
    ]
    silent += [name for name, module in modules().items() if module.text.strip() and not ast.get_docstring(module.tree)]
    assert silent == []


def test_annotations_are_not_run() -> None:
    first = "from __future__ import annotations"
    told = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.AnnAssign)
    code = [module for module in modules().values() if any(isinstance(node, told) for node in module.tree.body)]
    without = [module.name for module in code if first not in module.text.splitlines()]
    assert without == []


def loaded_with(names: list[str]) -> set[str]:
    """The top-level names that a fresh process has after importing ``names``."""
    script = f"import sys\nfor name in {names!r}: __import__(name)\nprint(*{{n.split('.')[0] for n in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_geo_loads_alone() -> None:
    assert loaded_with(list(modules("geo"))) & (FOREIGN_TO_GEO | {"app", "data", "tiles"}) == set()


def test_assets_load_with_the_standard_library_only() -> None:
    foreign = loaded_with(["app.assets.bring"]) - loaded_with([]) - set(sys.stdlib_module_names)
    assert foreign == {"app", "geo"}


def test_every_test_can_fail() -> None:
    """A test holds an assert, expects an error, or calls a function of the tests that does."""
    functions = {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}": node
        for file in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    checks = {node.name for node in functions.values() if can_fail(node, set())}
    assert [
        where for where, node in functions.items() if node.name.startswith("test_") and not can_fail(node, checks)
    ] == []


def can_fail(function: ast.FunctionDef | ast.AsyncFunctionDef, checks: set[str]) -> bool:
    """Whether something in the function is an assertion, or a call of one."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    called = names & (checks | {"raises", "warns", "fail"}) or any(name.startswith("assert") for name in names)
    return bool(called) or any(isinstance(node, ast.Assert) for node in ast.walk(function))


@pytest.mark.parametrize(("what", "pattern"), [("registry address", REGISTRIES), ("machine path", MACHINE_PATHS)])
def test_no_file_names_a(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {what}"
        for file in tracked()
        for number, line in enumerate(readable(file).splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_no_large_files() -> None:
    assert [file.name for file in tracked() if file.stat().st_size > LARGEST_BYTES] == []


def pins(lock: str) -> set[tuple[str, str]]:
    """Name and version of every requirement in a lock."""
    return set(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_hold_names_versions_hashes_and_no_address(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    shape = re.compile(r"[a-z0-9._-]+==\S+( ; .*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    #( .*)?")
    assert [line for line in lines if not shape.fullmatch(line)] == []
    assert not any("://" in line for line in lines)


def test_locks_cover_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs, groups = project["project"], project["dependency-groups"]
    needed = [*needs["dependencies"], *needs["optional-dependencies"]["sample"], *groups["setup"]]
    assert names_of(needed) - {name for name, _ in pins("requirements.lock")} == set()
    assert names_of(groups["dev"]) - {name for name, _ in pins("requirements-dev.lock")} == set()
    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def names_of(requirements: list[str]) -> set[str]:
    """Normalised project names without extras and versions."""
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name.group()).lower() for name in names if name}


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert import_module("app").__version__ == project["version"]
