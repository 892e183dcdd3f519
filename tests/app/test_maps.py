"""Map pages: no word of the data becomes markup or script, nothing is asked of other hosts, the policy is strict."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.maps import guard, index, page
from app.maps.index import IndexView, StudyCard
from app.maps.verbatim import LocalMap, Page, Verbatim
from app.maps.view import Choice, MapView, Number, Standing, Urls
from app.showing import Shown
from tests.app.hand_made import saved
from tests.source import ROOT
from tiles.layer import Field, Row
from tiles.style import Class, Symbol
from tiles.text import Text

STATIC = ROOT / "app" / "maps" / "static"
WORDS = [
    "{{7*7}}", "{% raw %}{{ 7 }}", "{# x #}", "</script><script>alert(1)</script>", "<!--<script>", "]]>",
    '"><img src=x onerror=alert(1)>', "' onload='alert(1)", "${7*7}", "`", "\\u003c/script>", "\u2028", "坎彭 & <b>",
]  # fmt: skip
URLS = Urls(geojson="/g/{table}", mvt="/m/{table}/{z}/{x}/{y}", png="/p/{table}/{z}/{x}/{y}", base="/b/{z}/{x}/{y}")
BOUNDS = (5.8, 52.5, 5.9, 52.6)


def view(word: str = "Kampen", lang: str = "zh", **changes: Any) -> MapView:
    """A page with ``word`` wherever a word of the data or of a user can go."""
    text = Text(word, word)
    everywhere: dict[str, Any] = {
        "title": text, "scenario": text, "notes": (text,), "attribution": (word,), "version": word, "layers": (),
        "numbers": (Number("people", text, 12.0),), "scenarios": (Choice(text, "/a", note=text), Choice(text, "/b")),
        "languages": (Choice(text, "/c"), Choice(text, "/d")), "bounds": BOUNDS, "urls": URLS,
        "communities": (Standing(word, text, word, 1, 1, text, BOUNDS),),
    }  # fmt: skip
    return MapView(lang=lang, **(everywhere | changes))


class Tags(HTMLParser):
    """The tags of a page, in their order, and the text of its JSON block."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.json, self._in_json = "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_json = ("type", "application/json") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._in_json = False

    def handle_data(self, data: str) -> None:
        self.json += data if self._in_json else ""


PLAIN = Tags(page.render(view("x")).html)


@pytest.mark.parametrize("word", WORDS)
def test_hostile_words_stay_words(word: str) -> None:
    made = page.render(view(word)).html
    read = Tags(made)
    assert read.tags == PLAIN.tags
    told = orjson.loads(read.json)
    assert told["title"] == told["notes"][0] == told["communities"][0]["reason"] == word
    assert f"<title>{escape(word)} ·" in made
    assert "<" not in word or word not in made


@given(st.text(max_size=40))
def test_any_words_stay_words(word: str) -> None:
    read = Tags(page.render(view(word)).html)
    assert read.tags == PLAIN.tags
    assert orjson.loads(read.json)["scenario"] == word


