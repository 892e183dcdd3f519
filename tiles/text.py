"""Words in the two languages of every screen."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Text:
    """The same words in Chinese and in English."""

    zh: str
    en: str

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)

    def of(self, lang: str) -> str:
        """The words in one language; the other one's where this language has none."""
        return (self.zh or self.en) if lang == "zh" else (self.en or self.zh)


NOTHING = Text("", "")
