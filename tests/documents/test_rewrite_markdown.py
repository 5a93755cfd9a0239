"""Markdown written again: the bytes it had, and another text in the same structure, as the plain parser sees it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from edgellm.errors import DocumentUnsupported
from tests import rewriting

FILES = 100
_PLAIN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _inline(chance: random.Random, depth: int = 0) -> str:
    said = rewriting.words(chance)
    choices: list[Callable[[], str]] = [
        lambda: f"**{rewriting.words(chance, 3)}**",
        lambda: f"*{rewriting.words(chance, 3)}*",
        lambda: f"~~{rewriting.words(chance, 2)}~~",
        lambda: f"`code {chance.randrange(9)} *x*`",
        lambda: f"[{_inline(chance, depth + 1) if depth < 1 else 'x'}](http://a.example/p_a_th?q=1 'Title')",
        lambda: f"[{rewriting.words(chance, 2)}][ref]",
        lambda: "[ref]",
        lambda: f"![{rewriting.words(chance, 2)}](pic.png)",
        lambda: "<http://auto.example/x>",
        lambda: f"<b>{rewriting.words(chance, 2)}</b>",
        lambda: "&amp; &copy; \\* \\[no\\] snake_case 2 * 3",
        lambda: "***very***",
    ]
    if depth:
        choices = choices[:4]
    for _ in range(chance.randrange(4)):
        said += f" {chance.choice(choices)()} {rewriting.words(chance, 4)}"
    return said


def _wrapped(chance: random.Random, indent: str) -> str:
    lines = [_inline(chance) for _ in range(chance.randrange(1, 4))]
    return chance.choice(("\n", "\n", "  \n", "\\\n")).join(
        line if number == 0 else indent + line for number, line in enumerate(lines)
    )


def _file(chance: random.Random) -> str:
    blocks: dict[str, Callable[[], str]] = {
        "atx": lambda: f"{'#' * chance.randrange(1, 7)} {_inline(chance)}{chance.choice(('', ' ##'))}",
        "setext": lambda: f"{rewriting.words(chance)}\n{chance.choice(('===', '---'))}",
        "paragraph": lambda: _wrapped(chance, chance.choice(("", "  "))),
        "list": lambda: f"- {_wrapped(chance, '  ')}\n  - {_inline(chance)}\n- [ ] {_inline(chance)}",
        "numbers": lambda: f"1. {_wrapped(chance, '   ')}\n2. {_inline(chance)}\n\n   {_inline(chance)}",
        "quote": lambda: f"> {_wrapped(chance, '> ')}\n>\n> - {_inline(chance)}",
        "table": lambda: f"| {_inline(chance)} | b \\| c |\n|---|:-:|\n| `x` | {rewriting.words(chance)} |\n| one |",
        "fence": lambda: "```py\nprint('plum tree') # *no*\n```",
        "indented": lambda: "    plum tree\n    *no*",
        "html": lambda: "<div class='x'>\nplum <b>tree</b>\n</div>",
        "rule": lambda: "* * *",
    }
    parts = [chance.choice(list(blocks.values()))() for _ in range(chance.randrange(3, 12))]
    front = chance.choice(("", "---\ntitle: plum tree\n---\n"))
    text = front + "\n\n".join((*parts, '[ref]: http://b.example "plum"', "The end.")) + chance.choice(("", "\n"))
    return text.replace("\n", "\r\n") if chance.random() < 0.3 else text


def _structure(text: str) -> list[str]:
    """Marks with their addresses, and the words between them without spaces."""
    body = text.replace("\r\n", "\n")
    if body.startswith("---\n"):
        body = body.split("\n---\n", 1)[1]
    found = [""]
    for token in _PLAIN.parse(body):
        found += [f"{token.type} {token.markup} {token.info}", ""]
        if token.type in ("fence", "code_block", "html_block"):
            found[-1] = f"kept {token.content}"
        for one in _leaves(token):
            if isinstance(one, str):
                found[-1] += "".join(one.split())
            else:
                kept = one.content if one.type in ("code_inline", "html_inline", "text") else ""
                found += [f"{one.type} {sorted(one.attrs.items())} {kept}", ""]
    return found


def _leaves(token: Any) -> Iterator[Any]:
    """Words as strings, all else as tokens; the words of a bare address are its own."""
    before = ""
    for child in token.children or ():
        if child.type in ("text", "softbreak"):
            yield child if before == "link_open autolink" else child.content
        elif child.type == "image":
            yield child
            yield from _leaves(child)
        else:
            yield child
        before = f"{child.type} {child.markup}"


def _changed(structure: list[str]) -> list[str]:
    """What a structure is to be when every word is changed, and nothing else."""
    return [
        one if number % 2 or one.startswith("kept ") else rewriting.swapped(one) for number, one in enumerate(structure)
    ]


def test_generated_files_are_the_same_when_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    for seed in range(FILES):
        path.write_bytes(_file(random.Random(seed)).encode())
        assert rewriting.rewritten(path, str) == path.read_bytes(), seed


def test_generated_files_keep_their_structure_under_other_words(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    for seed in range(FILES):
        text = _file(random.Random(seed))
        path.write_bytes(text.encode())
        new = rewriting.rewritten(path, rewriting.swapped).decode()
        assert _structure(new) == _changed(_structure(text)), seed


_HOSTILE = (
    *("1. one", "- a * b", "[x](y) [ref]", "`k` ``", "<i> <br/>", "&amp; &", "a | b", "\\ \\*", "# x #", "$x$ {{y}}"),
    *("**“x”**", "__init__ *", "> q", "===", "---", "![p](q)", "[^1]: n", "~~~", "+ 5", "  x ", "«a»", "<p is", "*"),
)


def _marks(text: str) -> list[str]:
    return [one for number, one in enumerate(_structure(text)) if number % 2]


def test_words_that_look_like_marks_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    for seed in range(FILES):
        chance = random.Random(seed)
        path.write_bytes(_file(chance).encode())
        given: list[str] = []

        def hostile(old: str, chance: random.Random = chance, given: list[str] = given) -> str:
            given.append(chance.choice(_HOSTILE) if old.strip() else old)
            return given[-1]

        new = rewriting.rewritten(path, hostile).decode()
        assert _marks(new) == _marks(path.read_bytes().decode()), seed
        said = "".join(one for number, one in enumerate(_structure(new)) if number % 2 == 0)
        assert all("".join(one.split()) in said for one in given), seed


def _write(folder: Path, text: str) -> Path:
    path = folder / "a.md"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_pieces_are_the_words_between_marks(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "---\ntitle: no\n---\n# A *b* ##\n\nSee [the *plum*](x.html) and `code`\nhere \\* &amp; ![a cat](c.png)  \n"
        "then.\n\n> - [ ] task\n\n| p \\| q | `z` |\n|---|---|\n\n    no\n\n<p>no</p>\n\n"
        "[^1]: A note of words.\n[^b]: Note\n\n[no]: x 'no'\n",
    )
    assert [(one.where, one.pieces) for one in rewriting.sheet(path).segments] == [
        ("line 4", ("A ", "b")),
        ("line 6", ("See ", "the ", "plum", " and ", " here * & ")),
        ("line 6", ("then.",)),
        ("line 6", ("a cat",)),
        ("line 10", (" task",)),
        ("line 12", ("p | q",)),
        ("line 19", (" A note of words.",)),
        ("line 19", (" Note",)),
    ]


@pytest.mark.parametrize(
    ("text", "pieces", "written"),
    [
        ("See [plum].\n\n[plum]: x\n", ("Vois ", "prune", "."), "Vois [prune][plum].\n\n[plum]: x\n"),
        ("See [plum][].\n\n[plum]: x\n", ("Vois ", "plum", "."), "Vois [plum][].\n\n[plum]: x\n"),
        ("A **bold** plum", ("Une prune", "", " grasse"), "Une prune grasse"),
        ("A **bold** plum", ("Une", " grasse ", "prune"), "Une **grasse** prune"),
        ("这是**重要**的", ("这是", "“要”", "的"), "这是 **“要”** 的"),
        ("> one\n> *two* three\n> four", ("un ", "deux", " trois quatre"), "> un *deux* trois quatre"),
        ("# C", ("C #",), "# C \\#"),
        ("plum", ("# prune",), "\\# prune"),
        ("plum", ("1. prune",), "1\\. prune"),
        ("a | b", ("c_d | 2 * 3",), "c_d | 2 * 3"),
        ("| a |\n|---|", ("c | d",), "| c \\| d |\n|---|"),
        ("plum\nand\ntree", ("prune\net arbre",), "prune et arbre"),
    ],
)
def test_a_text_is_written_as_plainly_as_it_can_be(
    tmp_path: Path, text: str, pieces: tuple[str, ...], written: str
) -> None:
    assert rewriting.replaced(_write(tmp_path, text), {0: pieces}).decode() == written


def test_a_picture_named_markdown_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    with pytest.raises(DocumentUnsupported, match="neither text nor"):
        rewriting.sheet(path)


def test_a_deep_file_takes_no_longer_than_its_length(tmp_path: Path) -> None:
    path = _write(tmp_path, "[" * 3000 + "plum" + "*" * 3000 + "\n\n" + ">" * 500 + " plum\n\n" + "plum " * 20000)
    assert rewriting.rewritten(path, str) == path.read_bytes()
