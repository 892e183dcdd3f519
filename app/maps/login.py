"""The page to sign in on with a key. No script at all."""

from __future__ import annotations

from dataclasses import dataclass

from app.maps.guard import MapPage, headers, policy, refuse_foreign
from app.maps.plain import template
from app.maps.view import LANG_CODES, LOCAL, Choice
from app.texts import catalogue, section


@dataclass(frozen=True)
class LoginView:
    """Everything the page shows; ValueError names the addresses that leave this server.

    ``next`` is where to go after, ``name`` whose key is signed in with now (empty: nobody's).
    """

    lang: str
    next: str
    send: str
    leave: str
    static: str
    languages: tuple[Choice, ...] = ()
    name: str = ""
    wrong: bool = False

    def __post_init__(self) -> None:
        urls = (self.next, self.send, self.leave, self.static, *(choice.url for choice in self.languages))
        away = [url for url in urls if not LOCAL.fullmatch(url)]
        if away:
            raise ValueError(f"addresses must be paths on this server, not {', '.join(map(repr, away))}")


def render(view: LoginView) -> MapPage:
    """The page of a view."""
    words = catalogue(view.lang)
    text = template("login.html").render(
        view=view, lang=view.lang, code=LANG_CODES[view.lang], words=section("login", view.lang),
        app=words["page.app"], language=words["page.language"],
        signed_in=words["login.signed_in"].format(name=view.name),
    )  # fmt: skip
    refuse_foreign(text)
    # Without a referrer a browser does not say whose form it sends, even to the page's own server.
    own = {"Content-Security-Policy": policy(text, scripts=False, forms=True), "Referrer-Policy": "same-origin"}
    return MapPage(text, headers(text, scripts=False) | own)
