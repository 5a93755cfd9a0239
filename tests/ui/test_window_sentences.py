"""What the rooms below say reaches the window in its language, and without a word of the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from edgellm.errors import DocumentDamaged, UsageError
from edgellm.models.catalog import load
from edgellm.paths import Paths
from edgellm.tasks.languages import NAMES
from edgellm.ui import language, main
from edgellm.ui.sentences import Sentences
from edgellm.ui.window_words import WORDS, in_window
from tests.said import ROOT, SILENT, sentences

FILLED = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")
COMMAND = re.compile(
    r"\bedgellm [a-z]+|(^|[ (])--?[a-z]\b|(^| )--[a-z]|\bremote_address\b|\bmodel_folders\b|offline = "
)
UNTRANSLATED = {
    "This is a short test of this computer: read these words and answer with one of them, please.",
    "These are a few words.",
    "a plain value",
    "such revision of",
    "{} list --all",
    "{} edgellm models",
}


@pytest.fixture(scope="module")
def table() -> dict[str, str]:
    """The Chinese table."""
    read: dict[str, str] = json.loads(language.tables()["zh_CN"].read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def chinese(table: dict[str, str]) -> Sentences:
    """The sentences of the Chinese window."""
    return Sentences(table, [name for name, _ in NAMES.values()], clauses=True)


@pytest.fixture(scope="module")
def said() -> list[tuple[str, str]]:
    """All that the rooms below say, as (module, sentence)."""
    return [(module, text) for module, text in sentences() if text not in UNTRANSLATED]


def _filled(text: str) -> str:
    values = iter(FILLED)
    return re.sub(r"\{\}", lambda _: next(values), text)


def test_the_reader_of_the_source_finds_sentences(said: list[tuple[str, str]]) -> None:
    assert len(said) > 900
    found = dict.fromkeys(text for _, text in said)
    for text in (
        "The text is {} tokens long; the model's context holds {}.",  # an f-string over two lines
        "it is protected by a password",  # half a sentence
        "Run: edgellm models pull {}",
        "There is not enough memory for this model.",  # behind `or`
        "{} of {} sections of the text were read.",  # a note
    ):
        assert text in found
    assert all((ROOT / module).exists() for module in SILENT)


def test_every_sentence_from_below_has_its_chinese(said: list[tuple[str, str]], chinese: Sentences) -> None:
    missing = []
    for module, text in said:
        told = chinese.say(in_window(_filled(text)))
        if not re.search("[\u4e00-\u9fff]", told):
            missing.append(f"{module}: {text}")
    assert missing == []


def test_no_sentence_in_the_window_names_a_command_or_an_option(said: list[tuple[str, str]]) -> None:
    left = sorted({text for _, text in said if COMMAND.search(in_window(_filled(text)))})
    assert left == []


def test_what_the_window_says_instead_has_its_chinese(table: dict[str, str], chinese: Sentences) -> None:
    for words in WORDS.values():
        plain = re.sub(r"\{\d\}", "{}", words)
        assert plain in table, words
        assert not COMMAND.search(plain), words
        assert re.search("[\u4e00-\u9fff]", chinese.say(_filled(plain))), words


def test_a_hint_for_the_command_line_becomes_one_for_the_window() -> None:
    assert in_window("Choose another file with -o, or add --force to replace it.") == "Choose another file."
    assert in_window("It is full. Run: edgellm models repair qwen") == "It is full. Repair it on the Models page."
    hint = "It translates between English, French; use a larger model with --model FILE.gguf."
    assert in_window(hint) == "It translates between English, French; choose a larger model at the top of the window."
    assert in_window("Nobody  knows this. Nor this.\nNor that: a, b; c.") == (
        "Nobody  knows this. Nor this.\nNor that: a, b; c."
    )


@pytest.mark.parametrize(
    ("english", "wanted"),
    [
        (
            "a b.docx cannot be read: the file is damaged or cut short. Get the file again, or repair it.",
            "a b.docx 无法读取：文件已损坏或不完整。请重新获取文件，或修复它。",
        ),
        ("3 of 10 sections of the text were read.", "已读取文本 10 节中的 3 节。"),
        ("CPU, 2 threads: Runs on the processor, because you set it.", "CPU，2 个线程：按您的设置在处理器上运行。"),
        ("My report: Its comments stay as they are.", "My report：批注保持原样。"),
        ("line 3: left as it is, because its translation lost {name}.", "第 3 行：保持原样，因为译文丢失了 {name}。"),
        (
            "Weights 2.33 GB + KV cache 0.56 GB + compute 0.2 GB = 3.1 GB; 9.1 GB of 15.0 GB free, "
            "with a window of 4,096 tokens, all on the GPU. Close other programs if it slows down.",
            "权重 2.33 GB + KV 缓存 0.56 GB + 计算 0.2 GB = 3.1 GB；15.0 GB 中空闲 9.1 GB，"
            "窗口为 4,096 个词元，全部在 GPU 上。如果变慢，请关闭其他程序。",
        ),
        ("opus translates from English to French only.", "opus 只能从英语译为法语。"),
        ("Answer cannot be read: it is empty.", "Answer 无法读取：文件是空的。"),  # a name, though it is in the table
        (
            "left as it is, because the model gave no translation of: Check the path.",  # a sentence of a document
            "保持原样，因为模型没有给出译文：Check the path.",
        ),
        ("Read 1 passage of garden.md (18 tokens).", "已读取 garden.md 的 1 个段落（18 个词元）。"),
        ("There is a collection In common already.", "已有名为 In common 的集合。"),
        (
            "The labels Not valid and not valid differ only in their case.",
            "标签 Not valid 和 not valid 只有大小写不同。",
        ),
        ("A line.\nStopped.", "A line.\n已停止。"),
        ("A sentence of nobody. And another.", "A sentence of nobody. And another."),
        ("", ""),
    ],
)
def test_values_are_put_into_the_chinese(chinese: Sentences, english: str, wanted: str) -> None:
    assert chinese.say(english) == wanted


@pytest.mark.parametrize(
    ("english", "wanted"),
    [
        ("my notes. Done. v2.pdf", "my notes. Done. v2.pdf"),
        (
            "my notes. Done. v2.pdf cannot be read: the PDF is damaged or cut short.",
            "my notes. Done. v2.pdf 无法读取：PDF 已损坏或不完整。",
        ),
        ("There is no file my notes. Done. v2.pdf.", "没有文件 my notes. Done. v2.pdf。"),
        ("There is no file b.pdf. Stopped.", "没有文件 b.pdf。已停止。"),
        (
            "Stopped. b.pdf cannot be read: the PDF is damaged or cut short.",
            "已停止。b.pdf 无法读取：PDF 已损坏或不完整。",
        ),
    ],
)
def test_a_name_with_the_end_of_a_sentence_in_it_stays_as_it_is(chinese: Sentences, english: str, wanted: str) -> None:
    assert chinese.say(english) == wanted


def test_the_words_of_the_catalog_have_their_chinese(chinese: Sentences) -> None:
    english = sorted(
        {
            words
            for card in load(Paths.under(*[Path("/nowhere")] * 3)).cards
            for words in (card.summary, card.notes)
            if words and not re.search("[\u4e00-\u9fff]", chinese.say(words))
        }
    )
    assert english == []


def test_telling_twice_changes_nothing(said: list[tuple[str, str]], chinese: Sentences) -> None:
    for _, text in said[::7]:
        once = chinese.say(_filled(text))
        assert chinese.say(once) == once


def test_long_or_strange_texts_are_left_alone_and_take_no_time(chinese: Sentences) -> None:
    for text in ("word, " * 900, "a: b; " * 90, "{} {0} {x} % %s \\n", "cannot be read: " * 30, "x" * 100_000):
        assert text.split()[0] in chinese.say(text)


def test_a_text_of_many_short_sentences_is_told_at_once(chinese: Sentences) -> None:
    asked: list[str] = []

    class Table(dict[str, str]):
        def __contains__(self, text: object) -> bool:
            asked.append(str(text))
            return super().__contains__(text)

    made = Sentences({"It is so.": "如此。"}, clauses=True)
    made._plain = Table(made._plain)
    text = "A. " * 300 + "It is so."
    assert made.say(text) == "A. " * 300 + "如此。"
    assert len(asked) < 301 * 8  # a few of them are taken together, and never all


def test_a_template_never_loses_what_was_put_in(table: dict[str, str]) -> None:
    whole = {"{} of {} rows were {}.": "{2}：{1} 行中的 {0} 行。", "no gap here": "没有"}
    made = Sentences(whole, clauses=False)
    assert made.say("3 of 9 rows were read.") == "read：9 行中的 3 行。"
    assert made.say("3 of 9 rows were read") == "3 of 9 rows were read"
    for english, wanted in table.items():
        if "{}" in english:
            wanted.format(*FILLED[: english.count("{}")])


def test_the_window_tells_errors_in_its_language() -> None:
    app = main.application()
    assert isinstance(app, QApplication)
    error = DocumentDamaged("film.docx", "the file is damaged or cut short", "Get the file again, or repair it.")
    english = "film.docx cannot be read: the file is damaged or cut short.\nGet the file again, or repair it."
    assert language.told_error(error) == english
    assert language.told_error(UsageError("It exists.", "Add --force to replace it.")) == (
        "It exists.\nChoose another name."
    )
    table = language.Table(language.tables()["zh_CN"])
    app.installTranslator(table)
    try:
        assert language.told_error(error) == "film.docx 无法读取：文件已损坏或不完整。\n请重新获取文件，或修复它。"
        assert language.told("") == ""
        assert language.in_line(language.tr("Stopped."), "", "a。", "B.", "C.") == "已停止。a。B. C."
    finally:
        app.removeTranslator(table)
