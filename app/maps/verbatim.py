"""Folium without its second look at text.

branca renders an element's macros and then makes a new template of what came out, so ``{{…}}`` in a name would be
computed, and nothing is escaped. Here the macros' output is added as it is, ids are ours (the same page has the same
bytes), and a map brings no file of others along but those named.
"""

from __future__ import annotations

import html
from typing import Any

import folium
from branca.element import CssLink, Element, Figure, JavascriptLink
from jinja2 import Template


class Verbatim(Element):
    """Text that goes out letter for letter. Whoever makes one answers for what is in it."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__()
        self._name, self._id, self._text = name, "", text

    def render(self, **kwargs: Any) -> str:
        """The text."""
        return self._text


class Page(Figure):
    """The page around a map: language, title, what comes before the map in the body, and what comes last.

    ``before`` must open the ``main`` element, which ends after the map.
    """

    _template = Template(
        '<!DOCTYPE html>\n<html lang="{{ this.lang }}">\n<head>\n{{ this.header.render(**kwargs) }}\n</head>\n'
        "<body>\n{{ this.before.render(**kwargs) }}\n{{ this.html.render(**kwargs) }}\n</main>\n"
        "<script>\n{{ this.script.render(**kwargs) }}\n</script>\n"
        "{{ this.last.render(**kwargs) }}\n</body>\n</html>\n"
    )

    def __init__(self, *, lang: str, title: str) -> None:
        super().__init__()
        self._id = "page"
        self.lang = html.escape(lang)
        self.before, self.last = Element(), Element()
        for part in (self.header, self.before, self.html, self.script, self.last):
            part._id, part._parent = "", self
        self.header.add_child(Verbatim(f"<title>{html.escape(title)}</title>", "title"))
        viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        self.header.add_child(Verbatim(viewport, "viewport"))


class LocalMap(folium.Map):
    """A Folium map with the scripts and styles given, on addresses of this server, and an id of ours.

    Its header is left out: size and place are the style sheet's, and readers may zoom the page.
    """

    def __init__(self, *, name: str, scripts: tuple[str, ...], styles: tuple[str, ...], **options: Any) -> None:
        super().__init__(tiles=None, **options)
        self._id = name
        self.default_js = [(url, url) for url in scripts]
        self.default_css = [(url, url) for url in styles]

    def render(self, **kwargs: Any) -> str:
        """Put links, the map's element and its script into the page; there is nothing to return."""
        page = self.get_root()
        if not isinstance(page, Figure):
            raise TypeError("a map is rendered as part of a page")
        for name, url in self.default_css:
            page.header.add_child(CssLink(url), name=name)
        for name, url in self.default_js:
            page.header.add_child(JavascriptLink(url), name=name)
        macros = self._template.module.__dict__
        for part, into in (("html", page.html), ("script", page.script)):
            into.add_child(Verbatim(macros[part](self, kwargs), part), name=f"{part}_{self.get_name()}")
        return ""
