"""A folder of 361 bad files and 12 good ones, the same in every run: what a reader of documents must survive.

Each bad file is damaged, hostile, misnamed or no plain file at all. Whether one can still be read is left to the
readers; those of `refused` cannot, by anyone.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import random
import socket
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import document_files as made

BAD = 361
OLD = 1_700_000_000
CANARY = "heronry"  # what a file outside holds: it must never be found
ELSEWHERE = "http://192.0.2.7:9/canary"  # an address that belongs to nobody
_RTF = rb"{\rtf1\ansi\ansicpg1252 Gr\'f6\'dfe \b and\b0  weight of %s.\par Second.\par}"
_EML = b"From: a@b.example\nSubject: =?utf-8?q?x?=\nDate: Mon, 3 Nov 2025 10:00:00 +0000\n\nWords of %s\n"
_SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello %s\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
_XML = '<?xml version="1.0"?>'


@dataclass(frozen=True, slots=True)
class Folder:
    """`good`: name -> a word that only this file holds. `bad` are names, `refused` those that cannot be read."""

    path: Path
    good: dict[str, str]
    bad: frozenset[str]
    refused: frozenset[str]

    def passed_over(self) -> frozenset[str]:
        """What an index does not look at: links, and a folder with the name of a file."""
        return frozenset(
            name for name in self.bad if (self.path / name).is_symlink() or not (self.path / name).exists()
        ) | {"folder.pdf"}


def write(path: Path, outside: Path, count: int = BAD) -> Folder:
    """Write the files into `path`; `outside` is where the canary is put."""
    path.mkdir()
    outside.mkdir()
    (outside / "canary.txt").write_text(CANARY)
    good = dict(_good())
    bad = dict(hostile((outside / "canary.txt").as_uri()))
    refused = {name for name in bad if name.startswith("no-")}
    special = list(_special(path, outside))
    bad = dict(list(bad.items())[: count - len(special)])
    copies = _damaged({name: data for name, (data, _) in good.items()})
    while len(bad) + len(special) < count:
        name, data = next(copies)
        bad[name] = data
    for name, data in {**bad, **{name: data for name, (data, _) in good.items()}}.items():
        (path / name).write_bytes(data)
    for number, name in enumerate(sorted(os.listdir(path))):
        os.utime(path / name, (OLD + number, OLD + number), follow_symlinks=False)
    names = frozenset(bad) | frozenset(special)
    return Folder(path, {name: word for name, (_, word) in good.items()}, names, frozenset(refused & names))


def _good() -> Iterator[tuple[str, tuple[bytes, str]]]:
    """Twelve whole files; two have names that are unusual and allowed."""
    yield "g01.pdf", (made.pdf([[(24, "Head"), (12, "Words of alder")]]), "alder")
    yield "g02.docx", (_named(made.docx(), "word/document.xml", "Before the table.", "birch"), "birch")
    yield "g03.pptx", (_named(made.pptx(), "ppt/slides/slide1.xml", "Harvest", "cedar"), "cedar")
    yield "g04.xlsx", (_named(made.xlsx(), "xl/worksheets/sheet2.xml", "Picked by hand", "dogwood"), "dogwood")
    yield "g05.odt", (_named(made.odt(), "content.xml", "Orchard", "elder"), "elder")
    yield "g06.epub", (made.epub(["<h1>One</h1><p>Words of fir.</p>"]), "fir")
    yield "g07.rtf", (_RTF % b"ginkgo", "ginkgo")
    yield "g08.html", (b"<html><h1>Tree</h1><p>hazel</p></html>", "hazel")
    yield "g09.eml", (_EML % b"ivy", "ivy")
    yield "g10.srt", (_SRT % b"juniper", "juniper")
    yield "g11 \U0001f333 \u6811.md", ("# Tree\n\n\u6811 larch\n".encode(), "larch")
    yield "g12 'a\nb' \u202egnp.txt", (b"maple", "maple")


def _named(data: bytes, member: str, old: str, word: str) -> bytes:
    text = _member(data, member)
    assert old in text
    return made.changed(data, {member: text.replace(old, word, 1)})


def _damaged(samples: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Copies that are cut, flipped, blanked or doubled somewhere, of each format in turn, without end."""
    chance = random.Random(BAD)
    number = 0
    while True:
        for name, whole in samples.items():
            number += 1
            data, suffix = bytearray(whole), Path(name).suffix
            at = chance.randrange(len(data))
            match number % 4:
                case 0:
                    del data[at:]
                case 1:
                    for _ in range(chance.randrange(1, 40)):
                        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                case 2:
                    data[at : at + 64] = bytes(len(data[at : at + 64]))
                case _:
                    data[at:at] = data[: chance.randrange(1, len(data))]
            yield f"copy {number:03}{suffix}", bytes(data)


