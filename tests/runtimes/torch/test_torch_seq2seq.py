"""Encoder-decoder models on PyTorch: the same tokens as transformers, greedy and with four beams."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgellm.errors import ContextOverflow, UsageError
from edgellm.runtimes.base import Chunk, Finish, Message, Placement, Request
from edgellm.runtimes.onnx.search import beam, greedy
from edgellm.runtimes.torch.adapter import load
from edgellm.runtimes.torch.seq2seq import Seq2Seq
from tests import tiny_onnx, tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
PLACE = Placement(runtime="torch", threads=1)
HELLO = Request((Message("user", "Anna went to the market."),), max_tokens=20)


def model(name: str) -> Seq2Seq:
    found = load(tiny_torch.saved(name)[0], PLACE)
    assert isinstance(found, Seq2Seq)
    return found


@pytest.mark.parametrize("name", tiny_torch.SEQ2SEQ)
def test_tokens_are_those_of_transformers(name: str) -> None:
    import torch

    reference, ours = tiny_torch.saved(name)[1], model(name)
    for text in list(tiny_onnx.texts())[:4]:
        ids, rules = ours._prepare(Request((Message("user", text),), max_tokens=20))
        for beams in (1, 4):
            rules = replace(rules, beams=beams)
            decoder = ours.begin(ids, lambda: False)
            found = list(greedy(decoder, rules)) if beams == 1 else beam(decoder, rules)
            with torch.no_grad():
                expected = reference.generate(
                    torch.tensor([ids]),
                    max_length=rules.max_length,
                    num_beams=beams,
                    do_sample=False,
                    early_stopping=bool(rules.early_stopping),
                )
            ends = {*rules.end, rules.pad}
            words = [one for one in expected[0, 1:].tolist() if one not in ends]
            assert [one for one in found if one not in ends] == words != []


def test_a_text_streams_with_its_facts() -> None:
    ours = model("m2m_100")
    assert (ours.info.kind, ours.info.architecture, ours.info.context) == ("seq2seq", "m2m_100", 64)
    *chunks, finish = ours.generate(replace(HELLO, source="en", target="fr"))
    assert isinstance(finish, Finish)
    assert len(chunks) > 1 and all(isinstance(chunk, Chunk) for chunk in chunks)
    assert finish.new_tokens == 20 and finish.reason == "length"
    assert finish.device == "CPU, 1 thread, fp32"
    with pytest.raises(UsageError, match="does not know the language"):
        list(ours.generate(replace(HELLO, source="en", target="de")))
    with pytest.raises(UsageError, match="format"):
        list(ours.generate(replace(HELLO, schema="{}")))
    with pytest.raises(ContextOverflow):
        list(ours.generate(Request((Message("user", "market " * 100),))))
    ours.close()


@pytest.mark.parametrize("beams", [1, 4])
def test_a_cancel_stops_within_a_layer(beams: int) -> None:
    ours = model("bart")
    for most in (1, 2, 4, 7):
        asked = [0]

        def cancelled(asked: list[int] = asked, most: int = most) -> bool:
            asked[0] += 1
            return asked[0] >= most

        *_, finish = ours.generate(replace(HELLO, beams=beams), cancelled)
        assert isinstance(finish, Finish) and finish.reason == "cancelled"
        assert asked[0] <= most + 1
    text: Any = "".join(event.text for event in ours.generate(HELLO) if isinstance(event, Chunk))
    assert text
