from __future__ import annotations

from data.naming import of_layer
from geo.reasons import Sentence


def test_a_note_says_which_layer_it_is_about() -> None:
    found = of_layer("rr25", [Sentence("code", "It is dry.", "无水。")])
    assert found == (Sentence("code", "rr25: It is dry.", "rr25：无水。"),)
    assert of_layer("rr25", []) == ()
