"""Two hundred answers, a hundred of them by a model that misquotes on purpose: no unverified quotation gets through.

What a person sees is looked at with rules of this file's own: each citation must be its document at its place, and
whatever stands between quotation marks of any kind must be in a document.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm import paths
from edgellm.app import App
from edgellm.engine.switch import Switch
from edgellm.runtimes.base import Chunk
from edgellm.tasks import consult
from edgellm.tasks.consult import Consulted
from edgellm.tasks.consultation import prepare
from edgellm.tasks.extract import Extract

PAIRS = tuple(
    tuple(pair) for pair in ("“”", '""', "„“", "„”", "«»", "»«", "‹›", "「」", "『』", "‘’", "＂＂", "〝〞", "｢｣", "❮❯")
)
LINES = re.compile(r"^[ \t*•-]*>[ \t]*(.+)$", re.MULTILINE)
NAMES = ("Anna", "Paul", "Tom", "Peter", "Mary", "Sara", "David", "Lisa")
THINGS = ("key", "book", "bag", "umbrella", "dog", "cat", "cup", "knife", "chair", "letter")
PLACES = ("on the table", "in the kitchen", "near the station", "in the garden", "under the bed", "behind the door")
TIMES = ("on Monday", "on Friday", "at 9 o'clock", "at 14:30", "on 3 May 2024", "in 12 days")


def documents(seed: int) -> tuple[Extract, ...]:
    """Three small documents: sentences about things, owners, prices and times."""
    drawn = random.Random(seed)
    names, things = drawn.sample(NAMES, 3), drawn.sample(THINGS, 3)
    return tuple(
        Extract.of_text(
            f"# Notes {number}\n\nThe {thing} is {drawn.choice(PLACES)}. {name} has a {thing}.\n\n"
            f"The {thing} costs {drawn.randrange(10, 900)} euros. {name} comes {drawn.choice(TIMES)}.\n",
            Path(f"/notes/{number}.md"),
        )
        for number, (name, thing) in enumerate(zip(names, things, strict=True))
    )


def plain(text: str) -> str:
    """A text for comparing: one space between words, one kind of apostrophe, no capitals."""
    return " ".join(text.split()).replace("’", "'").casefold()


def quotations(text: str) -> Iterator[str]:
    """Whatever a person would take for a quotation, found by the marks alone."""
    for opening, closing in PAIRS:
        yield from re.findall(f"{opening}([^{opening}{closing}]+){closing}", text)
    yield from re.findall(r"(?<!\w)'(.+?)'(?!\w)", text)
    yield from LINES.findall(text)


def unverified(shown: list[str], result: Consulted, sources: tuple[Extract, ...]) -> list[str]:
    """The quotations among all strings that are in no document, and the citations that are wrong."""
    whole = [plain(one.text) for one in sources]
    texts = {one.path: one.text for one in sources}
    found = [
        quote
        for text in (*shown, result.text, *result.notes, result.basis)
        for quote in quotations(text)
        if not any(plain(quote) in one for one in whole)
    ]
    cited = (*result.quotes, *result.near)
    return found + [one.text for one in cited if texts[one.path][one.start : one.end] != one.text]


def asked(engine: Switch, question: str, sources: tuple[Extract, ...]) -> tuple[list[str], Consulted]:
    """The lines that the program prints, what was streamed, and the whole result."""
    *chunks, result = consult.run(engine, prepare(engine, question, sources))
    assert isinstance(result, Consulted)
    streamed = "".join(one.text for one in chunks if isinstance(one, Chunk))
    assert streamed == result.text
    return [streamed, *(one.line for one in (*result.quotes, *result.near))], result


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The services, in a home of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGELLM_HOME", str(tmp_path_factory.mktemp("home")))
        app = App.create()
        yield app
        app.close()


def test_a_hundred_answers_of_the_built_in_model(app: App) -> None:
    engine = app.engine()
    engine.load(paths.starter_model())
    quoted = said = right = 0
    for seed in range(100):
        sources, drawn = documents(seed), random.Random(seed)
        text = drawn.choice(sources).text
        thing = text.split()[4]
        question, answer = (
            (f"Where is the {thing}?", text.split(f"{thing} is ")[1].split(".")[0]),
            (f"Who has a {thing}?", text.split(" has a")[0].split()[-1]),
            (f"What color is the {thing}?", ""),
            ("Where is the train?", ""),
        )[seed % 4]
        shown, result = asked(engine, question, sources)
        assert unverified(shown, result, sources) == []
        assert bool(result.quotes) is result.said
        quoted += len(result.quotes)
        said += result.said
        right += result.text == answer if answer else not result.said
    assert quoted >= said >= 25
    assert right >= 70


def misquoted(kind: int, sentences: list[str], question: str, drawn: random.Random) -> str:
    """A sentence of the documents made wrong, or of somewhere else."""
    first, second = drawn.sample(sentences, 2)
    words, others = first.rstrip(".").split(), second.rstrip(".").split()
    half = len(words) // 2
    return (
        " ".join([*words[:-1], "volcano"]),
        re.sub(r"\d+", lambda match: str(int(match[0]) + 1), next(one for one in sentences if "euros" in one)),
        " ".join([*words[:half], *others[len(others) // 2 :], "indeed"]),
        f"{' '.join(words[:half])} … {others[-1]}",
        f"{' '.join(words[:half])} [...] {others[-1]}",
        "Der Schlüssel liegt auf dem Tisch",
        "The treasure is buried below the old oak",
        " ".join(reversed(words)),
        "Answer the question from the passages below",
        '<passage number="1" document="0.md">',
        f"{question.rstrip('?')} please",
        f"{words[0]} {words[1]} never {' '.join(words[1:])}",
        f"{first} {second} {first}",
        f"He said “{first}” and ‘left’ again",
        f"{' '.join(words)[:-2]}",
        next(one for one in sentences if "euros" in one).split(" euros")[0][:-1],
        "钥匙在火山里",
        f"{first[:-1]} not",
        "> > the volcano is > here",
        "it's the boys' volcano's",
    )[kind]


STYLES = (
    "> {0}\nAnswer: it is said there.",
    "Answer: As written, “{0}” and „{0}“ and «{0}».",
    "The text says \"{0}\", '{0}', ‘{0}’ and so on.",
    "> {1}\n> {0}\nAnswer: 「{0}」 or ＂{0}＂ or ”{0}” is what it says, unlike “{1}”.",
    'Answer:\n> {0}\n\n  - > {0}\nand "{0} “{0}” «{0}»',
)


def test_a_hundred_answers_of_a_model_that_misquotes(app: App, tmp_path: Path) -> None:
    replies, cases = {}, []
    for number in range(100):
        kind, style = number % 20, number // 20
        sources, drawn = documents(1_000 + number), random.Random(number)
        sentences = [one for source in sources for one in re.findall(r"[A-Z][^.#]*\.", source.text)]
        question = f"Where is the thing of case {number:03}?"
        wrong = misquoted(kind, sentences, question, drawn)
        assert not any(plain(wrong) in plain(one) for one in sentences) or kind in (14, 15)
        replies[f"case {number:03}?"] = STYLES[style].format(wrong, drawn.choice(sentences))
        cases.append((question, sources, style))
    script = tmp_path / "liar.fake.json"
    script.write_text(json.dumps({"name": "liar", "replies": replies}), encoding="utf-8")
    engine = app.engine()
    engine.load(script)
    kept = noted = 0
    for question, sources, style in cases:
        shown, result = asked(engine, question, sources)
        assert unverified(shown, result, sources) == [], (question, result)
        noted += any("quotation" in note for note in result.notes) or not result.said
        kept += style == 3 and bool(result.quotes)
    assert noted >= 95
    assert kept == 20  # what it quotes rightly beside that is still there


def test_the_rules_of_this_file_find_a_wrong_quotation() -> None:
    sources = documents(1)
    sentence = sources[0].text.split("\n")[2].split(".")[0]
    for opening, closing in (*PAIRS, ("'", "'")):
        assert list(quotations(f"so {opening}{sentence}{closing} it is")) != []
    assert "a volcano" in quotations("well\n> a volcano\n")


def test_the_program_prints_no_wrong_quotation(app: App, tmp_path: Path) -> None:
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from edgellm.cli.launch import launch

    note = tmp_path / "note.md"
    note.write_text("# House\n\nThe key is on the table. The rent is 940 euros.\n", encoding="utf-8")
    script = tmp_path / "liar.fake.json"
    reply = "> The rent is 840 euros.\n> The key is on the table.\nAnswer: “The rent is 840 euros”, “the key is on”."
    script.write_text(json.dumps({"name": "liar", "reply": reply}), encoding="utf-8")
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert launch(["ask", "How much is the rent?", str(note), "--model", str(script)]) == 0
    assert out.getvalue().splitlines() == [
        "The rent is 840 euros, “The key is on”.",
        "“The key is on the table.” (note.md, House, characters 9-33)",
    ]
    assert "1 quotation of the model is not in your documents and was left out." in err.getvalue()
    assert "1 quotation inside the answer" in err.getvalue()
    assert "840" in err.getvalue()
    assert "Read the whole of note.md (" in err.getvalue()
