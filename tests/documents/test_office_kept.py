"""Office files with parts that are broken, and texts that stay: the rest is translated, and what stays is said."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgellm.documents import formats_docx, formats_office, rewriters
from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Limits, Source
from edgellm.errors import DocumentDamaged
from tests import generated_office
from tests.document_files import changed

_MAKERS: dict[str, Callable[[int], bytes]] = {"docx": generated_office.docx, "pptx": generated_office.pptx}
_BROKEN = "<a><b></a>"
_VML = "urn:schemas-microsoft-com:vml"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"


def _source(data: bytes, kind: str) -> Source:
    return Source(Path(f"file.{kind}"), data, Limits())


def _read(data: bytes, kind: str) -> Sheet:
    return rewriters.FORMATS[kind].read(_source(data, kind))


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _named(data: bytes, word: str) -> str:
    """The first part whose name holds a word."""
    return next(name for name in _parts(data) if word in name and not name.endswith(".rels"))


def _with(data: bytes, name: str, old: str, new: str) -> bytes:
    text = _parts(data)[name].decode()
    assert old in text
    return changed(data, {name: text.replace(old, new, 1)})


@pytest.mark.parametrize("kind", ["docx", "pptx"])
@pytest.mark.parametrize("word", ["/charts/", "/diagrams/data", "/comments"])
def test_a_broken_chart_or_comment_stays_and_the_rest_is_translated(kind: str, word: str) -> None:
    whole = _MAKERS[kind](4)
    name = _named(whole, word)
    data = changed(whole, {name: _BROKEN})
    sheet = _read(data, kind)
    assert 0 < len(sheet.segments) <= len(_read(whole, kind).segments)
    assert "1 part of it is broken and stays as before" in " ".join(sheet.notes)
    assert "is broken" not in " ".join(_read(whole, kind).notes)
    document = {"docx": formats_docx.docx, "pptx": formats_office.pptx}[kind]
    draft = document(_source(data, kind))
    assert draft.pages == document(_source(whole, kind)).pages
    order = Rewriting(_source(data, kind), {0: ("NEW",) * len(sheet.segments[0].pieces)}, "", f".{kind}")
    written = rewriters.FORMATS[kind].write(order)
    assert _parts(written)[name] == _BROKEN.encode()
    assert "NEW" in _read(written, kind).segments[0].text


@pytest.mark.parametrize(("kind", "name"), [("docx", "word/document.xml"), ("pptx", "ppt/slides/slide1.xml")])
def test_a_broken_text_is_refused(kind: str, name: str) -> None:
    with pytest.raises(DocumentDamaged):
        _read(changed(_MAKERS[kind](4), {name: _BROKEN}), kind)


def test_words_in_old_drawings_are_counted_once() -> None:
    shape = f'<v:shape xmlns:v="{_VML}" alt="A red house"><v:textpath string="Welcome"/></v:shape>'
    again = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Fallback>{shape}</mc:Fallback></mc:AlternateContent>"
    )
    plain = generated_office.docx(4)
    assert "older kind" not in " ".join(_read(plain, "docx").notes)
    data = _with(
        plain, "word/document.xml", "<w:body>", f"<w:body><w:p><w:r><w:pict>{shape}</w:pict>{again}</w:r></w:p>"
    )
    assert "2 texts in its drawings of an older kind stay as before" in " ".join(_read(data, "docx").notes)


def test_texts_of_layouts_are_counted_without_their_hints() -> None:
    plain = generated_office.pptx(4)
    name = _named(plain, "slideLayouts/slideLayout")
    assert "layouts and masters" not in " ".join(_read(plain, "pptx").notes)
    text = f'<p:txBody><a:p xmlns:a="{_A}"><a:r><a:t>{{}}</a:t></a:r></a:p></p:txBody>'
    shapes = f"<p:sp>{text.format('For internal use')}</p:sp><p:sp><p:nvPr><p:ph/></p:nvPr>{text.format('Hint')}</p:sp>"
    used = [one for one in _parts(plain) if "slideLayouts/slideLayout" in one and not one.endswith(".rels")]
    data = plain
    for one in used:
        data = _with(data, one, "</p:spTree>", f"{shapes}</p:spTree>")
    told = " ".join(_read(data, "pptx").notes)
    assert name in used
    assert "in its layouts and masters stay" in told
    count = int(told.split(" text")[0].rsplit(" ", 1)[-1])
    assert 1 <= count <= len(used)
