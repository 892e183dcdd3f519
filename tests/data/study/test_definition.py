from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.hazards import HAZARDS
from data.study import Layer, Scenario, StudyFile
from data.study.definition import inside
from geo.errors import FileMissingError, InputError, UnreadableError

TEXT = """\
# The study of Kampen
format = 1
study_id = "kampen"
name = "Kampen"   # the town
name_zh = "坎彭"
crs = "EPSG:32631"

[[layers]]
layer_id = "osm"
kind = "osm"
file = "inputs/kampen.osm.pbf"   # from the provider

# One in a hundred years
[[layers]]
layer_id = "flood"
kind = "hazard"
file = "inputs/flood.tif"
hazard = "flood"
unit = "m"

[[scenarios]]
scenario_id = "normal"
name = "Normal"

[[scenarios]]
scenario_id = "wet"
name = "Flood"
state = "emergency"
hazards = ["flood"]

[parameters]
"walk.max_minutes" = 20   # as the mayor wants
"""


def load(folder: Path, text: str = TEXT) -> StudyFile:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return StudyFile.load(path)


def test_a_definition_is_read(tmp_path: Path) -> None:
    study = load(tmp_path)
    assert (study.study_id, study.name_zh, study.crs) == ("kampen", "坎彭", "EPSG:32631")
    assert study.hazard_layers().keys() == {"flood"}
    assert study.scenarios[1].hazards == ("flood",)
    assert study.parameters == {"walk.max_minutes": 20}


def test_what_is_not_changed_is_written_as_it_was(tmp_path: Path) -> None:
    assert load(tmp_path).dump() == TEXT


def test_an_edit_keeps_comments_and_order(tmp_path: Path) -> None:
    study = load(tmp_path)
    told = {"file": "inputs/people.csv", "crs": "EPSG:4326", "columns": {"people": "POP"}}
    people = Layer(layer_id="people", kind="population", **told)
    changed = study.model_copy(update={
        "layers": [*study.layers, people], "name": "Kampen aan de IJssel", "boundary": "inputs/boundary.geojson",
        "scenarios": [*study.scenarios, Scenario(scenario_id="alert", name="Warning", state="alert")],
        "parameters": {"walk.max_minutes": 15, "walk.speed_ms": 1.0},
    })  # fmt: skip
    text = changed.dump()
    assert [line for line in TEXT.splitlines() if "#" in line and "mayor" not in line and "the town" not in line] == [
        line for line in text.splitlines() if "#" in line and "mayor" not in line and "the town" not in line
    ]
    assert 'name = "Kampen aan de IJssel"   # the town' in text
    assert '"walk.max_minutes" = 15   # as the mayor wants' in text
    assert load(tmp_path, text) == changed
    assert load(tmp_path, text).dump() == text
    assert "\n\n\n" not in text


def test_layers_and_parameters_can_be_taken_out(tmp_path: Path) -> None:
    study = load(tmp_path)
    changed = study.model_copy(update={"layers": study.layers[:1], "scenarios": study.scenarios[:1], "parameters": {}})
    text = changed.dump()
    assert load(tmp_path, text) == changed
    assert "flood" not in text


def test_a_new_definition_is_written_and_read(tmp_path: Path) -> None:
    layer = Layer(layer_id="osm", kind="osm", file="inputs/a.osm")
    study = StudyFile(study_id="a", name="A", crs="EPSG:4549", layers=[layer])
    assert load(tmp_path, study.dump()) == study


def hazard(**more: object) -> str:
    told = {"hazard": "landslide", "unit": "level"} | more
    lines = "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in told.items())
    return TEXT.replace('hazard = "flood"\nunit = "m"\n', lines)


def test_hazards_of_every_kind_with_what_their_classes_stand_for(tmp_path: Path) -> None:
    text = hazard().replace('unit = "level"\n', 'unit = "level"\n\n[layers.classes]\n1 = 5\n4 = 0.0\nmany = 3\n')
    study = load(tmp_path, text)
    assert study.layers[1].classes == {"1": 5.0, "4": 0.0, "many": 3.0}
    assert load(tmp_path, study.dump()) == study
    again = study.model_copy(update={"layers": [*study.layers[:1], study.layers[1].model_copy(update={"classes": {}})]})
    assert load(tmp_path, again.dump()) == again


