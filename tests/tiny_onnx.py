"""Tiny models of each architecture, with random weights from fixed seeds, exported through optimum.

They say nothing, but they say it exactly: torch is the reference for what the program's own loops must compute.
"""

from __future__ import annotations

import copy
import functools
import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "__en__", "__fr__", ">>fra<<")
WORDS = 320
TEXT = (
    "The library on the square is new. It opened on Monday. Children can read books there every day.",
    "Wo ist der nächste Bahnhof? Das Wetter war gestern schön, und morgen regnet es vielleicht.",
    "Anna went to the market and bought three apples for her brother. 安娜昨天在市场买了面包。",
)
SIZES: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "init_std": 1.0,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "vocab_size": WORDS,
}
BERT: dict[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 66,
    "pad_token_id": 1,
    "initializer_range": 0.6,
}
SEQ2SEQ = ("marian", "t5", "mt5", "bart", "mbart", "m2m_100", "pegasus")
ENCODERS = ("bert", "distilbert", "roberta", "xlm-roberta", "mpnet", "electra", "albert", "mobilebert", "deberta-v2")


def _seq2seq(name: str) -> Any:
    hf: Any = importlib.import_module("transformers")

    t5: dict[str, Any] = {"vocab_size": WORDS, "d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 2}
    t5 |= {"decoder_start_token_id": 1, "pad_token_id": 1, "eos_token_id": 2, "initializer_factor": 5.0}
    makers: dict[str, Callable[[], Any]] = {
        "marian": lambda: hf.MarianMTModel(hf.MarianConfig(**SIZES, decoder_start_token_id=1, forced_eos_token_id=2)),
        "t5": lambda: hf.T5ForConditionalGeneration(hf.T5Config(**t5)),
        "mt5": lambda: hf.MT5ForConditionalGeneration(hf.MT5Config(**t5, feed_forward_proj="gated-gelu")),
        "bart": lambda: hf.BartForConditionalGeneration(
            hf.BartConfig(**SIZES, decoder_start_token_id=2, forced_bos_token_id=0, forced_eos_token_id=2)
        ),
        "mbart": lambda: hf.MBartForConditionalGeneration(hf.MBartConfig(**SIZES, decoder_start_token_id=2)),
        "m2m_100": lambda: hf.M2M100ForConditionalGeneration(hf.M2M100Config(**SIZES, decoder_start_token_id=2)),
        "pegasus": lambda: hf.PegasusForConditionalGeneration(
            hf.PegasusConfig(**SIZES, decoder_start_token_id=1, forced_eos_token_id=2)
        ),
    }
    return makers[name]()


def _encoder(name: str, head: str, labels: tuple[str, ...]) -> Any:
    hf: Any = importlib.import_module("transformers")

    classes = {"span": hf.AutoModelForQuestionAnswering, "labels": hf.AutoModelForSequenceClassification}
    sizes = dict(BERT)
    if name == "distilbert":
        sizes = {"vocab_size": WORDS, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48, "pad_token_id": 1}
        sizes |= {"max_position_embeddings": 66, "initializer_range": 0.6}
    if name in ("electra", "albert"):
        sizes |= {"embedding_size": 32}
    if name == "mobilebert":
        sizes |= {"embedding_size": 32, "intra_bottleneck_size": 32, "num_feedforward_networks": 2}
    if labels:
        sizes |= {"id2label": dict(enumerate(labels)), "label2id": {label: at for at, label in enumerate(labels)}}
    config = hf.AutoConfig.for_model(name, **sizes)
    return classes.get(head, hf.AutoModel).from_config(config)


def tokenizer(kind: str) -> Tokenizer:
    """A byte-level tokenizer of 320 tokens; `kind` is an architecture, which decides what is put around a text."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        TEXT, trainers.BpeTrainer(vocab_size=WORDS, special_tokens=list(SPECIAL), initial_alphabet=alphabet)
    )
    if kind in ENCODERS or kind == "bart":
        single, pair = "<s> $A </s>", "<s> $A </s> $B:1 </s>:1"
    else:
        single, pair = "$A </s>", "$A $B </s>"
    made.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


@functools.cache
def _folder() -> Path:
    import atexit

    path = Path(tempfile.mkdtemp(prefix="edgellm-tiny-onnx-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def seq2seq(name: str) -> tuple[Path, Any]:
    """The folder of an exported encoder-decoder model, and the torch model that it must equal."""
    return _export(name, lambda: _seq2seq(name), "text2text-generation-with-past", name)


@functools.cache
def encoder(name: str, head: str = "embed", labels: tuple[str, ...] = ()) -> tuple[Path, Any]:
    """The same for an encoder; `head` is embed, span or labels."""
    tasks = {"embed": "feature-extraction", "span": "question-answering", "labels": "text-classification"}
    return _export("-".join((name, head, *labels)), lambda: _encoder(name, head, labels), tasks[head], name)


def _export(folder: str, make: Callable[[], Any], task: str, kind: str) -> tuple[Path, Any]:
    import torch

    with _offline():
        from optimum.exporters.onnx import onnx_export_from_model

        path = _folder() / folder
        torch.manual_seed(7)
        model = make().eval()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # the exporter changes the model it is given
            onnx_export_from_model(copy.deepcopy(model), path, task=task, do_validation=False)
    for name in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
        (path / name).unlink(missing_ok=True)
    tokenizer(kind).save(str(path / "tokenizer.json"))
    return path, model


class _offline:
    """transformers looks at the network unless it is told not to."""

    def __enter__(self) -> None:
        self._before = os.environ.get("HF_HUB_OFFLINE")
        os.environ["HF_HUB_OFFLINE"] = "1"

    def __exit__(self, *error: object) -> None:
        if self._before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = self._before


def texts() -> Iterator[str]:
    """Sentences for the models to read."""
    for text in TEXT:
        yield from (part.strip() for part in text.split(". ") if part.strip())
