"""The header reader: right facts of good files, and a typed error in time for every damaged one."""

from __future__ import annotations

import os
import random
import struct
import time
from pathlib import Path
from typing import Any

import gguf as reference
import numpy as np
import pytest

from edgellm.errors import EdgeError, ModelDamaged, ModelNotFound, ModelUnsupported, StorageError
from edgellm.models.gguf import LongArray, read_header
from edgellm.models.gguf_types import TYPES
from tests import tiny_gguf


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.make(
        tmp_path_factory.mktemp("gguf") / "good.gguf", template="{{ messages }}", metadata={"general.alignment": 32}
    )


def test_facts_of_a_good_file(good: Path) -> None:
    header = read_header(good)
    assert (header.architecture, header.name, header.quantization) == ("llama", "Tiny", "F32")
    assert (header.block_count, header.embedding_length) == (tiny_gguf.LAYERS, tiny_gguf.WIDTH)
    assert (header.head_count, header.head_count_kv, header.key_length) == (4, 2, 16)
    assert header.context_length == tiny_gguf.CONTEXT
    assert header.vocab == tiny_gguf.make_vocabulary_size()
    assert header.chat_template == "{{ messages }}"
    assert header.file_size == good.stat().st_size
    assert header.kv_heads == (2, 2)
    assert header.metadata["tokenizer.ggml.tokens"] == LongArray(header.vocab)


def test_agrees_with_the_reference_reader(good: Path) -> None:
    header, other = read_header(good), reference.GGUFReader(good)
    assert header.tensor_bytes == sum(int(tensor.n_bytes) for tensor in other.tensors)
    assert header.parameters == sum(int(tensor.n_elements) for tensor in other.tensors)


def test_type_table_agrees_with_the_reference() -> None:
    known = {name for name, _, _ in TYPES.values()} - {"Q8_1"}  # there the reference is behind ggml
    for kind, (block, size) in reference.GGML_QUANT_SIZES.items():
        if kind.name in known:
            assert TYPES[int(kind)] == (kind.name, block, size)


def test_missing_folder_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelUnsupported):
        read_header(tmp_path)
    secret = tmp_path / "secret.gguf"
    secret.write_bytes(b"GGUF" + bytes(100))
    secret.chmod(0)
    if not os.access(secret, os.R_OK):
        with pytest.raises(StorageError):
            read_header(secret)


@pytest.mark.parametrize("part", [0.0, 0.00001, 0.005, 0.01, 0.3, 0.9, 0.999999])
def test_cut_short(good: Path, tmp_path: Path, part: float) -> None:
    data = good.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ModelDamaged):
        read_header(cut)