def hostile(canary: str) -> Iterator[tuple[str, bytes]]:
    """The files made by hand; `canary` is the address of a file that must not be read. `no-...` cannot be read."""
    yield from _texts()
    yield from _pdfs()
    yield from _archives()
    yield from _entities(canary)
    yield from _markup(canary)
    for number, suffix in enumerate(("pdf", "docx", "pptx", "xlsx", "odt", "epub", "rtf", "html", "md", "eml", "csv")):
        yield f"no-empty.{suffix}", b""
        yield f"noise.{suffix}", random.Random(number).randbytes(3000)
        for other, data in (("pdf", made.pdf([[(12, "Words")]])), ("rtf", _RTF % b"x"), ("srt", _SRT % b"x")):
            yield f"is-{other}.{suffix}", data


def _texts() -> Iterator[tuple[str, bytes]]:
    yield "nul.txt", bytes(500)
    yield "odd.txt", "\u6811".encode("utf-16-le") * 50 + b"\0"
    yield "line.txt", b"x" * 300_000
    yield "space.txt", b" \n" * 5000
    yield "marks.md", b"[" * 20_000 + b"](" * 2000
    yield "quotes.md", b">" * 3000 + b" deep"
    yield "stars.md", b"*a **b " * 3000
    yield "ticks.md", b"".join(b"`" * n + b" " for n in range(1, 300))
    yield "list.md", b"\n".join(b" " * n + b"- x" for n in range(500))
    yield "columns.csv", b",".join([b"1e99999"] * 20_000) + b'\n"unclosed'
    yield "field.csv", b'"' + b"x" * 200_000
    yield "times.srt", b"1\n99:99:99,999 --> 00:00:00,000\nx\n\n-1\n00:00:01,000 --> x\n"
    yield "times.vtt", b"WEBVTT\n\n" + b"9" * 5000 + b":00.000 --> 00:01.000\nx\n"
    yield "groups.rtf", rb"{\rtf1 " + b"{" * 20_000 + b"x"
    yield "bin.rtf", rb"{\rtf1 a\bin999999999999 b\u-99999999 c\'zz d\par}"
    yield "field.rtf", rb'{\rtf1{\field{\*\fldinst INCLUDEPICTURE "' + ELSEWHERE.encode() + rb'"}{\fldrslt x}}}'
    yield "object.rtf", rb"{\rtf1{\object\objdata " + b"41" * 50_000 + rb"}}"
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(400))
    yield "nested.eml", b"From: a@b.c\nSubject: x\nDate: x\nMIME-Version: 1.0\n" + parts
    head = b"From: a@b.c\nDate: x\nSubject: x\n"
    yield "words.eml", head + b"To: =?nosuch?b?!!!?= =?utf-8?q?=ZZ?=\nContent-Type: text/plain; charset=nosuch\n\n\xff"
    yield "base64.eml", head + b"Content-Transfer-Encoding: base64\n\n" + b"!!!!=A" * 500
    yield "header.eml", b"Subject: " + b"x" * 200_000 + b"\nFrom: a@b.c\nDate: x\n\nx"
    body = b"Content-Type: message/external-body; access-type=URL; URL=" + ELSEWHERE.encode()
    yield "external.eml", head + body + b"\n\nContent-Type: text/html\n\n"
    inner = base64.encodebytes(made.docx())
    kind = b'Content-Type: application/msword; name="../../evil.docx"\nContent-Transfer-Encoding: base64\n\n'
    yield "attached.eml", head + kind + inner


