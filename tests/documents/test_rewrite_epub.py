"""EPUB written again: chapters, contents and title in other words, and every other part of the archive as it was."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from edgellm.errors import DocumentDamaged, DocumentEncrypted, DocumentError, DocumentTooLarge
from tests import document_files, rewriting

FILES = 100
_XHTML = "http://www.w3.org/1999/xhtml"
_CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'


def _page(body: str) -> str:
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="{_XHTML}" lang="en" xml:lang="en">'
    return f"{head}<head><title>Plum</title></head><body>{body}</body></html>"


def _body(chance: random.Random) -> str:
    def said() -> str:
        return rewriting.words(chance, 5)

    blocks = (
        lambda: f"<h2>{said()}</h2>",
        lambda: f"<p>{said()} <em>{said()}</em> &amp; <a href='c1.xhtml#x'>{said()}</a></p>",
        lambda: f"<ul><li>{said()}</li>\n<li><b>{said()}</b></li></ul>",
        lambda: "<pre><code>x = 1</code></pre><p><img src='p.png' alt=''/></p>",
        lambda: f"<table><tr><td>{said()}</td><td>3</td></tr></table>",
    )
    return "\n".join(chance.choice(blocks)() for _ in range(chance.randrange(1, 6)))


def _book(chance: random.Random) -> bytes:
    count = chance.randrange(1, 4)
    pages = {f"OPS/c{number}.xhtml": _page(_body(chance)) for number in range(count)}
    items = "".join(f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(count))
    items += '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(count))
    about = f"<dc:title>A {rewriting.words(chance, 3)} &amp; so</dc:title><dc:language>en</dc:language>"
    about += "<dc:creator>Ada Plum</dc:creator><dc:identifier id='i'>urn:x</dc:identifier>"
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{about}</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    label = "<navPoint id='a'><navLabel><text>Part one</text></navLabel><content src='c0.xhtml'/></navPoint>"
    ncx = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" xml:lang="en"><navMap>{label}</navMap></ncx>'
    parts: dict[str, str | bytes] = {
        "META-INF/container.xml": _CONTAINER,
        "OPS/book.opf": opf,
        "OPS/toc.ncx": ncx,
        "OPS/nav.xhtml": _page("<nav><ol><li><a href='c0.xhtml'>Part one</a></li></ol></nav>"),
        "OPS/p.png": chance.randbytes(2000),
        "OPS/style.css": "p { color: red }",
        **pages,
    }
    names = list(parts)
    chance.shuffle(names)
    return document_files.archive({"mimetype": "application/epub+zip", **{name: parts[name] for name in names}})


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def _shape(data: bytes) -> list[tuple[str, dict[str, str], str, str]]:
    """Elements with their attributes but the language, and their words without spaces."""
    return [
        (
            str(one.tag),
            {name: value for name, value in one.attrib.items() if not name.endswith("lang")},
            "".join((one.text or "").split()),
            "".join((one.tail or "").split()),
        )
        for one in etree.fromstring(data).iter()
    ]


def _same(shape: list[tuple[str, dict[str, str], str, str]]) -> list[object]:
    found = []
    for tag, attributes, text, tail in shape:
        kept = "de" if tag.endswith("}language") else text
        said = kept if tag.endswith(("code", "creator", "identifier", "language")) else rewriting.swapped(text)
        found.append((tag, attributes, said, rewriting.swapped(tail)))
    return [*found]


def test_generated_books_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    for seed in range(FILES):
        path.write_bytes(_book(random.Random(seed)))
        before = _parts(path.read_bytes())
        same = rewriting.rewritten(path, str)
        assert list(_parts(same).items()) == list(before.items()), seed
        new = rewriting.rewritten(path, rewriting.swapped, "de")
        with zipfile.ZipFile(io.BytesIO(new)) as archive:
            first = archive.infolist()[0]
            assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        after = _parts(new)
        assert list(after) == list(before)
        for name, data in before.items():
            if name.endswith((".xhtml", ".opf", ".ncx")):
                assert _shape(after[name]) == _same(_shape(data)), (seed, name)
                assert b">de<" in after[name] or b'lang="de"' in after[name]
            else:
                assert after[name] == data


def test_segments_say_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(document_files.epub(["<p>One</p>", "<p>Two</p>"]))
    found = rewriting.sheet(path)
    assert [(one.where.split(",")[0], one.text) for one in found.segments] == [
        ("book", "A Book"),
        ("chapter 1", "One"),
        ("chapter 2", "Two"),
    ]


def _with(parts: dict[str, str | bytes]) -> bytes:
    return document_files.changed(document_files.epub(), parts)


def _locked(method: str) -> str:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData>'
        f'<EncryptionMethod Algorithm="{method}"/></EncryptedData></encryption>'
    )


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        (_with({"META-INF/rights.xml": "<rights/>"}), DocumentEncrypted, "copy protected"),
        (
            _with({"META-INF/encryption.xml": _locked("http://www.w3.org/2001/04/xmlenc#aes128-cbc")}),
            DocumentEncrypted,
            "copy protected",
        ),
        (_with({"OPS/p.png": bytes(200 << 20)}), DocumentTooLarge, "unpacks to"),
        (_with({"../../evil.xhtml": "x"}), DocumentDamaged, "outside of its folder"),
        (_with({"/etc/evil": "x"}), DocumentDamaged, "outside of its folder"),
        (_with({"OPS\\..\\evil": "x"}), DocumentDamaged, "outside of its folder"),
        (_with({"META-INF/container.xml": "<container/>"}), DocumentDamaged, "damaged"),
        (_with({"OPS/book.opf": "<package"}), DocumentDamaged, "damaged"),
        (document_files.epub()[:-200], DocumentDamaged, "damaged"),
    ],
    ids=["rights", "encrypted", "bomb", "slip", "root", "backslash", "no package", "broken package", "cut"],
)
def test_bad_books_are_refused(tmp_path: Path, data: bytes, error: type[DocumentError], why: str) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(data)
    with pytest.raises(error, match=why):
        rewriting.sheet(path)


def test_a_book_whose_fonts_alone_are_hidden_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    path.write_bytes(_with({"META-INF/encryption.xml": _locked("http://www.idpf.org/2008/embedding")}))
    assert rewriting.sheet(path).segments
    assert "META-INF/encryption.xml" in _parts(rewriting.rewritten(path, rewriting.swapped))


@pytest.mark.parametrize(
    ("spine", "language", "after"),
    [
        ("<spine>", "ar", '<spine page-progression-direction="rtl">'),
        (
            '<spine toc="ncx" page-progression-direction="ltr">',
            "he",
            '<spine toc="ncx" page-progression-direction="rtl">',
        ),
        ("<spine page-progression-direction='rtl'>", "en", "<spine page-progression-direction='ltr'>"),
        ("<spine page-progression-direction='rtl'>", "zh", "<spine page-progression-direction='rtl'>"),
        ("<spine>", "fr", "<spine>"),
    ],
)
def test_a_book_is_turned_with_its_language(tmp_path: Path, spine: str, language: str, after: str) -> None:
    path = tmp_path / "a.epub"
    opf = _parts(_book(random.Random(1)))["OPS/book.opf"].decode().replace("<spine>", spine)
    path.write_bytes(document_files.changed(_book(random.Random(1)), {"OPS/book.opf": opf}))
    parts = _parts(rewriting.rewritten(path, rewriting.swapped, language))
    assert after.encode() in parts["OPS/book.opf"]
    leftward = language in ("ar", "he")
    pages = [data for name, data in parts.items() if name.endswith(".xhtml")]
    assert [b'dir="rtl"' in data for data in pages] == [leftward] * len(pages)
