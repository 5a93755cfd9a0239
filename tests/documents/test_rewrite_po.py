"""PO files written again: what was missing is filled in, and all else is as it was, as polib sees it."""

from __future__ import annotations

import random
from pathlib import Path

import polib
import pytest

from edgellm.errors import DocumentDamaged
from tests import rewriting

FILES = 100
_HEAD = (
    'msgid ""\nmsgstr ""\n"Project-Id-Version: x\\n"\n"Language: en\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
)


def _quoted(chance: random.Random, text: str) -> str:
    shown = polib.escape(text)
    if chance.random() < 0.3:
        half = len(text) // 2
        return f'""\n"{polib.escape(text[:half])}"\n"{polib.escape(text[half:])}"'
    return f'"{shown}"'


def _text(chance: random.Random, number: int) -> str:
    said = f"{rewriting.words(chance, 6)} {number}"
    choices = (said, said, f'{said} "so" \\ it', f"{said}\n", f"{said}\nand\tmore", said + " plum" * 30)
    return chance.choice(choices)


def _message(chance: random.Random, number: int) -> str:
    lines = chance.choice(([], ["# a note"], ["#. for translators", "#: a.c:1 b.c:2"]))
    flags = chance.choice(([], [], ["c-format"], ["fuzzy"], ["fuzzy", "python-format"], ["python-format", "fuzzy"]))
    lines += [f"#, {', '.join(flags)}"] if flags else []
    lines += ['#| msgid "before"'] if "fuzzy" in flags else []
    lines += [f'msgctxt "menu {number}"'] if chance.random() < 0.3 else []
    text = _text(chance, number)
    old = chance.choice(("", "vieux")) if "fuzzy" not in flags else "vieux"
    lines.append(f"msgid {_quoted(chance, text)}")
    if chance.random() < 0.2:
        lines.append(f"msgid_plural {_quoted(chance, 'many ' + text.lstrip())}")
        lines += [f'msgstr[{form}] "{old}"' for form in range(chance.choice((1, 2, 3)))]
    else:
        lines.append(f"msgstr {_quoted(chance, old)}")
    return "\n".join(lines)


def _file(chance: random.Random) -> str:
    parts = [f"# A title\n{_HEAD}".rstrip(), *(_message(chance, number) for number in range(chance.randrange(1, 12)))]
    parts += ['#~ msgid "gone"\n#~ msgstr "parti"'] * chance.randrange(2)
    text = chance.choice(("\n\n", "\n\n", "\n\n\n")).join(parts) + chance.choice(("", "\n"))
    return text.replace("\n", "\r\n") if chance.random() < 0.3 else text


def _translated(old: polib.POEntry) -> tuple[str, dict[int, str]]:
    """What an entry's translations are to be."""
    fuzzy = "fuzzy" in old.flags
    if not old.msgid_plural:
        return (rewriting.swapped(old.msgid) if fuzzy or not old.msgstr else old.msgstr), {}
    one = old.msgid if len(old.msgstr_plural) > 1 else old.msgid_plural
    return "", {
        form: was if was and not fuzzy else rewriting.swapped(old.msgid_plural if form else one)
        for form, was in old.msgstr_plural.items()
    }


def test_generated_files_round_trip(tmp_path: Path) -> None:
    path, out = tmp_path / "a.po", tmp_path / "b.po"
    for seed in range(FILES):
        text = _file(random.Random(seed))
        path.write_bytes(text.encode())
        assert rewriting.rewritten(path, str) == text.encode(), seed
        out.write_bytes(rewriting.rewritten(path, rewriting.swapped, "pt-BR"))
        before, after = polib.pofile(str(path)), polib.pofile(str(out))
        assert after.metadata == {**before.metadata, "Language": "pt_BR"}
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            for name in ("msgid", "msgid_plural", "msgctxt", "comment", "tcomment", "occurrences", "previous_msgid"):
                assert getattr(old, name) == getattr(new, name), (seed, name)
            assert new.flags == [flag for flag in old.flags if flag != "fuzzy" or old.obsolete]
            if not old.obsolete:
                assert (new.msgstr, new.msgstr_plural) == _translated(old), seed
        mine = [line for line in out.read_bytes().splitlines() if not line.startswith((b"msgstr", b'"', b"#,"))]
        assert mine == [
            line for line in path.read_bytes().splitlines() if not line.startswith((b"msgstr", b'"', b"#,"))
        ]
        assert (b"\r\n" in out.read_bytes()) == ("\r\n" in text)


def _write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.po"
    path.write_bytes(text.encode(encoding))
    return path


def test_only_what_is_missing_is_a_segment(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        f'{_HEAD}\nmsgid "done"\nmsgstr "fini"\n\nmsgid "42 %"\nmsgstr ""\n\n#, fuzzy\nmsgid "guess"\nmsgstr "x"\n\n'
        'msgctxt ""\nmsgid "one"\nmsgid_plural "more"\nmsgstr[0] "un"\nmsgstr[1] ""\n',
    )
    sheet = rewriting.sheet(path)
    assert [(one.where, one.text) for one in sheet.segments] == [("line 14", "guess"), ("line 17", "more")]
    assert (sheet.language, sheet.notes) == ("en", ("2 messages have a translation already, or nothing to translate.",))


def test_a_template_becomes_utf_8_and_says_its_language(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=CHARSET\\n"\n'
    path = _write(tmp_path, head + '\nmsgid "plum"\nmsgstr ""\n')
    new = rewriting.replaced(path, {0: ("été",)}, "fr").decode()
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n"Language: fr\\n"\n'
    assert new == head + '\nmsgid "plum"\nmsgstr "été"\n'


def test_the_declared_encoding_stays_where_the_translation_fits(tmp_path: Path) -> None:
    path = _write(tmp_path, _HEAD.replace("UTF-8", "ISO-8859-1") + '\nmsgid "plum"\nmsgstr ""\n', "latin-1")
    assert 'msgstr "été"' in rewriting.replaced(path, {0: ("été",)}).decode("latin-1")
    new = rewriting.replaced(path, {0: ("春天",)}).decode("utf-8")
    assert 'msgstr "春天"' in new and "charset=UTF-8" in new


def test_an_encoding_that_would_change_the_rest_is_not_believed(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=unicode_escape\\n"\n'
    path = _write(tmp_path, head + '\nmsgid "Spring"\nmsgstr ""\n\nmsgid "A\\tb"\nmsgstr "Kept \\"as\\" it is"\n')
    new = rewriting.replaced(path, {0: ("Frühling",)}).decode()
    assert 'msgstr "Frühling"' in new
    assert 'msgid "A\\tb"\nmsgstr "Kept \\"as\\" it is"\n' in new


def test_line_breaks_at_the_ends_are_those_of_the_message(tmp_path: Path) -> None:
    path = _write(tmp_path, f'{_HEAD}\nmsgid "\\nplum\\n"\nmsgstr ""\n')
    assert rewriting.replaced(path, {0: ("prune",)}).decode().endswith('msgstr ""\n"\\n"\n"prune\\n"\n')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("plum tree\n", "line 1"),
        ('msgid "a\n', "line 1"),
        ('msgid "a"\nmsgid_plural b\n', "line 2"),
        ("# note\n", "no messages"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DocumentDamaged, match=why):
        rewriting.sheet(_write(tmp_path, text))
