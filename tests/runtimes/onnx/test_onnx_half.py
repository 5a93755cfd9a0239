"""Files in fp16: inputs and outputs are half precision then, and the vectors stay those of fp32.

Encoders only: the converter that comes with ONNX Runtime makes invalid files of decoders with two branches.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import Precision, read_folder
from tests import tiny_onnx

pytestmark = pytest.mark.filterwarnings("ignore")


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
        found = Encoder(folder, Placement(threads=1)).embed(tuple(tiny_onnx.texts()))
        vectors[precision] = np.frombuffer(found.data, "<f4").reshape(-1, found.size)
    assert float((vectors["fp32"] * vectors["fp16"]).sum(axis=1).min()) > 0.999
    assert not np.array_equal(vectors["fp32"], vectors["fp16"]), "the same file was read twice"
    assert read_folder(path).precision == "fp32", "a processor computes fp16 no faster"