@pytest.mark.parametrize(("text", "said"), [
    (hazard(hazard="locusts"), f"a hazard of {', '.join(HAZARDS)}, found 'locusts'"),
    (hazard(unit="m"), "a unit of level, found 'm'"),
    (hazard(hazard="flood_velocity", unit="m"), "a unit of m/s, km/h, found 'm'"),
    (hazard().replace('unit = "level"\n', 'unit = "level"\nclasses = { many = inf }\n'), "many = inf"),
    (hazard().replace('unit = "level"\n', 'unit = "level"\ncolumns = { people = "A" }\n'), "found 'people'"),
    (hazard(hazard="waterside"), "found 'waterside'"),
    (hazard(derived=True).replace("True", "true"), "a derived hazard of waterside, "),
    (hazard(derived=True, hazard="waterside").replace("True", "true"), "no file of a derived hazard"),
    (hazard().replace('unit = "level"\n', 'unit = "level"\nclasses = { 1 = -1.0 }\n'), "1 = -1"),
    (TEXT.replace('kind = "osm"', 'kind = "osm"\nclasses = { 1 = 1.0 }'), "no classes on a layer of kind osm"),
    (TEXT.replace('kind = "osm"', 'kind = "elevation"\nconstants = { a = "b" }'), "constants on elevation"),
])  # fmt: skip
def test_what_a_hazard_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        load(tmp_path, text)
    assert said in str(raised.value)


words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20)
ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True)
lists = st.lists(words, min_size=1, max_size=2)
numbers = st.one_of(st.booleans(), st.integers(-1000, 1000), st.floats(0, 100), words, lists)


@given(st.lists(ids, unique=True, max_size=4), st.lists(ids, unique=True, max_size=3), words,
       st.dictionaries(st.from_regex(r"[a-z]{1,5}\.[a-z_]{1,9}", fullmatch=True), numbers, max_size=3))  # fmt: skip