def test_versions_and_byte_order(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    for version in (struct.pack("<I", 1), struct.pack("<I", 4), struct.pack(">I", 3)):
        file = tmp_path / "v.gguf"
        file.write_bytes(data[:4] + version + data[8:])
        with pytest.raises(ModelUnsupported):
            read_header(file)


KILLERS: list[dict[str, Any]] = [
    {"llama.block_count": 3},
    {"llama.block_count": 1},
    {"llama.block_count": 10_000_000},
    {"llama.attention.layer_norm_rms_epsilon": float("nan")},
    {"llama.attention.layer_norm_rms_epsilon": -1.0},
    {"llama.attention.layer_norm_rms_epsilon": float("inf")},
    {"llama.attention.head_count_kv": 2 + (1 << 30)},
    {"llama.attention.head_count": 1 << 20},
    {"general.alignment": 0},
    {"general.alignment": 3},
]


@pytest.mark.parametrize("metadata", KILLERS, ids=str)
def test_what_ends_the_process_of_llama_cpp_is_refused(good: Path, tmp_path: Path, metadata: dict[str, Any]) -> None:
    """The value is exchanged inside the bytes of a good file."""
    data = bytearray(good.read_bytes())
    for name, value in metadata.items():
        at = data.index(name.encode()) + len(name) + 4
        data[at : at + 4] = struct.pack("<f" if isinstance(value, float) else "<I", value)
    file = tmp_path / "bad.gguf"
    file.write_bytes(data)
    with pytest.raises(ModelDamaged):
        read_header(file)


@pytest.mark.parametrize("second", ["q", "q\0x"])
def test_a_token_twice_is_refused(tmp_path: Path, second: str) -> None:
    writer = reference.GGUFWriter(tmp_path / "twice.gguf", "llama")
    writer.add_block_count(1)
    writer.add_embedding_length(4)
    writer.add_token_list(["a", "", "", "q", second])
    writer.add_tensor("token_embd.weight", np.zeros((5, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelDamaged, match="twice"):
        read_header(tmp_path / "twice.gguf")


def test_integer_norms_and_overlaps(tmp_path: Path) -> None:
    path = tmp_path / "ints.gguf"
    tiny_gguf.make(path, change={"output_norm.weight": np.ones(tiny_gguf.WIDTH, np.int32)})
    with pytest.raises(ModelDamaged, match="cannot hold weights"):
        read_header(path)


def test_one_part_of_several(tmp_path: Path) -> None:
    path = tiny_gguf.make(tmp_path / "part.gguf", metadata={"split.count": 3})
    with pytest.raises(ModelUnsupported, match="one part"):
        read_header(path)


def hostile(head: bytes) -> bytes:
    return b"GGUF" + struct.pack("<I", 3) + head


BOMBS = [
    hostile(struct.pack("<QQ", 2**63, 0)),
    hostile(struct.pack("<QQ", 0, 2**63)),
    hostile(struct.pack("<QQ", 0, 1) + struct.pack("<Q", 2**62)),
    hostile(struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 8, 2**40)),
    hostile(struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 8, 16 << 20)),
    hostile(struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, 9, 2**40)),
    hostile(struct.pack("<QQ", 0, 65_000)),
    hostile(
        struct.pack("<QQ", 1, 0) + struct.pack("<Q", 1) + b"t" + struct.pack("<I", 4) + struct.pack("<4Q", *[2**39] * 4)
    ),
]


@pytest.mark.parametrize("head", BOMBS, ids=range(len(BOMBS)))
@pytest.mark.parametrize("padding", [0, 100, 3 << 20])
def test_bombs_end_at_once(tmp_path: Path, head: bytes, padding: int) -> None:
    file = tmp_path / "bomb.gguf"
    file.write_bytes(head + bytes(padding))
    started = time.perf_counter()
    with pytest.raises(EdgeError):
        read_header(file)
    assert time.perf_counter() - started < 5


def damage(data: bytes, header: int, draw: random.Random) -> bytes:
    changed = bytearray(data)
    way = draw.randrange(6)
    if way == 5:
        return bytes(changed[: draw.randrange(len(changed))])
    for _ in range(draw.choice((1, 1, 2, 8))):
        at = draw.randrange(4, header)
        if way == 0:
            changed[at] ^= 1 << draw.randrange(8)
        elif way == 1:
            changed[at] = draw.randrange(256)
        elif way == 2:
            changed[at : at + 4] = draw.choice((0, 1, 2**31 - 1, 2**32 - 1, 0x7FC00000)).to_bytes(4, "little")
        elif way == 3:
            changed[at : at + 8] = draw.choice((0, 1, 2**63, 2**64 - 1, 2**40)).to_bytes(8, "little")
        else:
            other = draw.randrange(4, header)
            size = draw.randrange(1, 64)
            changed[at : at + size] = changed[other : other + size]
    return bytes(changed)


def test_two_thousand_damaged_headers(good: Path, tmp_path: Path) -> None:
    """Each is read or refused with a typed error, in less than 200 ms of processor time."""
    data = good.read_bytes()
    header = int(reference.GGUFReader(good).data_offset)
    file = tmp_path / "damaged.gguf"
    refused, slowest = 0, 0.0
    for number in range(2_000):
        changed = damage(data, header, random.Random(number))
        file.write_bytes(changed[:header])
        os.truncate(file, len(changed))  # the weights do not matter
        started = time.process_time()
        try:
            read_header(file)
        except EdgeError:
            refused += 1
        slowest = max(slowest, time.process_time() - started)
    assert slowest < 0.2
    assert 1_000 < refused < 2_000
