"""The front-end files: the list, how they are brought, what is refused. npm is the real one."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from app import assets
from app.assets import Asset, bring, listing
from geo.errors import FileMissingError, NotFoundError, UnreadableError

SCRIPT = b"console.log(1)\n"


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asset:
    """A package in a folder, which npm packs as it packs one of a registry; an own npm cache, no registry."""
    source = tmp_path / "probe"
    source.mkdir()
    (source / "package.json").write_text(json.dumps({"name": "probe", "version": "1.0.0", "license": "MIT"}))
    (source / "a.js").write_bytes(SCRIPT)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    return Asset("probe", f"file:{source}", "MIT", "a.js", "probe/a.js", hashlib.sha256(SCRIPT).hexdigest())


def archive(path: Path, *members: tarfile.TarInfo) -> Path:
    """A .tgz with the members, each as full of SCRIPT as its size says."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(SCRIPT))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(SCRIPT) if kind == tarfile.REGTYPE else 0
    return info


def test_everything_listed_is_here_with_the_right_bytes() -> None:
    assert assets.listed()
    assert [asset.name for asset in assets.listed() if not bring.is_there(asset, assets.folder())] == []


def test_every_entry_is_exact() -> None:
    for asset in assets.listed():
        assert re.fullmatch(r"[0-9a-f]{64}", asset.sha256), asset
        assert re.fullmatch(r"\d+\.\d+\.\d+", asset.version), asset
        assert asset.licence


def test_every_package_brings_its_licence_text() -> None:
    with_text = {asset.package for asset in assets.listed() if "LICENSE" in asset.take.upper()}
    assert {asset.package for asset in assets.listed()} == with_text


def test_path_knows_only_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert assets.path("leaflet/leaflet.js").read_bytes().startswith(b"/* @preserve")
    with pytest.raises(NotFoundError, match=r"expected a file of assets\.toml, found \.\./secret"):
        assets.path("../secret")
    monkeypatch.setenv("RENXING_ASSETS", str(tmp_path))
    with pytest.raises(FileMissingError, match="make assets"):
        assets.path("leaflet/leaflet.js")


def test_brings_what_is_missing_once(probe: Asset, tmp_path: Path) -> None:
    assert bring.bring([probe], tmp_path / "out") == [probe]
    assert (tmp_path / "out/probe/a.js").read_bytes() == SCRIPT
    assert bring.bring([probe], tmp_path / "out") == []
    (tmp_path / "out/probe/a.js").write_bytes(b"changed")
    assert bring.bring([probe], tmp_path / "out") == [probe]
    assert [file.name for file in (tmp_path / "out/probe").iterdir()] == ["a.js"]


def test_npm_from_the_wheel_does_the_same(probe: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bring.bring([probe], tmp_path / "out") == [probe]


def test_says_everything_that_does_not_fit_and_keeps_the_rest(probe: Asset, tmp_path: Path) -> None:
    other = replace(probe, name="probe/b.js", sha256="0" * 64)
    third = replace(probe, name="probe/c.js", take="gone.js")
    with pytest.raises(UnreadableError) as caught:
        bring.bring([other, probe, third], tmp_path / "out")
    assert [fault.expected for fault in caught.value.faults] == [
        f"sha256 {'0' * 64}",
        f"a file of at most {bring.LARGEST_BYTES} bytes in the package",
    ]
    assert caught.value.faults[0].found == probe.sha256
    assert [file.name for file in (tmp_path / "out/probe").iterdir()] == ["a.js"]


def test_a_registry_out_of_reach_is_said(probe: Asset, tmp_path: Path) -> None:
    far = replace(probe, package="leaflet", version="1.9.4")
    with pytest.raises(FileMissingError, match=r"expected the npm package leaflet@1\.9\.4, found .*ECONNREFUSED"):
        bring.bring([far], tmp_path / "out")


def test_nothing_but_listed_plain_files_is_read(tmp_path: Path) -> None:
    evil = archive(
        tmp_path / "evil.tgz",
        member("package/a.js"),
        member("../../outside.js"),
        member("package/link.js", tarfile.SYMTYPE, "/etc/hostname"),
        member("package/hard.js", tarfile.LNKTYPE, "package/a.js"),
    )
    takes = {"a.js", "link.js", "hard.js", "outside.js"}
    assert bring.read_members(evil, "evil@1", takes) == {"a.js": SCRIPT}
    assert [file.name for file in tmp_path.iterdir()] == ["evil.tgz"]


def test_a_torn_archive_is_refused(tmp_path: Path) -> None:
    torn = archive(tmp_path / "torn.tgz", member("package/a.js"))
    torn.write_bytes(torn.read_bytes()[:40])
    with pytest.raises(UnreadableError, match="an npm archive"):
        bring.read_members(torn, "torn@1", {"a.js"})


def test_a_list_with_faults_tells_them_all(tmp_path: Path) -> None:
    wrong = tmp_path / "assets.toml"
    wrong.write_text(
        '[[package]]\nname = "a"\nversion = "1.0.0"\nfiles = [\n'
        '{ take = "x.js", as = "../x.js" }, { take = "y.js", as = "/y.js" }, { take = "z.js" } ]\n'
    )
    with pytest.raises(UnreadableError) as caught:
        listing.listed(wrong)
    assert [fault.found for fault in caught.value.faults] == [
        "only files, name, version",
        "'../x.js'",
        "'/y.js'",
        "only take",
        "''",
    ]


def test_a_list_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "assets.toml"
    wrong.write_text("[[package\n")
    with pytest.raises(UnreadableError, match=r"assets\.toml: expected a TOML file"):
        listing.listed(wrong)


def test_the_command_prints_lines_to_paste(probe: Asset, capsys: pytest.CaptureFixture[str]) -> None:
    bring.print_hashes([replace(probe, sha256="")])
    line = f'    {{ take = "a.js", as = "probe/a.js", sha256 = "{probe.sha256}" }},'
    assert line in capsys.readouterr().out.splitlines()
