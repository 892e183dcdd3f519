"""What a refusal expected, found and advises, in Chinese: errors are written in English where they arise.

``faults.toml`` has the phrases of the readers; ``{}`` stands for any words, which are kept as they are. A phrase that
is not there stays English.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache

from app.texts import FOLDER
from geo.errors import Fault

GAP = "{}"


def in_chinese(phrase: str) -> str:
    """The phrase in Chinese, else the phrase itself."""
    exact, patterns = _phrases()
    if phrase in exact:
        return exact[phrase]
    for pattern, chinese in patterns:
        if found := pattern.fullmatch(phrase):
            return chinese.format(*(in_chinese(words) for words in found.groups()))
    return phrase


def told_in_chinese(fault: Fault) -> str:
    """A fault as a Chinese sentence, as ``str`` has it in English."""
    place = f"{fault.where}：" if fault.where else ""
    return f"{place}需要：{in_chinese(fault.expected)}；实际：{in_chinese(fault.found)}。{in_chinese(fault.fix)}"


@lru_cache(maxsize=1)
def _phrases() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Phrases without gaps, and patterns of those with gaps, the longest first."""
    known = tomllib.loads((FOLDER / "faults.toml").read_text(encoding="utf-8"))
    gapped = sorted((phrase for phrase in known if GAP in phrase), key=lambda phrase: (-len(phrase), phrase))
    patterns = [("(.+)".join(map(re.escape, phrase.split(GAP))), known[phrase]) for phrase in gapped]
    exact = {phrase: chinese for phrase, chinese in known.items() if GAP not in phrase}
    return exact, [(re.compile(pattern, re.DOTALL), chinese) for pattern, chinese in patterns]
