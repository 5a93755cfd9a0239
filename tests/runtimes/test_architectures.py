"""The table of architectures, held against the llama.cpp that is installed."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from edgellm import paths
from edgellm.models import catalog
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.runtimes import architectures

_ASK = """
import ctypes, sys
from llama_cpp import llama_cpp
said = []
@llama_cpp.llama_log_callback
def listen(level, text, data):
    said.append(text.decode("utf-8", "replace"))
llama_cpp.llama_log_set(listen, ctypes.c_void_p(0))
for path in sys.argv[1:]:
    said.clear()
    options = llama_cpp.llama_model_default_params()
    options.vocab_only = True
    llama_cpp.llama_model_load_from_file(path.encode(), options)
    print(int("unknown model architecture" in "".join(said)), flush=True)
"""


def _library() -> bytes:
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None and spec.origin is not None
    (path, *_) = sorted(Path(spec.origin).parent.glob("lib/*llama.*"))
    return path.read_bytes()


def _named_inside(library: bytes) -> set[str]:
    """The library's own list. A name that ends another one may be stored inside that, and is then not in it."""
    start = library.index(b"\0clip\0llama\0") + 1
    end = library.index(b"(unknown)\0", start)
    return {name.decode() for name in library[start:end].split(b"\0") if name}


def test_the_table_is_the_list_inside_the_installed_library() -> None:
    library = _library()
    named = _named_inside(library)
    assert len(named) > 100
    assert sorted(named - architectures.KNOWN) == []
    assert [name for name in architectures.KNOWN if name.encode() + b"\0" not in library] == []


def test_llama_cpp_itself_knows_every_name_of_the_table_and_no_other(tmp_path: Path) -> None:
    strangers = ["nonsense", "qwen99", "llama "]
    asked = [*sorted(architectures.KNOWN), *strangers]
    files = []
    for number, name in enumerate(asked):
        files.append(str(tmp_path / f"{number}.gguf"))
        writer = gguf.GGUFWriter(files[-1], name)
        writer.add_tensor("t", np.zeros(32, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    done = subprocess.run([sys.executable, "-c", _ASK, *files], capture_output=True, text=True, timeout=240, check=True)
    unknown = [name for name, said in zip(asked, done.stdout.split(), strict=True) if said == "1"]
    assert unknown == strangers


def test_a_known_architecture_or_none_speaks_against_nothing() -> None:
    assert [name for name in ("", "llama", "qwen35", "gemma4", "lfm2moe") if architectures.unsupported(name)] == []


def test_an_unknown_architecture_is_a_sentence_that_names_it_and_the_nearest() -> None:
    sentence = architectures.unsupported("qwen36")
    assert "qwen36" in sentence and "it knows qwen3" in sentence and sentence.endswith(".")
    assert "knows" not in architectures.unsupported("zzzz")


def test_an_architecture_that_writes_no_text_says_so() -> None:
    assert architectures.NO_TEXT < architectures.KNOWN
    assert "does not write text" in architectures.unsupported("bert")


def _card(**facts: Any) -> ModelCard:
    return ModelCard("x", "X", "x", (CardFile("x.gguf", 1),), **facts)


@pytest.mark.parametrize("name", architectures.READS)
def test_a_model_that_only_reads_must_be_onnx(name: str) -> None:
    card = _card(tasks=(name,), architecture="gemma-embedding")
    assert architectures.unsupported_card(card) == architectures.NO_READING
    assert architectures.unsupported_card(dataclasses.replace(card, format="onnx", architecture="bert")) == ""
    assert architectures.unsupported_card(_card(tasks=("chat", name))) == ""


def test_a_card_of_an_unknown_architecture_says_why() -> None:
    assert "qwen99" in architectures.unsupported_card(_card(tasks=("chat",), architecture="qwen99"))
    assert architectures.unsupported_card(_card(tasks=("chat",))) == ""


def test_of_the_catalog_every_model_that_waits_for_nothing_can_run_here() -> None:
    cards = catalog.load(paths.Paths.under(*[Path("/nowhere")] * 3)).cards
    refused = {card.name for card in cards if architectures.unsupported_card(card)}
    reads = {card.name for card in cards if all(task in architectures.READS for task in card.tasks)}
    waiting = {card.name for card in cards if card.name in reads and card.format != "onnx"} | {"ettin-reranker-68m"}
    assert {"all-minilm-l6-v2", "ms-marco-minilm-l6"} <= reads - waiting
    incomplete = {card.name for card in cards if "name of its decoder" in card.notes}
    assert refused == waiting | incomplete and len(cards) - len(refused) > 30


def test_a_card_without_its_decoder_cannot_run() -> None:
    file = CardFile("onnx/encoder_model_quantized.onnx", 5)
    card = ModelCard("half", "Half", "A model.", (file,), repo="a/half", format="onnx", tasks=("summarize",))
    assert "decoder is not known" in architectures.unsupported_card(card)
    whole = dataclasses.replace(card, files=(file, CardFile("onnx/decoder_model_merged_quantized.onnx", 5)))
    assert not architectures.unsupported_card(whole)
