"""Files in fp16: inputs and outputs are half precision then, and what comes out stays that of fp32.

Decoders are exported from half-precision weights: the converter that comes with ONNX Runtime makes invalid files of
those with two branches, which must be refused in words that help.
"""

from __future__ import annotations

import copy
import functools
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edgellm.errors import ModelUnsupported
from edgellm.runtimes.base import Chunk, Finish, Message, Placement, Request
from edgellm.runtimes.onnx.decoder import CachedDecoder, encode
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import Precision, read_folder
from edgellm.runtimes.onnx.seq2seq import Seq2Seq
from edgellm.runtimes.onnx.session import Session
from tests import tiny_onnx

pytestmark = pytest.mark.filterwarnings("ignore")
ONE = Placement(threads=1)
PARTS = ("encoder_model", "decoder_model_merged")
SOURCE, TARGET = (10, 57, 200, 31, 8, 2), (9, 40, 77, 120, 6, 250, 33)


@pytest.mark.parametrize("name", ["bert", "distilbert"])
def test_vectors_in_half_precision(name: str, tmp_path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    path = tmp_path / "half"
    shutil.copytree(tiny_onnx.encoder(name)[0], path)
    made: Any = convert_float_to_float16(onnx.load(path / "model.onnx"), keep_io_types=False)
    onnx.save(made, path / "model_fp16.onnx")
    vectors: dict[Precision, Any] = {}
    for precision in ("fp32", "fp16"):
        folder = read_folder(path, precision)
        assert folder.precision == precision
        found = Encoder(folder, ONE).embed(tuple(tiny_onnx.texts()))
        vectors[precision] = np.frombuffer(found.data, "<f4").reshape(-1, found.size)
    assert float((vectors["fp32"] * vectors["fp16"]).sum(axis=1).min()) > 0.999
    assert not np.array_equal(vectors["fp32"], vectors["fp16"]), "the same file was read twice"
    assert read_folder(path).precision == "fp32", "a processor computes fp16 no faster"


@functools.cache
def half(name: str) -> Path:
    """A folder that holds the model in fp16 alone, exported from half-precision weights."""
    import atexit

    from optimum.exporters.onnx import onnx_export_from_model

    source, model = tiny_onnx.seq2seq(name)
    path = Path(tempfile.mkdtemp(prefix="edgellm-half-")) / name
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task = "text2text-generation-with-past"
        onnx_export_from_model(copy.deepcopy(model).half(), path, task=task, do_validation=False, dtype="fp16")
    for part in PARTS:
        (path / f"{part}.onnx").rename(path / f"{part}_fp16.onnx")
    for file in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
        (path / file).unlink()
    shutil.copy(source / "tokenizer.json", path)
    return path


@pytest.mark.parametrize("name", ["marian", "t5", "bart"])
def test_a_decoder_in_half_precision_says_what_the_whole_one_says(name: str) -> None:
    folder = read_folder(half(name))
    assert folder.precision == "fp16"
    encoder, merged = (Session(folder.files[part].path, ONE) for part in PARTS)
    assert merged.inputs["encoder_hidden_states"][0] is np.float16
    decoder = CachedDecoder(merged, encode(encoder, SOURCE))
    ours = np.concatenate([decoder.step(np.array([token], np.int64), None) for token in TARGET])
    model = tiny_onnx.seq2seq(name)[1]
    with torch.no_grad():
        given = {"input_ids": torch.tensor([SOURCE]), "decoder_input_ids": torch.tensor([TARGET])}
        theirs = model(**given).logits[0].numpy()
        rounded = copy.deepcopy(model).half()(**given).logits[0].float().numpy()
    assert np.isfinite(ours).all()
    lost = float(np.abs(rounded - theirs).max())  # what half precision costs PyTorch
    assert float(np.abs(ours - theirs).max()) < 3 * lost
    assert not np.array_equal(ours, theirs), "it was not computed in half precision"
    first, second = np.sort(theirs, axis=1)[:, -1], np.sort(theirs, axis=1)[:, -2]
    clear = first - second > 2 * np.abs(ours - theirs).max(axis=1)
    assert clear.any()
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1))[clear].all()


@pytest.mark.parametrize("beams", [1, 4])
def test_a_whole_answer_in_half_precision(beams: int) -> None:
    model = Seq2Seq(read_folder(half("marian")), ONE)
    assert model.info.quantization == "fp16"
    *pieces, finish = model.generate(Request((Message("user", "Anna went home."),), max_tokens=12, beams=beams))
    assert isinstance(finish, Finish)
    assert 0 < finish.new_tokens <= 12
    assert "".join(piece.text for piece in pieces if isinstance(piece, Chunk))


@pytest.mark.logs("ERROR")
def test_what_the_converter_spoils_is_refused_with_the_way_out(tmp_path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    path = tmp_path / "spoiled"
    shutil.copytree(half("marian"), path)
    whole: Any = onnx.load(tiny_onnx.seq2seq("marian")[0] / "decoder_model_merged.onnx")
    onnx.save(convert_float_to_float16(whole, keep_io_types=False), path / "decoder_model_merged_fp16.onnx")
    with pytest.raises(ModelUnsupported, match=r"decoder_model_merged_fp16\.onnx") as caught:
        Seq2Seq(read_folder(path), ONE)
    assert "int8 or fp32" in caught.value.hint
