"""Which encoding is guessed for text that declares none: right for a line, too."""

from __future__ import annotations

import pytest

from edgellm.documents.encodings import guess

SHORT = [
    ("shift_jis", "図書館は午前九時に開きます。月曜日は休館です。"),
    ("cp932", "会議は三月五日の午前九時に始まります。"),
    ("gb18030", "你好"),
    ("gb18030", "会议于三月五日上午九点开始。"),
    ("gb18030", "法国的首都是哪里"),
    ("gb18030", "请问，您能帮我吗"),
    ("big5", "圖書館早上九點開門，星期一休館。書可以借兩個星期。"),
    ("euc_kr", "도서관은 오전 아홉 시에 엽니다. 월요일은 휴관입니다."),
    ("cp1251", "Привет, как дела?"),
    ("iso8859-7", "Η βιβλιοθήκη ανοίγει στις εννέα."),
    ("cp1250", "Zażółć gęślą jaźń. Książka jest na półce."),
    ("cp1252", "Où est l’hôpital ? Ça va."),
    ("cp1252", "Größe: 3 m²"),
    ("cp1252", "Straße zur Mühle, aber für Autos gesperrt, weil es dort so schön ist. " * 20),
    ("cp1252", "¿Dónde está el niño? ¡Aquí! 20 °C"),
    ("cp1252", "Name;Ort\nMüller;Köln\nGroß;Düsseldorf\n"),
]


@pytest.mark.parametrize(("encoding", "text"), SHORT, ids=[text[:9] for _, text in SHORT])
def test_a_line_is_read_in_its_encoding(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    assert data.decode(guess(data)) == text


def test_a_letter_cut_at_the_end_of_a_sample_changes_nothing() -> None:
    data = ("北京是中国的首都，春天的时候花开得很美。" * 90).encode("gb18030")
    assert guess(data[:2001]) == guess(data) == "gb18030"


def test_bytes_that_are_no_text_have_no_encoding() -> None:
    assert guess(bytes(range(256)) * 8) in ("", "cp1252")
