"""What pieces of ground are called: after what they lie between, else what is in them, else their number.

A name is what locals write, then Chinese, then English; where nobody knows the other language, the local name is used.
No two pieces get the same name, and no name depends on the order in which streets or waters came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from geo.tables import NAMES, without_nan

Name = tuple[str, str, str]
"""As locals write it, in Chinese, in English."""
Candidate = tuple[frozenset[str], Name]
"""What a name tells of, by its local names, and the name."""

TELLING = 3
"""Names that may be needed to tell two pieces of ground apart."""


def told_everywhere(names: pd.DataFrame) -> pd.DataFrame:
    """Names (``NAMES`` columns) in every language that any row of the same name has; else the local one as its own."""
    local = names["name"].fillna(names["name_zh"]).fillna(names["name_en"])
    columns = {
        language: names[language].fillna(local.map(_usual(local, names[language]))).fillna(local)
        for language in ("name_zh", "name_en")
    }
    return without_nan(pd.DataFrame({"name": local, **columns}, dtype=object))


def _usual(local: pd.Series, told: pd.Series) -> pd.Series:
    """For each name the word that most rows of it have in some language."""
    pairs = pd.DataFrame({"local": local, "told": told}).dropna().value_counts().reset_index(name="times")
    ordered = pairs.sort_values(["local", "times", "told"], ascending=[True, False, True])
    return ordered.drop_duplicates("local").set_index("local")["told"]


def longest(along: pd.DataFrame, n: int) -> list[list[Name]]:
    """The names with most metres at each of ``n`` pieces of ground, at most ``TELLING``.

    ``along`` has ``cell`` (the piece), ``length_m`` and ``NAMES``; rows without a name tell nothing.
    """
    table = along.dropna(subset="name").groupby(["cell", *NAMES])["length_m"].sum().reset_index()
    table["length_m"] = table["length_m"].round(2)
    ordered = table.sort_values(["cell", "length_m", *NAMES], ascending=[True, False, True, True, True])
    found: list[list[Name]] = [[] for _ in range(n)]
    for cell, *names in ordered.groupby("cell").head(TELLING)[["cell", *NAMES]].itertuples(index=False):
        found[cell].append(tuple(names))
    return found


def different(candidates: Iterable[Iterator[Candidate]]) -> pd.DataFrame:
    """The first of each piece's candidates that no earlier piece has (``NAMES``); the last must be its own."""
    rows, taken = [], set()
    for mine in candidates:
        about, said = next(found for found in mine if found[0] not in taken)
        taken.add(about)
        rows.append(said)
    return pd.DataFrame(rows, columns=list(NAMES), dtype=object)


def places(
    beside: Sequence[Name], inside: Sequence[Name], number: int, *, word: tuple[str, str]
) -> Iterator[Candidate]:
    """Names of ground between what is ``beside`` it, best first; the last has its number and is no other's.

    ``word`` is what ground without any name is called, in English and Chinese: ``("Grid", "网格")``.
    """
    if len(beside) > 1:
        for count in range(2, len(beside) + 1):
            yield _of(beside[:count]), _between(beside[:count])
        if inside:
            yield (
                _of([*beside[:2], inside[0]]),
                pattern([*beside[:2], inside[0]], "{0} and {1}, at {2}", "{0}与{1}之间（{2}）"),
            )
    around = list(beside[:2] if len(beside) > 1 else (beside or inside)[:1])
    if len(around) == 1:
        yield _of(around), pattern(around, "At {0}", "{0}一带")
    digits = (str(number),) * 3
    if around:
        en, zh = (
            ("Between {0} and {1} ({2})", "{0}与{1}之间（{2}）")
            if len(around) > 1
            else ("At {0} ({1})", "{0}一带（{1}）")
        )
        yield frozenset(digits), pattern([*around, digits], en, zh)
    yield frozenset(digits), (f"{word[0]} {number}", f"{word[1]} {number}", f"{word[0]} {number}")


def _of(named: Sequence[Name]) -> frozenset[str]:
    return frozenset(name for name, *_ in named)


def _between(named: Sequence[Name]) -> Name:
    *first, last = (f"{{{n}}}" for n in range(len(named)))
    return pattern(named, f"Between {', '.join(first)} and {last}", f"{'、'.join(first)}与{last}之间")


def pattern(named: Sequence[Name], en: str, zh: str) -> Name:
    """The name as locals write it, in Chinese and in English, from patterns."""
    local, chinese, english = zip(*named, strict=True)
    written = zh if any("\u4e00" <= letter <= "\u9fff" for letter in local[0]) else en
    return written.format(*local), zh.format(*chinese), en.format(*english)