@given(st.text(max_size=40))
def test_json_cannot_end_its_element(word: str) -> None:
    text = guard.json_for_html({word: [word]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert orjson.loads(text) == {word: [word]}


def test_layers_are_told_without_their_features(tmp_path: Path) -> None:
    layers = tuple(Shown(saved(tmp_path)[1]).layers)
    made = page.render(view(layers=tuple(layer.bare() for layer in layers)))
    told = {layer["id"]: layer for layer in orjson.loads(Tags(made.html).json)["layers"]}
    assert told["communities"]["title"] == "社区风险"
    assert next(field for field in told["shelters"]["fields"] if field["column"] == "tier") == {
        "column": "tier", "kind": "code", "normal": "", "needs": "", "lacks": "", "only_some": False,
        "label": "级别", "unit": "", "missing": "",
        "codes": {"emergency": "紧急", "short": "短期", "mid": "中期", "long": "长期", "central": "中心"},
    }  # fmt: skip
    assert told["demand"]["style"]["uppers"][:2] == [180, 360]
    assert told["hazard_flood"]["delivery"] == "png"
    assert "alert(1)" not in made.html


def test_words_in_layers_are_only_words(tmp_path: Path) -> None:
    layer = Shown(saved(tmp_path)[1]).layers[1].bare()
    for word in WORDS:
        text = Text(word, word)
        look = replace(layer.style, classes=(Class(text, Symbol(), (word,)),), unit=text)
        row = Row(text, Symbol())
        worst = replace(layer, title=text, note=text, fields=(Field(word, text, unit=text, codes={word: text}),),
                        legend=(row,), style=look)  # fmt: skip
        assert Tags(page.render(view(layers=(worst,))).html).tags == PLAIN.tags


def test_the_same_view_gives_the_same_page() -> None:
    assert page.render(view()) == page.render(view())


@pytest.mark.parametrize(("lang", "code"), [("zh", "zh-CN"), ("en", "en")])
def test_the_page_says_its_language(lang: str, code: str) -> None:
    assert f'<html lang="{code}">' in page.render(view(lang=lang)).html


def test_only_files_that_are_there_are_asked_for() -> None:
    asked = re.findall(r'(?:src|href)="([^"]+)"', page.render(view()).html)
    assert all(url.startswith("/static/") for url in asked)
    ours = [url.removeprefix("/static/") for url in asked if "/assets/" not in url]
    assert [name for name in ours if not (STATIC / name).is_file()] == []
    assert set(ours) == {file.name for file in STATIC.iterdir()} - {"index.css", "check.css", "ogc.css"}


def test_own_scripts_take_no_text_for_markup_or_code() -> None:
    """What the map page's scripts may not use: text made into markup or code, storage, and other hosts."""
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|localStorage|https?://(?!www\.w3\.org/2000/svg)"
    text = {file.name: file.read_text(encoding="utf-8") for file in STATIC.iterdir()}
    assert {name: found for name, script in text.items() if (found := re.findall(forbidden, script))} == {}


def policy(headers: dict[str, str]) -> dict[str, list[str]]:
    rules = [part.split() for part in headers["Content-Security-Policy"].split("; ")]
    return {name: values for name, *values in rules}


def test_the_policy_allows_this_page_and_nothing_else() -> None:
    made = page.render(view())
    rules = policy(made.headers)
    assert rules["default-src"] == ["'none'"]
    assert rules["sandbox"] == ["allow-scripts"]
    assert rules["connect-src"] == rules["style-src"] == ["'self'"]
    (inline,) = re.findall(r"<script>(.*?)</script>", made.html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert rules["script-src"] == ["'self'", f"'sha256-{digest}'"]
    assert "unsafe" not in str(made.headers)


FOREIGN = [
    '<script src="https://cdn.example/x.js"></script>', '<link href="//cdn.example/x.css">',
    "<img src=http://a.example/x>", "<script>fetch('https://a.example')</script>",
    "<style>@import url(//a.example/x)</style>", "<img src='\\\\a.example/x'>", "<p onclick='f()'>",
    "<p style='color:red'>", "<a href='javascript:alert(1)'>", "<img src=x onerror=alert(1)>",
    "<iframe srcdoc='<p>'></iframe>", "<script>import('wss://a.example')</script>",
]  # fmt: skip


@pytest.mark.parametrize("part", FOREIGN)
def test_a_page_that_reaches_out_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="not fit to be served"):
        guard.refuse_foreign(f"<!DOCTYPE html><html><body>{part}</body></html>")


def test_words_that_look_like_addresses_are_no_addresses() -> None:
    guard.refuse_foreign('<p>see https://www.openstreetmap.org/copyright</p><a href="/docs">docs</a>')
    assert "openstreetmap.org" in page.render(view("https://www.openstreetmap.org/copyright")).html


AWAY = ["https://a.example/x", "//a.example", "/\\a.example", "javascript:alert(1)", "x", "", "/a b", "\\\\a"]


@pytest.mark.parametrize("url", AWAY)
def test_addresses_that_leave_the_server_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="on this server"):
        view(urls=replace(URLS, base=url))
    with pytest.raises(ValueError, match="on this server"):
        view(scenarios=(Choice(Text("a", "a"), url),))


def test_a_language_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(ValueError, match="zh or en"):
        view(lang="fr")


def test_folium_brings_nothing_of_its_own() -> None:
    whole = Page(lang="en", title="{{7*7}}")
    whole.add_child(LocalMap(name="m", scripts=("/l.js",), styles=("/l.css",), location=[0, 0]))
    text = whole.render()
    assert re.findall(r'(?:src|href)="([^"]+)"', text) == ["/l.css", "/l.js"]
    assert "{{7*7}}" in text
    assert "49" not in text


def test_a_map_without_a_page_is_refused() -> None:
    alone = LocalMap(name="m", scripts=(), styles=())
    alone._parent = None
    with pytest.raises(TypeError, match="part of a page"):
        alone.render()


def test_verbatim_is_letter_for_letter() -> None:
    assert Verbatim("{{7*7}}{% raw %}<", "x").render() == "{{7*7}}{% raw %}<"


def card(word: str) -> IndexView:
    text = Text(word, word)
    choice = Choice(text, "/s", note=text)
    number = Number("people", text, 1234.0)
    study = StudyCard(
        text, "/s", text, (number, replace(number, value=None)), (choice, replace(choice, url="")), (choice,)
    )
    return IndexView("en", (study,), (choice,), (word,), "/docs", version=word)


@pytest.mark.parametrize("word", WORDS)
def test_hostile_words_stay_words_on_the_start_page(word: str) -> None:
    made = index.render(card(word))
    assert Tags(made.html).tags == Tags(index.render(card("x")).html).tags
    assert "49" not in made.html


def test_the_start_page_runs_no_script() -> None:
    made = index.render(card("Kampen"))
    rules = policy(made.headers)
    assert "script" not in Tags(made.html).tags
    assert rules["default-src"] == ["'none'"]
    assert "script-src" not in rules
    assert rules["sandbox"] == ["allow-downloads"]
    assert "1,234" in made.html
    assert "–" in made.html
    assert "Not computed yet" not in made.html.split("<small>")[1]


def test_a_start_page_without_studies_says_what_to_do() -> None:
    assert "renxing sample" in index.render(IndexView("zh", ())).html


def test_a_study_without_a_map_has_no_way_to_one() -> None:
    made = index.render(IndexView("en", (StudyCard(Text("甲", "A"), ""),))).html
    assert "<h2>A</h2>" in made
    assert "Open the map" not in made


def test_start_page_addresses_stay_here() -> None:
    with pytest.raises(ValueError, match="on this server"):
        IndexView("en", (StudyCard(Text("a", "a"), "https://a.example"),))
