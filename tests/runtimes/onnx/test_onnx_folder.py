"""What is refused before anything is loaded: foreign architectures, data outside the folder, links, damaged files."""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import EdgeError, ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx import external
from edgellm.runtimes.onnx.adapter import load
from edgellm.runtimes.onnx.folder import read_folder
from tests import tiny_onnx

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a good model, to be spoiled."""
    return Path(shutil.copytree(tiny_onnx.encoder("bert")[0], tmp_path / "model"))


def test_a_good_folder(folder: Path) -> None:
    found = read_folder(folder)
    assert (found.architecture, found.kind, found.precision) == ("bert", "encoder", "fp32")
    assert found.size == (folder / "model.onnx").stat().st_size


def test_the_best_precision_is_taken_and_another_can_be_asked_for(folder: Path) -> None:
    shutil.copy(folder / "model.onnx", folder / "model_quantized.onnx")
    (folder / "onnx").mkdir()
    shutil.copy(folder / "model.onnx", folder / "onnx" / "model_fp16.onnx")
    assert read_folder(folder).precision == "int8"
    assert read_folder(folder, "fp16").files["model"].path.parent.name == "onnx"


@pytest.mark.parametrize("kind", ["llama", "gpt2", None, 3, ["bert"], "x" * 10_000])
def test_only_architectures_of_the_list(folder: Path, kind: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "model_type": kind, "auto_map": {"AutoModel": "evil.py"}})
    )
    with pytest.raises(ModelUnsupported) as error:
        read_folder(folder)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"model_type": "bert"', "\ud800", "null"])
def test_damaged_configuration(folder: Path, text: str) -> None:
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelDamaged):
        read_folder(folder)


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
def test_missing_files_and_links_out(folder: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (folder / name).rename(outside)
    with pytest.raises(ModelDamaged, match="has no"):
        read_folder(folder)
    (folder / name).symlink_to(outside)
    with pytest.raises(ModelDamaged, match="leads out"):
        read_folder(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ModelError):
        read_folder(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_folder(tmp_path / "nothing")


def with_external(folder: Path, location: str, real: str = "weights.bin") -> Path:
    """The model with its weights in a file of its own, under the name that a stranger chose."""
    onnx: Any = importlib.import_module("onnx")
    helper: Any = importlib.import_module("onnx.external_data_helper")
    model = onnx.load(folder / "model.onnx")
    helper.convert_model_to_external_data(model, all_tensors_to_one_file=True, location=real, size_threshold=0)
    onnx.save(model, folder / "model.onnx")
    plain = onnx.load(folder / "model.onnx", load_external_data=False)
    for tensor in plain.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    (folder / "model.onnx").write_bytes(plain.SerializeToString())
    return folder


def test_weights_in_a_file_of_their_own(folder: Path) -> None:
    whole = (folder / "model.onnx").stat().st_size
    with_external(folder, "weights.bin")
    found = read_folder(folder)
    assert (folder / "model.onnx").stat().st_size < whole / 2
    assert found.size > 0.8 * whole
    assert load(folder, Placement(threads=1)).info.kind == "embed"


@pytest.mark.parametrize(
    "location",
    ["../outside", "/etc/passwd", "a/../../outside", "..\\outside", "C:\\outside", "\\\\host\\share", "", "missing"],
)
def test_weights_elsewhere_are_refused(folder: Path, location: str) -> None:
    with_external(folder, location)
    with pytest.raises(ModelDamaged):
        read_folder(folder)


def test_a_link_as_external_data_is_refused(folder: Path, tmp_path: Path) -> None:
    with_external(folder, "weights.bin")
    (folder / "weights.bin").rename(tmp_path / "weights.bin")
    (folder / "weights.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(ModelDamaged):
        read_folder(folder)


def test_weights_inside_branches_are_seen() -> None:
    """The merged decoder has its nodes inside the branches of an If."""
    onnx: Any = importlib.import_module("onnx")
    helper = onnx.helper
    weight = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=1)
    weight.external_data.add(key="location", value="../../secret")
    constant = helper.make_node("Constant", [], ["y"], value=weight)
    branch = helper.make_graph([constant], "branch", [], [helper.make_tensor_value_info("y", 1, [1])])
    node = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("c", 9, [1])], [])
    data = helper.make_model(graph).SerializeToString()
    assert set(external.locations(data)) == {"../../secret"}


def test_damaged_files_are_typed_errors(folder: Path) -> None:
    """300 damaged copies: an error of ours, or a model that works; never anything else."""
    rng, whole = random.Random(11), (folder / "model.onnx").read_bytes()
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(min(len(data), 20_000)) if rng.random() < 0.7 else rng.randrange(len(data))
            data[at] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        (folder / "model.onnx").write_bytes(data)
        try:
            read_folder(folder)
        except EdgeError:
            refused += 1
    assert 0 < refused < 300
