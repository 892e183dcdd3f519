"""What one change would do for a community, in one sentence with its numbers, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from geo.conversion_words import KINDS
from geo.reasons import CAUSES, Sentence

NOTHING_NEEDED = Sentence("none_needed", "Nothing is needed: nobody is left over.", "无需改善：没有人得不到避难。")
NOT_SOUGHT = Sentence(
    "not_sought",
    "No change was sought here: other communities have more people left (cures.communities).",
    "未为本社区试算改善措施：其他社区尚有更多人没有避难处（cures.communities）。",
)
DONE: dict[str, tuple[str, str]] = {
    "room": ("Room for {room:,} more at {what}", "在{what}增加{room:,}人的容量"),
    "open": ("Opening {what} (room for {room:,})", "启用{what}（可容纳{room:,}人）"),
    "street": ("Raising or clearing {metres:,.0f} m of closed street{what}", "抬高或疏通{what}{metres:,.0f}米中断道路"),
    "footbridge": ("A footbridge of {metres:,.0f} m{what}", "{what}修建{metres:,.0f}米人行桥"),
    "site": ("A new shelter for {room:,} {what}", "{what}新建可容纳{room:,}人的避难场所"),
}
"""What is done, by the kind of change."""
TOLD_STREETS = 2
"""How many streets are named; the others are counted."""


def for_change(
    kind: str,
    what: tuple[str, str],
    *,
    room: int,
    metres: float,
    gain: int,
    left: int,
    elsewhere: int,
    sure: bool,
    because: tuple[str, str] | None = None,
) -> Sentence:
    """What a change serves: ``gain`` of the ``left`` people of a community, and ``elsewhere`` in others (signed).

    ``what`` names it in English and Chinese; ``sure`` is False where not every change could be tried; ``because`` says
    why most of those left are left, where the change serves few of them (``main_cause``).
    """
    en, zh = (text.format(what=name, room=room, metres=metres) for text, name in zip(DONE[kind], what, strict=True))
    of_en, of_zh = _of(gain, left)
    more_en, more_zh = _elsewhere(elsewhere)
    en, zh = f"{en} would serve {of_en}{more_en}.", f"{zh}，可使{of_zh}得到避难{more_zh}。"
    if because:
        en, zh = f"{en} Of these {left:,}, {because[0]}.", f"{zh}这{left:,}人中，{because[1]}。"
    if sure:
        return Sentence(kind, en, zh)
    return Sentence(kind, f"{en} Not every change was tried.", f"{zh}未逐一试算全部方案。")


def _of(gain: int, left: int) -> tuple[str, str]:
    if gain == left:
        return (
            ("the one person left", "尚无避难处的1人")
            if left == 1
            else (f"all {left:,} people left", f"尚无避难处的{left:,}人全部")
        )
    return f"{gain:,} of the {left:,} people left", f"尚无避难处的{left:,}人中的{gain:,}人"


def _elsewhere(people: int) -> tuple[str, str]:
    if people > 0:
        return f", and {people:,} in other communities", f"，并惠及其他社区{people:,}人"
    if people < 0:
        return f", and leave {-people:,} more in other communities", f"，但其他社区将多{-people:,}人得不到避难"
    return "", ""


def main_cause(cause: str, people: int, *, minutes: float) -> tuple[str, str]:
    """Why most people are left over (``cause``, a state of evacuation), in English and Chinese."""
    en, zh = (text.format(n=f"{people:,}", minutes=minutes) for text in CAUSES[cause])
    return en, zh


def for_none(
    left: int, because: tuple[str, str], *, more: float, street_m: float, bridge_m: float, sure: bool
) -> Sentence:
    """That no change helps those ``left``, and why most of them are left (``main_cause``).

    ``more`` (a share) is how far a shelter may grow, ``street_m`` and ``bridge_m`` how long a change may be.
    """
    tried_en, tried_zh = ("", "") if sure else (" Not every change was tried.", "未逐一试算全部方案。")
    return Sentence(
        "no_help",
        f"No single change helps: neither up to {more:.0%} more room in a shelter, nor an opening, nor a new shelter, "
        f"nor up to {street_m:,.0f} m of street raised, nor a footbridge of up to {bridge_m:,.0f} m. "
        f"Of {left:,} people left, {because[0]}.{tried_en}",
        f"单项措施（最多扩容{more:.0%}、启用或新建避难场所、抬高不超过{street_m:,.0f}米道路、"
        f"修建不超过{bridge_m:,.0f}米人行桥）均无帮助。尚无避难处的{left:,}人中，{because[1]}。{tried_zh}",
    )


def called(name: object, name_zh: object, name_en: object, kind: object, ident: str) -> tuple[str, str]:
    """What a place is called in English and Chinese: by a name where it has one, else by its kind and id."""
    own = _text(name)
    if own or _text(name_en) or _text(name_zh):
        return (_text(name_en) or own or _text(name_zh), _text(name_zh) or own or _text(name_en))
    word = _text(kind)
    en, zh = KINDS.get(word, (word.replace("_", " "), word))
    return (f"the {en} {ident}" if en else f"place {ident}").strip(), f"{zh or '场所'}{ident}"


def ground(name: object, name_zh: object, name_en: object, kind: object) -> tuple[str, str]:
    """What a piece of open ground is called: by its name, else by its kind."""
    en, zh = called(name, name_zh, name_en, kind, "")
    return en.strip(), zh


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def streets(names: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Street names in English and Chinese, the first few; empty where none has a name."""
    told = list(dict.fromkeys(pair for pair in names if any(pair)))
    if not told:
        return "", ""
    more = len(told) - TOLD_STREETS
    en = ", ".join(pair[0] for pair in told[:TOLD_STREETS]) + (f" and {more} more" if more > 0 else "")
    zh = "、".join(pair[1] for pair in told[:TOLD_STREETS]) + (f"等{len(told)}条" if more > 0 else "")
    return en, zh


def of_street(names: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Where streets are raised."""
    en, zh = streets(names)
    return (f" ({en})", f"{zh}的") if en else ("", "")


def between(one: tuple[str, str], other: tuple[str, str]) -> tuple[str, str]:
    """Where a footbridge leads, by the streets at its ends."""
    if any(one) and any(other) and one != other:
        return f" between {one[0]} and {other[0]}", f"在{one[1]}与{other[1]}之间"
    at = one if any(one) else other
    return (f" at {at[0]}", f"在{at[1]}处") if any(at) else ("", "")


def standing(ground: tuple[str, str] | None, street: tuple[str, str]) -> tuple[str, str]:
    """Where a new shelter stands: on what ground, where that is known, and by which street."""
    if ground:
        at = (f" by {street[0]}", f"{street[1]}旁的") if any(street) else ("", "")
        return f"on {ground[0]}{at[0]}", f"在{at[1]}{ground[1]}"
    return (f"by {street[0]}", f"在{street[1]}旁") if any(street) else ("by the street", "在街边")
