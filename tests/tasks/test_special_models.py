"""The tasks over models that were made for one job: tiny real ones, in the real engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.errors import ContextOverflow, UsageError
from edgellm.models import manifest
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.paths import Paths
from edgellm.runtimes.base import Choice, Placement
from edgellm.tasks import answer, classify, consult, summarize, translate
from edgellm.tasks.extract import Extract
from tests import tiny_onnx

pytestmark = pytest.mark.filterwarnings("ignore")
TEXT = "Anna went to the market. She bought bread.\n\nIt was raining."


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    rung = Choice(Placement(runtime="onnx", threads=1), "A test.")
    made = Engine(Paths.under(tmp_path, tmp_path, tmp_path / "logs"), lambda path, anyway: Plan((rung,), "here"))
    yield made
    made.close()


def pair(tmp_path: Path, *languages: str) -> Path:
    """A translation model with a manifest that names its languages."""
    folder = Path(shutil.copytree(tiny_onnx.seq2seq("marian")[0], tmp_path / "opus"))
    file = ManifestFile("tokenizer.json", (folder / "tokenizer.json").stat().st_size, "0" * 64)
    manifest.write(folder, Manifest(name="opus", files=(file,), format="onnx", languages=languages))
    return folder


def test_a_pair_model_translates_sentence_by_sentence(engine: Engine, tmp_path: Path) -> None:
    info = engine.load(pair(tmp_path, "en", "fr"))
    plan = translate.prepare(info, TEXT, "fr", "en")
    assert plan.by_sentence
    assert plan.directions == (("en", "fr"),)
    done = translate.translate(engine, TEXT, "fr", "en")
    assert done.text.count("\n\n") == 1
    alone = [translate.translate(engine, piece, "fr", "en").text for piece in ("It was raining.",)]
    assert done.text.endswith(alone[0])
    assert done.finish.new_tokens > 10
    assert done.finish.device == "CPU, 1 thread"


def test_a_pair_model_refuses_other_pairs(engine: Engine, tmp_path: Path) -> None:
    info = engine.load(pair(tmp_path, "en", "fr"))
    with pytest.raises(UsageError, match="from English to French only"):
        translate.prepare(info, TEXT, "en", "fr")
    with pytest.raises(UsageError):
        translate.prepare(info, TEXT, "de", "en")


def test_a_sentence_longer_than_the_model_is_cut_at_spaces(engine: Engine, tmp_path: Path) -> None:
    engine.load(pair(tmp_path, "en", "fr"))
    long = " ".join(["market"] * 120) + "."
    done = translate.translate(engine, long, "fr", "en")
    assert done.finish.prompt_tokens > 2 * engine.info.context
    assert done.text


def test_a_summary_model_gets_the_bare_text(engine: Engine) -> None:
    engine.load(tiny_onnx.seq2seq("bart")[0])
    assert summarize.summarize(engine, "Anna bought bread.").finish.prompt_tokens < 20
    with pytest.raises(ContextOverflow):
        summarize.summarize(engine, TEXT * 10)


def test_labels_with_their_scores(engine: Engine) -> None:
    engine.load(tiny_onnx.encoder("bert", "labels", ("entailment", "neutral", "contradiction"))[0])
    found = classify.classify(engine, "Anna bought bread.", ("food", "rain", "work"))
    assert [label for label, _ in found.scores] == sorted(
        ("food", "rain", "work"), key=lambda label: -dict(found.scores)[label]
    )
    assert found.label == found.scores[0][0]
    assert sum(score for _, score in found.scores) == pytest.approx(1)


def test_an_answer_is_a_stretch_of_the_passage(engine: Engine) -> None:
    engine.load(tiny_onnx.encoder("bert", "span")[0])
    for question in ("Who bought bread?", "What did Anna buy at the market?"):
        found = answer.answer(engine, question, TEXT)
        assert found.text in TEXT or found.text == answer.NOT_SAID
        if found.said:
            assert found.quote is not None


def test_documents_are_read_by_a_model_that_finds_spans(engine: Engine) -> None:
    engine.load(tiny_onnx.encoder("bert", "span")[0])
    texts = [Extract.of_text(text, Path(f"/{number}.txt")) for number, text in enumerate((TEXT, "It is cold."))]
    for question in ("Who bought bread?", "What did Anna buy at the market?"):
        found = consult.consult(engine, question, texts)
        assert found.said is bool(found.quotes) is (found.text != consult.SILENT)
        assert all(texts[int(one.document[0])].text[one.start : one.end] == one.text for one in found.quotes)
        assert found.basis.startswith("Read the whole of 2 documents (")
