"""What keeps a page strict: JSON that cannot end its script, a policy made of the page itself, no foreign address."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import orjson

FOREIGN = re.compile(r"(?i)\b(?:https?|wss?|ftp):|(?:^|[\s\"'`(=,])[/\\]{2}[^/\\\s]|\bdata:text|\bjavascript:")
"""An address of another host, or one that carries script."""
ADDRESSES = frozenset({"src", "href", "srcset", "action", "formaction", "poster", "data", "xlink:href", "background"})
SCRIPTS_THAT_RUN = frozenset({"", "module", "text/javascript", "application/javascript"})
SANDBOX = {True: "sandbox allow-scripts", False: "sandbox allow-downloads"}
"""With scripts, and without: neither may act as this server's own origin."""


@dataclass(frozen=True)
class MapPage:
    """A page and the headers it must go out with."""

    html: str
    headers: dict[str, str]


def json_for_html(value: Any) -> str:
    """JSON that is safe inside ``<script type="application/json">``: no letter of it can end the element."""
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@dataclass
class Inspected(HTMLParser):
    """What a page holds: inline scripts and styles, addresses, and what it should not hold at all."""

    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)
        self._inside: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses and handlers; begin an inline script or style."""
        given = {name: value or "" for name, value in attrs}
        self.addresses += [value for name, value in given.items() if name in ADDRESSES]
        self.handlers += [f"{tag} {name}" for name in given if name.startswith("on") or name in ("style", "srcdoc")]
        self._inside = None
        if tag == "style":
            self._inside = self.styles
        elif tag == "script" and "src" not in given and given.get("type", "") in SCRIPTS_THAT_RUN:
            self._inside = self.scripts
        if self._inside is not None:
            self._inside.append("")

    def handle_data(self, data: str) -> None:
        """Take down the text of an inline script or style."""
        if self._inside is not None:
            self._inside[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        if tag in ("script", "style"):
            self._inside = None


def inspected(page: str) -> Inspected:
    """Read a page."""
    reader = Inspected()
    reader.feed(page)
    reader.close()
    return reader


def refuse_foreign(page: str) -> None:
    """ValueError when the page would ask another host for anything, or holds handlers or styles in its tags."""
    seen = inspected(page)
    wrong = [text for text in (*seen.addresses, *seen.scripts, *seen.styles) if FOREIGN.search(text)]
    if wrong or seen.handlers:
        found = [FOREIGN.sub(r"»\g<0>«", text)[:200] for text in wrong] + seen.handlers
        raise ValueError(f"the page is not fit to be served: {'; '.join(found)}")


def policy(page: str, *, scripts: bool = True, forms: bool = False) -> str:
    """The Content-Security-Policy of a page: its own inline scripts and styles by hash, files and data of this server.

    The sandbox gives the page an origin of its own: data it fetches must come with ``Access-Control-Allow-Origin``.
    A page with ``forms`` keeps this server's origin, so that it is known whose form is sent, and has no scripts.
    """
    seen = inspected(page)
    parts = [
        "default-src 'none'", "base-uri 'none'", f"form-action '{'self' if forms else 'none'}'",
        "frame-ancestors 'none'", "img-src 'self' data:", f"style-src 'self'{_hashes(seen.styles)}",
    ]  # fmt: skip
    if forms:
        return "; ".join(parts)
    if scripts:
        parts += [f"script-src 'self'{_hashes(seen.scripts)}", "connect-src 'self'"]
    return "; ".join([*parts, SANDBOX[scripts]])


def _hashes(texts: list[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return "".join(f" 'sha256-{digest}'" for digest in digests)


def headers(page: str, *, scripts: bool = True) -> dict[str, str]:
    """The headers a page must go out with."""
    return {
        "Content-Security-Policy": policy(page, scripts=scripts),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
