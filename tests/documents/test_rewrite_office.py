"""DOCX and PPTX with other texts: 100 generated files each, compared part by part."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from edgellm.documents import rewriters
from edgellm.documents.segment import Rewriting, Sheet, WrongSuffix
from edgellm.documents.source import Limits, Source
from edgellm.errors import DocumentError
from tests import generated_drawings, generated_office
from tests.document_files import changed
from tests.generated_texts import MARK, asked, expected, holders

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_TEXTS = (f"{_W}t", f"{_A}t")
_PLAIN = ("/chart}v", "/main}text")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_MAKERS: dict[str, Callable[[int], bytes]] = {"docx": generated_office.docx, "pptx": generated_office.pptx}


def _source(data: bytes, kind: str) -> Source:
    return Source(Path(f"file.{kind}"), data, Limits())


def _read(data: bytes, kind: str = "docx") -> Sheet:
    return rewriters.FORMATS[kind].read(_source(data, kind))


def _write(data: bytes, translated: dict[int, tuple[str, ...]], kind: str = "docx", language: str = "") -> bytes:
    return rewriters.FORMATS[kind].write(Rewriting(_source(data, kind), translated, language, f".{kind}"))


def _asked(sheet: Sheet) -> dict[int, tuple[str, ...]]:
    return {number: tuple(map(asked, one.pieces)) for number, one in enumerate(sheet.segments)}


def _parts(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return [(name, archive.read(name)) for name in archive.namelist()]


def _structure(part: bytes) -> list[Any]:
    """Every element in its order with everything it has, but for the texts of runs and what is read aloud."""
    found = []
    for one in etree.fromstring(part).iter():
        text = None if one.tag in _TEXTS or one.tag.endswith(_PLAIN) else one.text
        found.append((one.tag, {**one.attrib, _SPACE: "", "descr": ""}, text, one.tail, dict(one.nsmap)))
    return found


def _plain(part: bytes, change: Callable[[str], str]) -> list[str]:
    """What is in no run: words of charts, old comments, descriptions of pictures."""
    said = []
    for one in etree.fromstring(part).iter():
        said += [one.text or ""] * one.tag.endswith(_PLAIN) + [one.get("descr", "")]
    return [text if text.endswith(".png") else change(text) for text in said]


def _runs(part: bytes, change: Callable[[str], str]) -> list[tuple[int, list[tuple[str, str]]]]:
    """Per paragraph its stretches of equal formatting: the formatting, and the text after `change`."""
    found = []
    for number, paragraph in enumerate(etree.fromstring(part).iter(f"{_W}p", f"{_A}p")):
        stretches: list[tuple[str, str]] = []
        for node in paragraph.iter(*_TEXTS):
            if next(node.iterancestors(paragraph.tag)) is not paragraph or not node.text:
                continue
            run = node.getparent()
            properties = run.find(f"{node.tag[:-1]}rPr")
            shown = [] if properties is None else [one for one in properties if one.tag[len(_W) :] not in _UNSEEN]
            place = f"{run.getparent().tag} {sorted(run.getparent().attrib.items())}"
            key = place + b"".join(etree.tostring(one, with_tail=False) for one in shown).decode()
            if stretches and stretches[-1][0] == key:
                stretches[-1] = (key, stretches[-1][1] + node.text)
            else:
                stretches.append((key, node.text))
        found.append((number, [(key, change(text)) for key, text in stretches]))
    return found


_UNSEEN = ("lang", "noProof")


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_100_generated_files_keep_everything_but_their_texts(kind: str) -> None:
    texts = placeholders = 0
    for seed in range(100):
        data = _MAKERS[kind](seed)
        sheet = _read(data, kind)
        assert sheet.segments and not [one for one in sheet.segments if "§" in one.text], seed
        after = _parts(_write(data, _asked(sheet), kind))
        before = _parts(data)
        assert [name for name, _ in after] == [name for name, _ in before]
        changes = 0
        for (name, old), (_, new) in zip(before, after, strict=True):
            if old == new:
                continue
            changes += 1
            assert _structure(new) == _structure(old), (seed, name)
            assert _runs(new, str) == _runs(old, expected), (seed, name)
            assert _plain(new, str) == _plain(old, expected), (seed, name)
        slides = sum(name.startswith("ppt/slides/slide") for name, _ in before)
        # A note or comment can be without a text; a slide has notes, comments, a chart and a diagram in two parts
        assert changes in (range(6, 10) if kind == "docx" else (6 * slides,))
        texts += len(sheet.segments)
        placeholders += sum(len(holders(one.text)) for one in sheet.segments)
    assert texts > 800 and placeholders > 800


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_unchanged_files_stay_the_same_to_the_last_byte(kind: str) -> None:
    for seed in range(5):
        data = _MAKERS[kind](seed)
        same = {number: one.pieces for number, one in enumerate(_read(data, kind).segments)}
        order = Rewriting(_source(data, kind), same, "", f".{kind}")
        assert rewriters.rewritten(order) == data


def test_one_changed_paragraph_changes_one_part() -> None:
    data = generated_office.docx(1)
    new = _write(data, {0: tuple("x" for _ in _read(data).segments[0].pieces)})
    assert [name for (name, old), (_, part) in zip(_parts(data), _parts(new), strict=True) if old != part] == [
        "word/document.xml"
    ]


def _letter(body: str, more: dict[str, str] | None = None) -> bytes:
    import docx as library

    file = io.BytesIO()
    library.Document().save(file)
    xml = f"<w:document {generated_office.NAMES}><w:body>{body}</w:body></w:document>"
    return changed(file.getvalue(), {"word/document.xml": xml, **(more or {})})


def _pieces(body: str) -> list[tuple[str, ...]]:
    return [one.pieces for one in _read(_letter(body)).segments]


_RUN = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>"
_BOLD = "<w:r><w:rPr><w:b/></w:rPr><w:t xml:space='preserve'>{}</w:t></w:r>"


def _field(mark: str) -> str:
    return f"<w:r><w:fldChar w:fldCharType='{mark}'/></w:r>"


_TOC = f"{_field('begin')}<w:r><w:instrText> TOC \\o </w:instrText></w:r>{_field('separate')}"


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        (f"<w:p>{_RUN.format('Hel')}{_RUN.format('lo ')}{_BOLD.format('you')}</w:p>", [("Hello ", "you")]),
        (f"<w:p>{_RUN.format('Hel')}<w:proofErr w:type='spellEnd'/>{_RUN.format('lo')}</w:p>", [("Hello",)]),
        (
            f"<w:p>{_RUN.format('Hel')}<w:bookmarkStart w:id='1' w:name='_GoBack'/><w:bookmarkEnd w:id='1'/>"
            f"{_RUN.format('lo')}</w:p>",
            [("Hello",)],
        ),
        (f"<w:p>{_RUN.format('a')}<w:bookmarkStart w:id='1' w:name='x'/>{_RUN.format('b')}</w:p>", [("a", "b")]),
        (f"<w:p>{_RUN.format(' a ')}{_BOLD.format(' ')}</w:p><w:p>{_RUN.format('12')}</w:p>", [("a",)]),
        (f"<w:p>{_RUN.format('a')}<w:moveFrom>{_RUN.format('b')}</w:moveFrom></w:p>", [("a",)]),
        (
            f"<w:p>{_TOC}{_RUN.format('One 1')}</w:p><w:p>{_RUN.format('Two 2')}{_field('end')}</w:p>"
            f"<w:p>{_RUN.format('One')}</w:p>",
            [("One",)],
        ),
        ("<w:p/><w:p><w:r/></w:p>", []),
    ],
)
def test_what_is_a_piece(body: str, pieces: list[tuple[str, ...]]) -> None:
    assert _pieces(body) == pieces


def test_a_box_for_two_kinds_of_programs_is_one_text_and_both_get_it() -> None:
    box = f"<w:txbxContent><w:p>{_RUN.format('inside')}</w:p></w:txbxContent>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    data = _letter(f"<w:p>{_RUN.format('outside')}<w:r>{both}</w:r></w:p>")
    assert [one.text for one in _read(data).segments] == ["outside", "inside"]
    xml = dict(_parts(_write(data, {1: ("within",)})))["word/document.xml"]
    assert xml.count(b"within") == 2 and b"inside" not in xml


def test_blanks_at_the_ends_of_a_text_count() -> None:
    data = _letter(f"<w:p><w:r><w:t>One</w:t></w:r>{_BOLD.format('two')}</w:p>")
    xml = dict(_parts(_write(data, {0: ("Un ", "deux\net\ttrois")})))["word/document.xml"]
    assert b'<w:t xml:space="preserve">Un </w:t>' in xml and b"deux et trois" in xml


def test_the_language_of_the_spelling_changes_with_the_text() -> None:
    run = "<w:r><w:rPr><w:lang w:val='en-GB' w:eastAsia='ja-JP'/></w:rPr><w:t>One</w:t></w:r>"
    data = _letter(f"<w:p>{run}</w:p>")
    assert _read(data).language == "en-US"
    french = _write(data, {0: ("Un",)}, language="fr")
    assert b'w:val="fr" w:eastAsia="ja-JP"' in dict(_parts(french))["word/document.xml"]
    assert _read(french).language == "fr"
    chinese = dict(_parts(_write(data, {0: ("一",)}, language="zh")))["word/document.xml"]
    assert b'w:val="en-GB" w:eastAsia="zh"' in chinese


def test_a_letter_in_arabic_begins_at_the_right_and_its_translation_back_at_the_left() -> None:
    cell = f"<w:tbl><w:tblPr><w:tblW w:w='0'/></w:tblPr><w:tr><w:tc><w:p>{_RUN.format('b')}</w:p></w:tc></w:tr></w:tbl>"
    run = "<w:r><w:rPr><w:b/><w:vertAlign w:val='superscript'/><w:em w:val='dot'/></w:rPr><w:t>c</w:t></w:r>"
    body = f"<w:p><w:pPr><w:keepNext/><w:jc w:val='center'/></w:pPr>{run}{_RUN.format('d')}</w:p>{cell}"
    data = _letter(f"{body}<w:p>{_RUN.format('left alone')}</w:p>")
    arabic = _write(data, {0: ("ج", "د"), 1: ("ب",)}, language="ar")
    xml = dict(_parts(arabic))["word/document.xml"].decode()
    assert '<w:keepNext/><w:bidi/><w:jc w:val="center"/>' in xml
    assert '<w:vertAlign w:val="superscript"/><w:rtl/><w:em w:val="dot"/><w:lang w:bidi="ar"/></w:rPr>' in xml
    assert '<w:tblPr><w:bidiVisual/><w:tblW w:w="0"/></w:tblPr>' in xml
    assert (xml.count("<w:bidi/>"), xml.count("<w:rtl/>"), xml.count("<w:lang ")) == (2, 3, 3)
    assert [one.text for one in _read(arabic).segments] == ["جد", "ب", "left alone"]
    back = dict(_parts(_write(arabic, {0: ("c", "d"), 1: ("b",)}, language="en")))["word/document.xml"].decode()
    assert "<w:bidi" not in back and "<w:rtl" not in back


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_generated_files_are_turned_and_keep_their_texts(kind: str) -> None:
    for seed in range(10):
        data = _MAKERS[kind](seed)
        sheet = _read(data, kind)
        turned = _write(data, _asked(sheet), kind, "he")
        # Runs that were told apart by their direction alone are one piece now
        assert [one.text for one in _read(turned, kind).segments] == ["".join(new) for new in _asked(sheet).values()]
        mark = b"<w:rtl/>" if kind == "docx" else b'rtl="1"'
        assert sum(part.count(mark) for _, part in _parts(turned)) > sum(part.count(mark) for _, part in _parts(data))
        short = {number: tuple("x" for _ in one.pieces) for number, one in enumerate(_read(turned, kind).segments)}
        again = _write(turned, short, kind, "de")
        left = sum(part.count(mark) for _, part in _parts(again))
        assert left == 0 if kind == "pptx" else left <= sum(part.count(mark) for _, part in _parts(data))


def test_a_slide_in_hebrew_begins_at_the_right() -> None:
    import pptx as library
    from pptx.util import Inches

    slides = library.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "One"  # in the middle, as the master has it
    table = slide.shapes.add_table(1, 2, *map(Inches, range(1, 5))).table
    table.cell(0, 0).text = "Two"
    file = io.BytesIO()
    slides.save(file)
    hebrew = dict(_parts(_write(file.getvalue(), {0: ("אחת",), 1: ("שתיים",)}, "pptx", "he")))
    xml = hebrew["ppt/slides/slide1.xml"].decode()
    assert xml.count('<a:pPr rtl="1"/>') == 1 and xml.count('<a:pPr rtl="1" algn="r"/>') == 1
    assert xml.count("<a:tblPr") == xml.count('rtl="1"') - 2 == 1
    assert xml.index("<a:pPr") < xml.index("<a:r>")


def test_a_title_that_the_master_has_at_the_left_goes_to_the_right() -> None:
    import pptx as library

    slides = library.Presentation()
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "One"
    next(slides.slide_master.element.iter("{*}titleStyle"))[0].set("algn", "l")
    file = io.BytesIO()
    slides.save(file)
    hebrew = dict(_parts(_write(file.getvalue(), {0: ("אחת",)}, "pptx", "he")))
    assert b'<a:pPr rtl="1" algn="r"/>' in hebrew["ppt/slides/slide1.xml"]
    english = dict(_parts(_write(_write(file.getvalue(), {0: ("אחת",)}, "pptx", "he"), {0: ("One",)}, "pptx", "en")))
    assert b'<a:pPr rtl="0" algn="l"/>' in english["ppt/slides/slide1.xml"]


def test_what_is_kept_is_told() -> None:
    tracked = f"<w:p>{_TOC}{_field('end')}<w:ins w:id='1' w:author='A'>{_RUN.format('a')}</w:ins></w:p>"
    more = {"word/vbaProject.bin": "", "_xmlsignatures/sig1.xml": "<a/>", "word/embeddings/book1.xlsx": "x"}
    told = " ".join(_read(_letter(tracked, more)).notes)
    for word in ("tracked changes", "table of contents", "macros", "signature", "1 file inside of it stays"):
        assert word in told


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_words_that_a_chart_has_from_its_worksheet_stay_and_are_counted(kind: str) -> None:
    told = " ".join(_read(_MAKERS[kind](4), kind).notes)
    count = sum(name.startswith(("word/charts/", "ppt/charts/")) for name, _ in _parts(_MAKERS[kind](4)))
    assert ("1 text in its charts comes" if count == 1 else f"{count} texts in its charts come") in told


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_the_places_of_what_is_drawn_are_told(kind: str) -> None:
    places = {one.where.partition(", ")[2] or one.where for one in _read(_MAKERS[kind](4), kind).segments}
    assert {"chart", "diagram", "comment", "picture description"} <= places, places


@pytest.mark.parametrize(("kind", "host"), [("docx", "word/document.xml"), ("pptx", "ppt/slides/slide1.xml")])
def test_a_chart_with_a_value_in_a_strange_place_is_no_end(kind: str, host: str) -> None:
    added = generated_drawings.Additions()
    added.add(host, "charts/strange.xml", "chart", "application/xml", "<c xmlns='c'><v>own</v></c>")
    data = _MAKERS[kind](1)
    assert _read(generated_drawings.put(data, added), kind).segments == _read(data, kind).segments


def test_macros_are_kept_and_the_name_must_say_so() -> None:
    data = _letter(f"<w:p>{_RUN.format('One')}</w:p>", {"word/vbaProject.bin": "macro"})
    types = dict(_parts(data))["[Content_Types].xml"].decode()
    plain = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    data = changed(
        data, {"[Content_Types].xml": types.replace(plain, "application/vnd.ms-word.document.macroEnabled.main+xml")}
    )
    order = Rewriting(_source(data, "docm"), {0: ("Un",)}, "", ".docx")
    with pytest.raises(WrongSuffix, match="docm"):
        rewriters.rewritten(order)
    new = rewriters.rewritten(Rewriting(order.source, order.translated, "", ".docm"))
    assert dict(_parts(new))["word/vbaProject.bin"] == b"macro"


def test_where_a_text_stands_is_told() -> None:
    table = f"<w:tbl><w:tr><w:tc><w:p>{_RUN.format('b')}</w:p></w:tc></w:tr></w:tbl>"
    body = f"<w:p>{_RUN.format('a')}</w:p>{table}<w:p>{_RUN.format('c')}</w:p>"
    assert [one.where for one in _read(_letter(body)).segments] == ["paragraph 1", "table 1", "paragraph 2"]
    places = [one.where for one in _read(generated_office.pptx(3), "pptx").segments]
    assert places[0] == "slide 1" and "slide 1, notes" in places


def test_marks_of_the_translation_survive_as_they_are() -> None:
    data = _letter(f"<w:p>{_RUN.format('a')}</w:p>")
    assert [one.text for one in _read(_write(data, {0: (f"a{MARK}",)})).segments] == [f"a{MARK}"]


@pytest.mark.parametrize("kind", ["docx", "pptx"])
def test_damaged_markup_is_written_or_refused_by_name(kind: str) -> None:
    chance = random.Random(kind)
    data = _MAKERS[kind](2)
    parts = {name: part.decode() for name, part in _parts(data) if name.endswith((".xml", ".rels"))}
    refused = 0
    for _ in range(40):
        name = chance.choice(sorted(parts))
        tokens = re.split("(<[^>]*>)", parts[name])
        for place in chance.sample(range(len(tokens)), k=min(3, len(tokens))):
            old = tokens[place]
            tokens[place] = chance.choice(("", re.sub('"[^"]*"', '"x"', old), old.replace(":r", ":p")))
        broken = changed(data, {name: "".join(tokens)})
        try:
            _write(broken, _asked(_read(broken, kind)), kind, "fr")
        except DocumentError:
            refused += 1
    assert 0 < refused < 40
