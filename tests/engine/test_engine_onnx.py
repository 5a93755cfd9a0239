"""ONNX models through the real engine process: text streams, vectors and labels arrive, a kill costs one request."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.errors import EngineError, UsageError
from edgellm.paths import Paths
from edgellm.runtimes.base import Choice, Chunk, Finish, Message, Placement, Reading, Request
from tests import tiny_onnx

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    rung = Choice(Placement(runtime="onnx", threads=1), "A test.")
    made = Engine(Paths.under(tmp_path, tmp_path, tmp_path / "logs"), lambda path, anyway: Plan((rung,), "here"))
    yield made
    made.close()


def test_a_translation_streams_and_equals_the_reference(engine: Engine) -> None:
    import torch

    path, model = tiny_onnx.seq2seq("m2m_100")
    info = engine.load(path)
    assert (info.kind, info.architecture, info.context) == ("seq2seq", "m2m_100", 64)
    request = Request((Message("user", "Anna went to the market."),), source="en", target="fr", max_tokens=20)
    *chunks, finish = engine.generate(request)
    assert isinstance(finish, Finish)
    assert finish.new_tokens > 0
    assert finish.peak_memory > 0
    vocabulary = tiny_onnx.tokenizer("m2m_100")
    ids = [4, *vocabulary.encode("Anna went to the market.", add_special_tokens=False).ids, 2]
    with torch.no_grad():
        found = model.generate(torch.tensor([ids]), max_length=21, num_beams=1, do_sample=False, forced_bos_token_id=5)
    assert finish.prompt_tokens == len(ids)
    text = "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk))
    assert text == vocabulary.decode(found[0].tolist(), skip_special_tokens=True).rstrip("\ufffd")
    with pytest.raises(UsageError, match="does not know the language"):
        list(engine.generate(Request(request.messages, source="en", target="de")))


def test_vectors_survive_a_kill_of_the_engine(engine: Engine) -> None:
    path, _ = tiny_onnx.encoder("bert")
    assert engine.load(path).kind == "embed"
    reading = Reading("embed", texts=tuple(tiny_onnx.texts()))
    first = engine.read(reading).vectors
    assert first is not None
    assert len(first.data) == 4 * first.size * len(reading.texts)
    pid = engine.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    second = engine.read(reading).vectors
    assert second is not None
    assert np.allclose(np.frombuffer(first.data, "<f4"), np.frombuffer(second.data, "<f4"))
    assert engine.restarts == 1


def test_labels_and_spans(engine: Engine) -> None:
    engine.load(tiny_onnx.encoder("bert", "labels", ("entailment", "neutral", "contradiction"))[0])
    scores = engine.read(Reading("classify", "Anna bought bread.", ("food", "weather"))).scores
    assert scores is not None
    assert sum(scores.values) == pytest.approx(1)
    engine.load(tiny_onnx.encoder("distilbert", "span")[0])
    span = engine.read(Reading("span", "Who?", ("Anna bought bread.",))).span
    assert span is not None
    assert 0 <= span.start <= span.end <= len("Anna bought bread.")


def test_a_reader_does_not_write(engine: Engine) -> None:
    engine.load(tiny_onnx.encoder("bert")[0])
    with pytest.raises(UsageError, match="writes no text"):
        list(engine.generate(Request((Message("user", "Hello"),))))
    with pytest.raises(UsageError, match="gives vectors, not labels"):
        engine.read(Reading("classify", "text", ("a", "b")))
    with pytest.raises(UsageError):
        engine.count((Message("user", "Hello"),))


def test_a_cancelled_reading_returns_what_there_was(engine: Engine) -> None:
    engine.load(tiny_onnx.encoder("bert")[0])
    reply = engine.read(Reading("embed", texts=("text",) * 5000), lambda: True)
    vectors = reply.vectors
    assert vectors is None or len(vectors.data) < 4 * max(vectors.size, 1) * 5000
    assert engine.read(Reading("embed", texts=("text",))).vectors


def test_a_damaged_model_is_an_error_and_the_next_one_loads(engine: Engine, tmp_path: Path) -> None:
    import shutil

    from edgellm.errors import ModelDamaged

    path, _ = tiny_onnx.encoder("bert")
    broken = tmp_path / "broken"
    shutil.copytree(path, broken)
    file = broken / "model.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 400] = os.urandom(400)
    file.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises((ModelDamaged, EngineError)):
        engine.load(broken)
    assert engine.load(path).kind == "embed"