def _pdfs() -> Iterator[tuple[str, bytes]]:
    whole = made.pdf([[(12, "Words")]])
    yield "no-head.pdf", b"%PDF-1.7\n"
    yield "no-secret.pdf", made.encrypted_pdf()
    yield "no-tree.pdf", b"%PDF-1.7\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF"
    for name, old, new in (
        ("kids", b"/Kids [5 0 R]", b"/Kids [2 0 R]"),
        ("count", b"/Count 1", b"/Count 2147483647"),
        ("negative", b"/Count 1", b"/Count -5"),
        ("length", b"/Length ", b"/Length 99999999"),
        ("box", b"/MediaBox [0 0 595 842]", b"/MediaBox [0 0 1e38 -1e38]"),
        ("font", b"/BaseFont /Helvetica", b"/BaseFont 3 0 R"),
        ("root", b"/Root 1 0 R", b"/Root 99 0 R"),
        ("info", b"/Info 6 0 R", b"/Info 1 0 R"),
        ("previous", b"/Size 7", b"/Size 7 /Prev 9"),
        ("size", b"/Size 7", b"/Size 2147483647"),
        ("start", b"startxref\n", b"startxref\n999999999999"),
        ("script", b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >>"),
        ("launch", b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /Launch /F (/bin/sh) >>"),
        ("link", b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /URI /URI (" + ELSEWHERE.encode() + b") >>"),
        ("deep", b"(Words) Tj", b"[" * 5000 + b"(Words) Tj"),
        ("state", b"(Words) Tj", b"q " * 5000 + b"(Words) Tj"),
        ("large", b"12 Tf", b"1e30 Tf"),
    ):
        assert old in whole, name
        yield f"{name}.pdf", whole.replace(old, new)
    packed = zlib.compress(b"(x) Tj " * 300_000)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    start = whole.index(b"4 0 obj\n") + 8
    yield "packed.pdf", whole[:start] + stream + whole[whole.index(b"\nendobj", start) :]


def _archives() -> Iterator[tuple[str, bytes]]:
    letter, inner = made.docx(), made.archive({"a.txt": bytes(1 << 20)})
    for _ in range(6):
        inner = made.archive({f"{n}.zip": inner for n in range(4)})
    yield "no-nested.zip.docx", inner
    yield "no-bomb.docx", made.changed(letter, {"word/media/image.png": bytes(60 << 20)})
    yield "no-many.docx", made.archive({f"{n}": b"" for n in range(15_000)})
    slip = {"../../slip.txt": CANARY, "/slip.txt": CANARY, "C:\\slip.txt": CANARY, "word/../../slip.xml": CANARY}
    for name, data in (("docx", letter), ("pptx", made.pptx()), ("xlsx", made.xlsx()), ("odt", made.odt())):
        yield f"slip.{name}", made.changed(data, slip)
        yield f"no-end.{name}", data[:-60]
        yield f"tail.{name}", data + bytes(70_000)
        yield f"front.{name}", b"MZ" + data
    yield "slip.epub", made.changed(made.epub(), slip)
    way = '<container><rootfiles><rootfile full-path="../../../etc/passwd"/></rootfiles></container>'
    yield "way.epub", made.changed(made.epub(), {"META-INF/container.xml": way})
    cell = '<c r="XFD1048576" t="s"><v>999999999</v></c><c r="A1"><v>1e999</v></c><c r="ZZZZZ9"><f>1/0</f></c>'
    sheet = (
        f'{_XML}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576">{cell}</row></sheetData></worksheet>'
    )
    yield "cells.xlsx", made.changed(made.xlsx(), {"xl/worksheets/sheet1.xml": sheet})
    link = f'<Relationship Id="r9" Type="image" Target="{ELSEWHERE}" TargetMode="External"/></Relationships>'
    rels = "word/_rels/document.xml.rels"
    yield "link.docx", made.changed(letter, {rels: _member(letter, rels).replace("</Relationships>", link)})
    yield "wheel.docx", made.changed(letter, {rels: _member(letter, rels).replace("styles.xml", "document.xml")})
    deep = "<w:p>" * 20_000
    yield "no-deep.docx", made.changed(letter, {"word/document.xml": f"{_XML}<w:document>{deep}"})


def _member(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as inside:
        return inside.read(name).decode()


def _entities(canary: str) -> Iterator[tuple[str, bytes]]:
    """Entities that read a file, call another computer, or grow without end, in each part that is XML."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    kinds = {
        "file": f'<!DOCTYPE d [<!ENTITY e SYSTEM "{canary}">]>',
        "net": f'<!DOCTYPE d [<!ENTITY e SYSTEM "{ELSEWHERE}">]>',
        "dtd": f'<!DOCTYPE d SYSTEM "{ELSEWHERE}.dtd" [<!ENTITY e "x">]>',
        "parameter": f'<!DOCTYPE d [<!ENTITY % p SYSTEM "{ELSEWHERE}"> %p; <!ENTITY e "x">]>',
        "laughs": f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}<!ENTITY e "&l9;">]>',
        "square": f'<!DOCTYPE d [<!ENTITY e "{"x" * 20_000}">]>',
    }
    parts = (
        ("docx", made.docx(), "word/document.xml"),
        ("pptx", made.pptx(), "ppt/slides/slide1.xml"),
        ("xlsx", made.xlsx(), "xl/worksheets/sheet1.xml"),
        ("odt", made.odt(), "content.xml"),
        ("epub", made.epub(), "OPS/book.opf"),
    )
    for kind, entity in kinds.items():
        for suffix, data, member in parts:
            text = _member(data, member)
            start = text.index("?>") + 2 if text.startswith("<?xml") else 0
            times = 300 if kind == "square" else 1
            last = text.rindex("</")
            bad = f"{text[:start]}{entity}{text[start:last]}{'&e;' * times}{text[last:]}"
            yield f"entity-{kind}.{suffix}", made.changed(data, {member: bad})


def _markup(canary: str) -> Iterator[tuple[str, bytes]]:
    for name, body in {
        "deep": "<div>" * 20_000 + "x",
        "table": "<table><tr><td>" * 300 + "x",
        "numbers": "<p>&#x110000; &#99999999999; &#0; &#xD800; &nosuch;</p>",
        "remote": f'<img src="{ELSEWHERE}"><link rel=stylesheet href="{ELSEWHERE}"><script src="{ELSEWHERE}"></script>',
        "frame": f'<iframe src="{canary}"></iframe><object data="{canary}"></object><base href="{ELSEWHERE}">x',
        "refresh": f'<meta http-equiv=refresh content="0;url={ELSEWHERE}">x',
        "charset": '<meta charset="nosuch"><meta charset="utf-7">+ADw-script+AD4-',
        "attribute": f'<p title="{"x" * 300_000}">x</p>',
        "open": "<p <p <p <<<< & > <!-- <![CDATA[ <? x",
        "nul": "<p>a\0b</p>\0\0",
        "laughs": '<!DOCTYPE d [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><p>&b;</p>',
    }.items():
        yield f"{name}.html", f"<html>{body}".encode()
        yield f"{name}.epub", made.epub([body])


def _special(path: Path, outside: Path) -> Iterator[str]:
    """What is no plain file, or has a name that is hard to bear; yields the names."""
    names = [
        "-rf.txt",
        "a\tb\x1b[31m.pdf",
        "\u202efdp.exe.pdf",
        "x" * 240 + ".pdf",
        "\U0001f4a3" * 50 + ".docx",
        "%s%n.pdf",
    ]
    if os.name == "posix":
        names += ["new\nline\r.pdf", 'quote"<b>.html', "back\\slash.pdf", "CON.pdf"]
    for name in names:
        (path / name).write_bytes(b"%PDF-1.7 nothing")
        yield name
    (path / "folder.pdf").mkdir()
    yield "folder.pdf"
    with (path / "sparse.pdf").open("wb") as file:
        file.truncate(9 << 20)
    yield "sparse.pdf"
    if os.name != "posix":
        return
    os.mkfifo(path / "pipe.pdf")
    with socket.socket(socket.AF_UNIX) as one, _folder(path):
        one.bind("socket.pdf")
    (path / "loop.pdf").symlink_to(path / "loop.pdf")
    (path / "loops").symlink_to(path, target_is_directory=True)
    (path / "gone.pdf").symlink_to(path / "nothing.pdf")
    (path / "canary.txt").symlink_to(outside / "canary.txt")
    yield from ("pipe.pdf", "socket.pdf", "loop.pdf", "loops", "gone.pdf", "canary.txt")


def _folder(path: Path) -> contextlib.chdir[Path]:
    """The name of a socket is short: it is bound from within its folder."""
    return contextlib.chdir(path)
