"""The header of a safetensors file, read in bounds: what safetensors writes is read, and nothing else is."""

from __future__ import annotations

import json
import random
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import EdgeError, ModelDamaged, ModelUnsupported, StorageError
from edgellm.runtimes.base import Message, Placement, Request
from edgellm.runtimes.torch import weights
from edgellm.runtimes.torch.adapter import load
from edgellm.runtimes.torch.folder import read_folder
from tests import tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
ONE = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


def write(path: Path, header: Any, data: bytes = b"\0" * 16, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def test_what_safetensors_writes_is_read(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {"a": torch.zeros(3, 4), "b": torch.ones(5, dtype=torch.bfloat16), "c": torch.zeros(2, dtype=torch.bool)}
    save_file(tensors, tmp_path / "x.safetensors", metadata={"format": "pt"})
    found = weights.read_header(tmp_path / "x.safetensors")
    assert found["a"] == weights.Tensor("F32", (3, 4), 48)
    assert found["b"] == weights.Tensor("BF16", (5,), 10)
    assert found["c"].size == 2


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": {**ONE, "data_offsets": [0, 15]}}, 16),  # not the size of its place
        ({"a": {**ONE, "data_offsets": [16, 0]}}, 16),
        ({"a": {**ONE, "data_offsets": [-16, 0]}}, 16),
        ({"a": {**ONE, "data_offsets": [0, 16, 32]}}, 16),
        ({"a": {**ONE, "data_offsets": [0.0, 16.0]}}, 16),
        ({"a": {**ONE, "shape": [1 << 40, 1 << 40]}}, 16),
        ({"a": {**ONE, "shape": [-2, -2]}}, 16),
        ({"a": {**ONE, "shape": [True, 4]}}, 16),
        ({"a": {**ONE, "shape": [1] * 100}}, 16),
        ({"a": {**ONE, "extra": 1}}, 16),
        ({"a": ONE, "b": ONE}, 16),  # overlap
        ({"a": ONE, "b": {**ONE, "data_offsets": [20, 36]}}, 36),  # a hole
        ({"a": ONE}, 15),
        ({"a": ONE}, 17),
        ({"a" * 5000: ONE}, 16),
        ({"a": [1]}, 16),
        ({"__metadata__": {"format": 3}, "a": ONE}, 16),
        ({}, 0),
        (b"[]", 0),
        (b"[" * 100_000, 0),
        (b'{"a": 1', 0),
        (b"\xff\xfe", 0),
        (b'{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[2,2]}}', 16),
    ],
)
def test_what_does_not_fit_itself_is_refused(tmp_path: Path, header: Any, data: int) -> None:
    with pytest.raises(ModelDamaged):
        weights.read_header(write(tmp_path / "x.safetensors", header, b"\0" * data))


@pytest.mark.parametrize("length", [0, 1, 10_000, 1 << 31, (1 << 64) - 1])
def test_a_length_that_is_not_there_is_refused_without_reading_so_much(tmp_path: Path, length: int) -> None:
    with pytest.raises(ModelDamaged):
        weights.read_header(write(tmp_path / "x.safetensors", {"a": ONE}, length=length))
    (tmp_path / "x.safetensors").write_bytes(b"1234")
    with pytest.raises(ModelDamaged):
        weights.read_header(tmp_path / "x.safetensors")
    with pytest.raises(StorageError):
        weights.read_header(tmp_path)


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "F4", "PICKLE", "", 3, None])
def test_quantized_numbers_are_another_runtimes(tmp_path: Path, kind: Any) -> None:
    with pytest.raises(ModelUnsupported, match="numbers of a type"):
        weights.read_header(write(tmp_path / "x.safetensors", {"a": {**ONE, "dtype": kind}}))


@pytest.mark.parametrize("form", ["tf", "flax", "pickle"])
def test_files_of_other_libraries_are_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(ModelUnsupported, match="not written by PyTorch"):
        weights.read_header(write(tmp_path / "x.safetensors", {"__metadata__": {"format": form}, "a": ONE}))


@pytest.mark.logs("ERROR")
def test_damaged_files_give_typed_errors_or_a_model_that_works(tmp_path: Path) -> None:
    """200 damaged copies, loaded and asked for a word; half of the damage is in the header."""
    folder = Path(shutil.copytree(tiny_torch.saved("llama")[0], tmp_path / "model"))
    file = folder / "model.safetensors"
    whole, rng = file.read_bytes(), random.Random(5)
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    request = Request((Message("user", "Hello"),), max_tokens=1)
    counts = {"refused": 0, "works": 0}
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(header) if rng.random() < 0.5 else rng.randrange(len(data))
            data[at] = rng.randrange(256)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        file.write_bytes(data)
        try:
            read_folder(folder)
            model = load(folder, Placement(runtime="torch", threads=1))
            assert len(list(model.generate(request))) >= 1
            counts["works"] += 1
        except EdgeError:
            counts["refused"] += 1
    assert counts["refused"] > 20 and counts["works"] > 20, counts
