"""A hundred generated files through a translator that garbles: structure, links and placeholders are what they were."""

from __future__ import annotations

import random
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import docx
import pytest
from scripted_generator import Scripted

from edgellm.documents import rewriters
from edgellm.documents.segment import Rewriting
from edgellm.documents.source import Limits, open_source
from edgellm.tasks.memory import Memory
from edgellm.tasks.translate_file import FileTranslation, Order

FILES = 50  # of each format
WORDS = "the dog cat is tired and sleeps under table of Anna where station good morning".split()
STAY = ("{name}", "%s", "%(count)d", "${home}", "https://a.org/b?c=1", "x@y.org", "3.5 km", "12:30")
PLACEHOLDER = re.compile("|".join(map(re.escape, STAY)))


def sentence(chance: random.Random) -> list[tuple[str, str]]:
    """Stretches of text, each with its formatting."""
    runs = []
    for _ in range(chance.randint(1, 5)):
        words = [chance.choice(STAY) if chance.random() < 0.2 else chance.choice(WORDS) for _ in range(4)]
        runs.append((f"{' '.join(words)} ", chance.choice(("", "", "b", "i", "a"))))
    return [*runs, ("end.", "")]


def page(chance: random.Random) -> str:
    shown = {"": "{}", "b": "<b>{}</b>", "i": '<i class="x">{}</i>', "a": '<a href="https://l.org/{{q}}">{}</a>'}
    body = []
    for _ in range(6):
        inner = "".join(shown[kind].replace("{}", text) for text, kind in sentence(chance))
        body.append(chance.choice(("<p>{}</p>", "<h2>{}</h2>", "<ul><li>{}</li></ul>")).replace("{}", inner))
    return f'<html lang="en"><body><pre>the dog {{x}}</pre>{"".join(body)}</body></html>'


class Structure(HTMLParser):
    """The tags with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [pair for pair in attrs if pair[0] != "lang"]))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)


def document(chance: random.Random, path: Path) -> None:
    made = docx.Document()
    for _ in range(4):
        paragraph = made.add_paragraph(style=chance.choice(("Normal", "Heading 1", "List Bullet")))
        for text, kind in sentence(chance):
            run = paragraph.add_run(text)
            run.bold, run.italic = kind == "b" or None, kind == "i" or None
    made.save(str(path))


def outline(path: Path) -> list[object]:
    """Every element of the body with its attributes, without the texts and the language."""
    body = docx.Document(str(path)).element.body
    ours = (element for element in body.iter() if not element.tag.endswith("}lang"))
    return [(element.tag, [pair for pair in element.items() if not pair[0].endswith("}space")]) for element in ours]


def placeholders(path: Path) -> Counter[str]:
    if path.suffix == ".html":
        return Counter(PLACEHOLDER.findall(path.read_text(encoding="utf-8")))
    return Counter(PLACEHOLDER.findall("\n".join(one.text for one in docx.Document(str(path)).paragraphs)))


@pytest.mark.parametrize("form", ["html", "docx"])
@pytest.mark.parametrize("marks", [True, False])
def test_fifty_files_keep_all_but_their_words(tmp_path: Path, form: str, marks: bool) -> None:
    chance = random.Random(f"{form} {marks}")

    def garble(prompt: str) -> str:
        words = prompt.partition("\n")[2].split(" ")
        return " ".join(word.upper() for word in words if word.isalpha() or chance.random() < (0.97 if marks else 0.8))

    right, memory = 0, Memory(tmp_path / "memory.db")
    for number in range(FILES // 2):
        path, out = tmp_path / f"{number}.{form}", tmp_path / f"{number}.fr.{form}"
        if form == "html":
            path.write_text(page(chance), encoding="utf-8")
        else:
            document(chance, path)
        sheet = rewriters.segments(path)
        work = FileTranslation(Scripted(garble, starter=not marks), sheet, Order("fr", "en"), memory)
        for _ in work.run():
            pass
        order = Rewriting(open_source(path, Limits()), work.translated, "fr", path.suffix)
        out.write_bytes(rewriters.rewritten(order, sheet.sha256))
        assert work.translated
        assert placeholders(out) == placeholders(path)
        if form == "html":
            same = Structure(out.read_text(encoding="utf-8")).tags == Structure(path.read_text(encoding="utf-8")).tags
        else:
            same = outline(out) == outline(path)
        right += same
    memory.close()
    assert right == FILES // 2