def test_every_definition_survives_its_text(
    tmp_path_factory: pytest.TempPathFactory, layers: list[str], scenarios: list[str], name: str,
    parameters: dict[str, object],
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("s")
    parts = [Layer(layer_id=i, kind="osm", file=f"inputs/{i}.osm", source=name, licence=name) for i in layers]
    study = StudyFile(study_id="s", name=name, crs="EPSG:32631", layers=parts, parameters=parameters,
                      scenarios=[Scenario(scenario_id=i, name=name) for i in scenarios])  # fmt: skip
    assert load(folder, study.dump()) == study
    base = load(folder)
    changes = {field: getattr(study, field) for field in ("name", "layers", "scenarios", "parameters")}
    onto = base.model_copy(update=changes)
    assert load(folder, onto.dump()) == onto


def test_the_other_hours_of_a_hazard_in_force_count() -> None:
    def flood(name: str, hours: float | None, years: float | None = 100, hazard: str = "flood") -> Layer:
        return Layer(
            layer_id=name, kind="hazard", file=f"inputs/{name}.tif", hazard=hazard, unit="m", hours=hours,
            return_period_y=years,
        )  # fmt: skip

    layers = [
        Layer(layer_id="osm", kind="osm", file="inputs/town.osm"), flood("h0", 0), flood("h6", 6), flood("peak", None),
        flood("rare", 6, 200), flood("wave", 6, hazard="tsunami"),
    ]  # fmt: skip
    study = StudyFile(study_id="town", name="Town", crs="EPSG:32631", layers=layers)
    frames = {
        hazards: [layer.layer_id for layer in study.frames(Scenario(scenario_id="x", name="X", hazards=hazards))]
        for hazards in ((), ("h6",), ("peak",), ("rare", "h0"))
    }
    assert frames == {(): [], ("h6",): ["h0", "h6"], ("peak",): [], ("rare", "h0"): ["h0", "h6", "rare"]}
    counted = study.counted(Scenario(scenario_id="x", name="X", hazards=("h6", "peak")))
    assert [layer.layer_id for layer in counted] == ["osm", "h0", "h6", "peak"]


def test_parameters_may_be_written_as_tables(tmp_path: Path) -> None:
    text = TEXT.replace('[parameters]\n"walk.max_minutes" = 20', "[parameters.walk]\nmax_minutes = 20")
    study = load(tmp_path, text)
    assert study.parameters == {"walk.max_minutes": 20}
    assert study.dump() == text
    changed = study.model_copy(update={"parameters": {"walk.max_minutes": 25}})
    assert load(tmp_path, changed.dump()) == changed


def test_every_fault_at_once_with_its_line(tmp_path: Path) -> None:
    text = TEXT.replace('unit = "m"', 'unitt = "m"').replace('kind = "osm"', 'kind = "map"')
    text = text.replace("format = 1", "format = 2")
    with pytest.raises(InputError) as raised:
        load(tmp_path, text.replace('name = "Normal"\n', ""))
    said = str(raised.value)
    assert len(raised.value.faults) == 4
    for part in ("line 2: expected format", "line 10: expected layers.1.kind", "line 19:", "Did you mean unit?",
                 "line 21: expected a key scenarios.1.name"):  # fmt: skip
        assert part in said


@pytest.mark.parametrize(("old", "new", "said"), [
    ('layer_id = "flood"', 'layer_id = "osm"', "each layer_id once"),
    ('scenario_id = "wet"', 'scenario_id = "normal"', "each scenario_id once"),
    ('hazards = ["flood"]', 'hazards = ["drought"]', "'drought'"),
    ('hazard = "flood"', 'hazard = "locusts"', "a hazard of flood"),
    ('hazards = ["flood"]', 'hazards = ["flood"]\nclosures = [12]', "streets cannot be closed by hand"),
    ('unit = "m"', 'unit = "yards"', "m, cm, mm, ft"),
    ('file = "inputs/flood.tif"', 'file = "../flood.tif"', "inside the study's folder"),
    ('file = "inputs/flood.tif"', 'file = "/etc/passwd"', "inside the study's folder"),
    ('file = "inputs/flood.tif"', "", "inside the study's folder"),
    ('kind = "osm"', 'kind = "osm"\nunit = "m"', "no unit on a layer of kind osm"),
    ('kind = "osm"', 'kind = "osm"\ntime = "day"', "no time on a layer of kind osm"),
    ('unit = "m"', 'unit = "m"\ntime = "day"', "no time on a layer of kind hazard"),
    ('kind = "osm"', 'kind = "osm"\ncolumns = {a = "b"}', "columns only on"),
    ('crs = "EPSG:32631"', 'crs = "EPSG:32631"\nboundary = "../b.geojson"', "inside the study's folder"),
    ('study_id = "kampen"', 'study_id = "../kampen"', "line 3"),
])  # fmt: skip
def test_faults(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load(tmp_path, TEXT.replace(old, new))


def test_what_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="line 5"):
        load(tmp_path, TEXT.replace('name_zh = "坎彭"', "name_zh = 坎彭"))
    (tmp_path / "study.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(UnreadableError, match="UTF-8"):
        StudyFile.load(tmp_path / "study.toml")
    with pytest.raises(FileMissingError):
        StudyFile.load(tmp_path / "nothing.toml")


@pytest.mark.parametrize(("path", "is_inside"), [
    ("inputs/a.tif", True), ("a.tif", True), ("../a.tif", False), ("inputs/../../a", False), ("/a", False), ("", False),
    ("C:\\a.tif", False), ("inputs\\..\\..\\a", False),
])  # fmt: skip
def test_inside(path: str, is_inside: bool) -> None:
    assert inside(path) is is_inside


def test_the_rows_of_a_table_that_are_taken(tmp_path: Path) -> None:
    places = (
        '\n[[layers]]\nlayer_id = "halls"\nkind = "shelters"\nfile = "inputs/halls.gpkg"\nwhere = ["TYPE=School"]\n'
    )
    study = load(tmp_path, TEXT + places)
    assert study.layers[-1].where == ["TYPE=School"]
    assert 'where = ["TYPE=School"]' in study.dump()
    assert "where" not in load(tmp_path).dump()
    with pytest.raises(InputError, match=r"layer halls, where: expected COLUMN=VALUE.*'School'"):
        load(tmp_path, TEXT + places.replace("TYPE=", ""))
    with pytest.raises(InputError, match="where only on tables and hazards"):
        load(tmp_path, TEXT + places.replace('"shelters"', '"elevation"'))
