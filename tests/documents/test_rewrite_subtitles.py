"""SRT and WebVTT written again: times, settings, tags and numbers of lines stay, as pysubs2 sees them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pysubs2
import pytest

from edgellm.errors import DocumentDamaged
from tests import rewriting

FILES = 100


def _time(tick: int, mark: str) -> str:
    return f"{tick // 3600:02}:{tick // 60 % 60:02}:{tick % 60:02}{mark}500"


def _words(chance: random.Random) -> str:
    said = rewriting.words(chance, 5)
    choices = (
        said,
        said,
        f"<i>{said}</i>",
        f'<font color="#ff0">{said}</font> and',
        f"{said} <b>{rewriting.words(chance, 2)}</b>",
    )
    return chance.choice(choices)


def _cue(chance: random.Random, number: int, web: bool) -> str:
    lines = [_words(chance) for _ in range(chance.randrange(1, 4))]
    if chance.random() < 0.2:
        lines = [f"- {line}" for line in lines]
    if chance.random() < 0.2:
        lines[0] = ("<v Bob>" if web else "{\\an8}") + lines[0]
    if chance.random() < 0.1:
        lines = ["..."]
    if web and chance.random() < 0.3:
        lines[-1] += " &amp; &lt;that&gt;"
    times = " --> ".join(_time(number * 5 + step, "." if web else ",") for step in (0, 3))
    name = chance.choice((f"{number}\n", "intro\n", "")) if web else f"{number}\n"
    return f"{name}{times}{chance.choice(('', ' line:0 align:start' if web else ' X1:10 X2:20'))}\n" + "\n".join(lines)


def _file(chance: random.Random, web: bool) -> bytes:
    parts = [_cue(chance, number, web) for number in range(1, chance.randrange(2, 9))]
    if web:
        parts.insert(0, "WEBVTT - plum\nKind: captions\nLanguage: en")
        parts.insert(1, "STYLE\n::cue { color: red }")
        parts.insert(chance.randrange(2, len(parts) + 1), "NOTE plum tree\n00 not a cue")
    text = "\n\n".join(parts) + chance.choice(("", "\n", "\n\n"))
    if chance.random() < 0.4:
        text = text.replace("\n", "\r\n")
    return chance.choice((b"", b"\xef\xbb\xbf")) + text.encode()


def _shown(data: bytes, web: bool) -> list[tuple[int, int, str, list[str], int]]:
    """Of each cue: times, text without spaces, tags, number of lines."""
    text = re.sub(
        r"\n(?:NOTE .*\n.*|intro)(?=\n|\Z)", "", data.decode("utf-8-sig").replace("\r\n", "\n")
    )  # unknown to pysubs2
    cues = pysubs2.SSAFile.from_string(text, format_="vtt" if web else "srt", keep_html_tags=True)
    return [
        (
            cue.start,
            cue.end,
            "".join(re.sub(r"<[^>]*>|\{\\[^}]*\}", "", cue.text.replace("\\N", " ")).split()),
            re.findall(r"<[^>]*>|\{\\[^}]*\}", cue.text),
            cue.text.count("\\N"),
        )
        for cue in cues
    ]


@pytest.mark.parametrize("web", [False, True], ids=["srt", "vtt"])
def test_generated_files_round_trip(tmp_path: Path, web: bool) -> None:
    path = tmp_path / ("a.vtt" if web else "a.srt")
    for seed in range(FILES):
        data = _file(random.Random(seed), web)
        path.write_bytes(data)
        assert rewriting.rewritten(path, str) == data, seed
        new = rewriting.rewritten(path, rewriting.swapped)
        before, after = _shown(data, web), _shown(new, web)
        swapped = [(start, end, _swapped(text), tags, lines) for start, end, text, tags, lines in before]
        assert after == swapped, seed
        kept = [line for line in data.splitlines() if b"-->" in line or b"NOTE" in line or b"cue" in line]
        assert [line for line in new.splitlines() if b"-->" in line or b"NOTE" in line or b"cue" in line] == kept
        assert data.startswith(b"\xef\xbb\xbf") == new.startswith(b"\xef\xbb\xbf")
        assert (b"\r\n" in data) == (b"\r\n" in new) and new.count(b"\n") == data.count(b"\n")


def _swapped(text: str) -> str:
    """Swapped, but for the references, which are no words."""
    return re.sub(r"&[A-Z]+;", lambda one: one[0].lower(), rewriting.swapped(text))


def _srt(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.srt"
    path.write_bytes(text.encode(encoding))
    return path


ONE = "1\n00:00:01,000 --> 00:00:02,000\n"


def test_a_sentence_over_two_lines_is_one_text_and_has_two_lines_again(tmp_path: Path) -> None:
    path = _srt(tmp_path, ONE + "We walked along\nthe river.\n")
    assert [(one.where, one.pieces) for one in rewriting.sheet(path).segments] == [
        ("00:00:01,000", ("We walked along the river.",))
    ]
    new = rewriting.replaced(path, {0: ("Wir gingen am Fluss entlang spazieren.",)})
    assert new.decode() == ONE + "Wir gingen am Fluss\nentlang spazieren.\n"
    assert rewriting.replaced(path, {0: ("我们沿着那条河走了很久。",)}).decode() == ONE + "我们沿着那条\n河走了很久。\n"


def test_each_speaker_keeps_a_line(tmp_path: Path) -> None:
    path = _srt(tmp_path, ONE + "- Who is it?\n- It is me,\nyour friend.\n")
    assert rewriting.sheet(path).segments[0].pieces == ("- Who is it?\n- It is me, your friend.",)
    new = rewriting.replaced(path, {0: ("- Qui est-ce ?\n- C'est moi, ton ami.",)})
    assert new.decode() == ONE + "- Qui est-ce ?\n- C'est moi,\nton ami.\n"


def test_no_translation_ends_its_cue_or_begins_another(tmp_path: Path) -> None:
    path = _srt(tmp_path, ONE + "One\n\n2\n00:00:03,000 --> 00:00:04,000\nTwo\n")
    new = rewriting.replaced(path, {0: ("a\n\n \n7\n00:00:03,500 --> 00:00:03,900\nb",)})
    assert new.count(b"-->") == 2
    assert [part.count("\n") > 1 for part in new.decode().split("\n\n")] == [True, True]


def test_the_encoding_stays_where_the_translation_fits(tmp_path: Path) -> None:
    text = ONE + "Die Größe der Bäume überrascht die Gärtner – und über die Früchte freuen sich später alle.\n"
    path = _srt(tmp_path, text, "cp1252")
    (note,) = rewriting.sheet(path).notes
    assert "guessed: cp125" in note
    assert rewriting.replaced(path, {0: ("L'été passé",)}).decode("cp1252") == ONE + "L'été passé\n"
    assert rewriting.replaced(path, {0: ("春天",)}).decode("utf-8") == ONE + "春天\n"


def test_utf_16_stays_so(tmp_path: Path) -> None:
    path = _srt(tmp_path, ONE + "Plum\n", "utf-16")
    assert rewriting.replaced(path, {0: ("Prune",)}).decode("utf-16") == ONE + "Prune\n"


def test_webvtt_says_its_language_and_writes_its_signs_as_references(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    path.write_text("WEBVTT\nLanguage: en\n\n00:01.000 --> 00:02.000\n<c.x>a &lt; b</c>\n", encoding="utf-8")
    sheet = rewriting.sheet(path)
    assert (sheet.language, sheet.segments[0].pieces) == ("en", ("a < b",))
    new = rewriting.replaced(path, {0: ("b > a & c",)}, "de")
    assert new.decode() == "WEBVTT\nLanguage: de\n\n00:01.000 --> 00:02.000\n<c.x>b &gt; a &amp; c</c>\n"


def test_a_damaged_head_does_not_make_subtitles_of_another_kind(tmp_path: Path) -> None:
    path = _srt(tmp_path, "x\n" + ONE + "Plum\n")
    assert rewriting.replaced(path, {0: ("Prune",)}).decode() == "x\n" + ONE + "Prune\n"


@pytest.mark.parametrize(("name", "text"), [("a.vtt", "WEBVTT\n\nplum\n"), ("a.srt", "plum\n")])
def test_a_file_of_no_cues_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentDamaged, match="no subtitles"):
        rewriting.sheet(path)


def test_a_cue_of_a_hundred_thousand_words_is_written_in_no_time(tmp_path: Path) -> None:
    """Its time grows with its length: with the square of it, this test would take an hour."""
    path = _srt(tmp_path, ONE + "a " * 100_000 + "\n" + "b\n" * 3000)
    assert rewriting.rewritten(path, rewriting.swapped).count(b"\n") == 3003
