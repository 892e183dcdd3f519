from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import encodings
from geo.errors import UnreadableError

SPOKEN = {
    "GB18030": ["鼓楼区应急避难场所", "金陵中学", "成都市锦江区春熙路街道办事处", "学校", "公园", "建筑面积"],
    "CP932": ["焼津市立総合病院", "避難所,名称,緯度,経度", "交番", "コミュニティ防災センター", "さくら保育園"],
    "CP950": ["臺北市立大安高級中學", "避難收容處所,名稱,地址", "國民小學"],
    "CP1252": ["Sto. Niño", "Größe der Straße", "Plaça de Catalunya"],
}


@pytest.mark.parametrize(("encoding", "text"), [(e, t) for e, texts in SPOKEN.items() for t in texts])
def test_each_language_is_told_from_the_others(encoding: str, text: str) -> None:
    assert encodings.guessed([text.encode(encoding)]) == encodings.Guess(encoding, True)
    assert encodings.guessed([text.encode("utf-8")]) == encodings.Guess("UTF-8", True)


def test_what_could_be_either_is_not_sure() -> None:
    guess = encodings.guessed(["高雄".encode("cp950")])
    assert guess is not None and not guess.sure


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1).filter(lambda text: not text.startswith("\ufeff")))
def test_utf8_and_utf16_come_back_whole(text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        found, guess = encodings.text(text.encode(encoding), where="file")
        assert (found, guess.sure) == (text, True)


def test_cut_characters_at_the_end_do_not_count() -> None:
    whole = "鼓楼公园".encode("gb18030")
    guess = encodings.guessed([whole, whole[:-1]], cut=True)
    assert guess is not None and guess.encoding == "GB18030"
    assert not encodings.fits([whole[:-1]], "GB18030")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableError, match=r"GB18030.*found bytes.*Save it as UTF-8"):
        encodings.text(bytes(range(0x80, 0x100)) * 3, where="file")


@pytest.mark.parametrize(("said", "found"), [
    ("UTF-8\n", "UTF-8"), ("65001", "UTF-8"), ("Shift_JIS", "CP932"), ("OEM 932", "CP932"), ("GBK", "GB18030"),
    ("ANSI 936", "GB18030"), ("ISO-8859-1", "CP1252"), ("Big5", "CP950"), ("system", None),
])  # fmt: skip
def test_names_as_people_write_them(said: str, found: str | None) -> None:
    assert encodings.named(said) == found
