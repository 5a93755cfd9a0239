"""HTML pages with other texts: 100 generated ones, compared by another parser; and pages that are hard to read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from edgellm.documents import rewrite_html
from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Limits, Source
from edgellm.errors import DocumentDamaged
from tests.generated_pages import page
from tests.generated_texts import asked, expected, holders

_SHOWN = ("title", "alt", "placeholder", "aria-label", "content")


def _source(data: bytes | str, name: str = "page.html") -> Source:
    return Source(Path(name), data.encode() if isinstance(data, str) else data, Limits())


def _asked(sheet: Sheet) -> dict[int, tuple[str, ...]]:
    return {number: tuple(map(asked, segment.pieces)) for number, segment in enumerate(sheet.segments)}


def _texts(data: bytes | str) -> list[tuple[str, ...]]:
    return [segment.pieces for segment in rewrite_html.read(_source(data)).segments]


def _changed(data: str, *translated: tuple[str, ...], language: str = "", name: str = "page.html") -> str:
    order = Rewriting(_source(data, name), dict(enumerate(translated)), language)
    return rewrite_html.write(order).decode()


def _seen(data: bytes, encoding: str, change: Any) -> list[Any]:
    """The page as lxml reads it: tags, attributes and texts in their order, texts after `change`."""
    text = data.decode(encoding)
    root = etree.fromstring(text.encode(), etree.HTMLParser(encoding="utf-8"))
    found: list[Any] = []
    for event, one in etree.iterwalk(root, events=("start", "end", "comment")):
        spoken = one.text if event == "start" else one.tail
        if event == "comment":
            found += [one.text, change(_run_together(one.tail))]
            continue
        if event == "start":
            values = {name: change(value.strip()) if name in _SHOWN else value for name, value in one.attrib.items()}
            found.append((one.tag, values))
        plain = one.tag in ("script", "style", "pre") and event == "start"
        found.append(spoken if plain else change(_run_together(spoken)))
    return found


def _run_together(text: str | None) -> str:
    return re.sub(r"[ \t\r\n\f]+", " ", text or "")


def test_100_generated_pages_keep_everything_but_their_texts() -> None:
    segments = placeholders = 0
    for seed in range(100):
        data, encoding = page(seed)
        sheet = rewrite_html.read(_source(data))
        assert not [one for one in sheet.segments if "§" in one.text], seed
        new = rewrite_html.write(Rewriting(_source(data), _asked(sheet)))
        assert _seen(new, encoding, str) == _seen(data, encoding, expected), seed
        before, after = data.decode(encoding), new.decode(encoding)
        assert re.findall(r"<[^<>]*href[^<>]*?title", before) == re.findall(r"<[^<>]*href[^<>]*?title", after)
        assert [holders(one.text) for one in rewrite_html.read(_source(new)).segments] == [
            holders(one.text) for one in sheet.segments
        ]
        segments += len(sheet.segments)
        placeholders += sum(len(holders(one.text)) for one in sheet.segments)
    assert segments > 1000 and placeholders > 1000


def test_100_generated_pages_stay_the_same_to_the_last_byte_when_nothing_changes() -> None:
    for seed in range(100):
        source = _source(page(seed)[0])
        same = {number: one.pieces for number, one in enumerate(rewrite_html.read(source).segments)}
        assert rewrite_html.write(Rewriting(source, same)) == source.data, seed


def test_the_translation_undone_gives_the_first_page_back() -> None:
    for seed in range(0, 100, 10):
        first = _source(page(seed)[0])
        sheet = rewrite_html.read(first)
        second = _source(rewrite_html.write(Rewriting(first, _asked(sheet))))
        back = {number: one.pieces for number, one in enumerate(sheet.segments)}
        third = rewrite_html.write(Rewriting(second, back))
        assert _texts(third) == [one.pieces for one in sheet.segments]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("<p>One <b>two</b> three</p>", [("One ", "two", " three")]),
        ("<p>One<br>two", [("One",), ("two",)]),
        ("<p>Run <code>ls -l</code> now", [("Run ", " now")]),
        ("<p>12 &ndash; 13</p><p>&nbsp;</p>", []),
        ("<p>Salt &amp; pepper &lt;3 &copy", [("Salt & pepper <3 ©",)]),
        ("<p>a < b and <3", [("a < b and <3",)]),
        ("<p translate=no>Acme<p>Other <span class='notranslate'>Acme</span>", [("Other",)]),
        ("<div translate=no>Acme <b translate=yes>bold</b> Acme</div>", [("bold",)]),
        ("<ul><li>a<ul><li translate=no>b<li>c</ul><li>d</ul>", [("a",), ("c",), ("d",)]),
        ("<p>a</p></div></b><p>b</p>", [("a",), ("b",)]),
        ("<img alt=flower><img alt='' title=\"A 'rose'\">", [("flower",), ("A 'rose'",)]),
        ("<meta name=keywords content=x><meta property=og:title content='T t'>", [("T t",)]),
        ("<p>never closed <b>bold <!-- open", [("never closed ", "bold")]),
        (
            "<svg><title>x</title></svg><math><mi>x</mi></math><select><option>One<option>Two</select>",
            [("One",), ("Two",)],
        ),
        ("<p>&# and &#x; or <b>this &#</b> &# that", [("&# and &#x; or ", "this &#", " &# that")]),
        ("", []),
    ],
)
def test_what_is_a_text(source: str, texts: list[tuple[str, ...]]) -> None:
    assert _texts(source) == texts


def test_a_marked_section_of_no_known_kind_is_damage() -> None:
    with pytest.raises(DocumentDamaged):
        _texts("<p>One <![what[ two")


def test_blanks_around_and_inside_a_text_stay_as_they_are_in_the_source() -> None:
    data = "<p>\n   One\n   <b> two </b>\n   three\n</p>"
    assert _texts(data) == [("One ", " two ", " three")]
    new = _changed(data, ("Un ", " deux ", " trois"))
    assert new == "<p>\n   Un\n   <b> deux </b>\n   trois\n</p>"
    assert _changed(data, ("Un", "", "trois")) == "<p>\n   Un<b></b>trois\n</p>"


def test_signs_of_the_markup_are_escaped() -> None:
    data = "<p title=old lang='x'>old</p><img alt='old'>"
    new = _changed(data, ("a \"b\" & 'c'",), ("<script>alert(1)</script>&amp;",), ("it's",))
    assert _texts(new) == [("a \"b\" & 'c'",), ("<script>alert(1)</script>&amp;",), ("it's",)]
    assert "<script" not in new


def test_a_letter_without_a_sign_in_the_encoding_becomes_a_reference() -> None:
    data = "<meta charset=iso-8859-1><p>Gr\xfc\xdfe".encode("iso-8859-1")
    new = rewrite_html.write(Rewriting(_source(data), {0: ("Привет, Grüße",)}))
    assert b"Gr\xfc\xdfe" in new and b"&#1055;" in new
    assert _texts(new) == [("Привет, Grüße",)]


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("<html>", '<html lang="fr">', "a.html"),
        ("<HTML class=x lang=en>", '<HTML class=x lang="fr">', "a.html"),
        ("<html lang='en-US' xml:lang='en'>", "<html lang='fr' xml:lang='fr'>", "a.html"),
        ("<html>", '<html lang="fr" xml:lang="fr">', "a.xhtml"),
    ],
)
def test_the_page_says_its_language(before: str, after: str, name: str) -> None:
    assert _changed(f"{before}<p>One", ("Un",), language="fr", name=name) == f"{after}<p>Un"


@pytest.mark.parametrize(
    ("before", "language", "after"),
    [
        ("<html>", "ar", '<html lang="ar" dir="rtl">'),
        ("<html lang=en dir=ltr><body dir='LTR'>", "fa", '<html lang="fa" dir="rtl"><body dir=\'rtl\'>'),
        ("<html lang='ar' dir='rtl'><div dir=rtl>", "en", "<html lang='en' dir='ltr'><div dir=\"ltr\">"),
        ("<html lang='he'><div dir='rtl'>", "ur", "<html dir=\"rtl\" lang='ur'><div dir='rtl'>"),
        ("<html lang='en'><q dir='rtl'>", "fr", "<html lang='fr'><q dir='rtl'>"),
        ("<html lang='en'><div dir='auto'>", "ar", "<html dir=\"rtl\" lang='ar'><div dir='auto'>"),
        ("<html lang='ar' dir='rtl'><pre dir='rtl'></pre>", "", "<html lang='ar' dir='rtl'><pre dir='rtl'></pre>"),
    ],
)
def test_a_page_begins_where_its_language_does(before: str, language: str, after: str) -> None:
    assert _changed(f"{before}<p>One", ("Un",), language=language) == f"{after}<p>Un"


def test_a_page_without_a_root_tag_gets_none() -> None:
    assert _changed("<p>One", ("Un",), language="fr") == "<p>Un"


def test_the_language_of_a_page_and_the_line_of_a_text_are_told() -> None:
    sheet = rewrite_html.read(_source("<html lang='de'>\n<p>Eins\n<p title='Zwei'>"))
    assert sheet.language == "de"
    assert [one.where for one in sheet.segments] == ["line 2", "line 3, title"]


def test_an_empty_element_of_xhtml_does_not_swallow_what_follows() -> None:
    page_of_xml = '<?xml version="1.0"?><html><p>One <code/>two<![CDATA[x]]></p></html>'
    assert _texts(page_of_xml) == [("One ", "two")]
