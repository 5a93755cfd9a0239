"""The gate before transformers: foreign architectures, code, pickles, links, tricks in a config, impossible numbers."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import ModelDamaged, ModelError, ModelNotFound, ModelUnsupported
from edgellm.runtimes.base import Placement
from edgellm.runtimes.plans import kind_of
from edgellm.runtimes.torch import keys
from edgellm.runtimes.torch.adapter import load
from edgellm.runtimes.torch.folder import read_folder
from edgellm.runtimes.torch.table import ARCHITECTURES
from tests import tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
PLACE = Placement(runtime="torch", threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a good model, to be spoiled."""
    return Path(shutil.copytree(tiny_torch.saved("llama")[0], tmp_path / "model"))


def change(folder: Path, **values: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))


def test_a_good_folder(folder: Path) -> None:
    found = read_folder(folder)
    assert (found.architecture, found.row.kind, found.precision, found.context) == ("llama", "decoder", "fp32", 256)
    assert found.parameters == sum(one.numel() for one in tiny_torch.saved("llama")[1].parameters())
    assert found.specials["eos_token"] == "</s>"
    assert found.template == tiny_torch.TEMPLATE
    (folder / "chat_template.jinja").write_text("its own file")
    assert read_folder(folder).template == "its own file"


def test_a_named_template_among_several(folder: Path) -> None:
    several = [{"name": "tools", "template": "t"}, {"name": "default", "template": "d"}, 3, {"name": ["x"]}]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": several}))
    assert read_folder(folder).template == "d"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": {"x": 1}, "bos_token": ["<s>"]}))
    assert read_folder(folder).template == read_folder(folder).specials["bos_token"] == ""


@pytest.mark.parametrize("kind", ["mamba", "bert", "custom", None, 3, ["llama"], {"a": 1}, "x" * 10_000])
def test_only_architectures_of_the_table(folder: Path, kind: object) -> None:
    change(folder, model_type=kind, auto_map={"AutoModelForCausalLM": "modeling_evil.Evil"})
    with pytest.raises(ModelUnsupported) as error:
        read_folder(folder)
    assert len(str(error.value)) < 1200


@pytest.mark.parametrize("named", [["Evil"], ["LlamaForSequenceClassification"], "os.system", {"a": 1}, 7])
def test_a_config_that_names_another_class_is_refused(folder: Path, named: object) -> None:
    change(folder, architectures=named)
    with pytest.raises(ModelUnsupported, match="another use"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_size", 1 << 40),
        ("hidden_size", -1),
        ("hidden_size", "32"),
        ("hidden_size", 32.0),
        ("num_hidden_layers", 1 << 20),
        ("num_attention_heads", 0),
        ("vocab_size", 1 << 40),
        ("rms_norm_eps", "__import__('os')"),
        ("rms_norm_eps", 1e300),
        ("max_position_embeddings", 1 << 30),
        ("hidden_act", "os.system"),
        ("hidden_act", ["silu"]),
        ("attention_bias", 1),
        ("tie_word_embeddings", "yes"),
        ("eos_token_id", {"a": 1}),
        ("rope_scaling", {"rope_type": "../../evil"}),
        ("rope_scaling", {"rope_type": "llama3", "code": "evil"}),
        ("rope_scaling", {"rope_type": "llama3", "factor": "8"}),
        ("rope_scaling", ["llama3"]),
    ],
)
def test_impossible_values(folder: Path, key: str, value: object) -> None:
    change(folder, **{key: value})
    with pytest.raises(ModelDamaged, match=f"impossible {key}"):
        read_folder(folder)


@pytest.mark.logs("ERROR")
def test_a_config_that_asks_for_more_than_its_files_hold(folder: Path) -> None:
    """No memory is taken for what a config claims: these would be gigabytes."""
    for claim in ({"num_hidden_layers": 500}, {"hidden_size": 1 << 16, "head_dim": 1 << 12}, {"vocab_size": 1 << 21}):
        shutil.copy(tiny_torch.saved("llama")[0] / "config.json", folder)
        change(folder, **claim)
        with pytest.raises(ModelDamaged, match="not those its config describes"):
            load(folder, PLACE)
    shutil.copy(tiny_torch.saved("llama")[0] / "config.json", folder)
    change(folder, attention_bias=True)  # weights that are not there must not be invented
    with pytest.raises(ModelDamaged, match="not those its config describes"):
        load(folder, PLACE)
    change(folder, attention_bias=False, intermediate_size=64)
    with pytest.raises(ModelDamaged):
        load(folder, PLACE)


def test_a_table_made_from_the_window_is_bounded(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_torch.saved("gpt2")[0], tmp_path / "gpt2"))
    change(folder, n_positions=1 << 20)
    with pytest.raises(ModelDamaged, match="impossible n_positions"):
        read_folder(folder)


def test_quantized_models_are_refused_with_a_way_out(folder: Path) -> None:
    change(folder, quantization_config={"quant_method": "awq", "modules_to_not_convert": ["evil"]})
    with pytest.raises(ModelUnsupported, match="quantized") as error:
        read_folder(folder)
    assert "GGUF" in error.value.hint


def test_every_parameter_of_every_config_class_is_known() -> None:
    """A key that changes what is computed must not be left behind without a word."""
    library: Any = importlib.import_module("transformers")
    for name, row in ARCHITECTURES.items():
        parameters = inspect.signature(getattr(library, row.config).__init__).parameters.keys() - {"self", "kwargs"}
        assert parameters - keys.KEYS.keys() - keys.UNUSED - {"rope_parameters"} == set(), name
        assert getattr(library, row.config).model_type == name


def test_what_transformers_5_writes_of_rope_is_read(folder: Path) -> None:
    change(folder, rope_parameters={"rope_type": "default", "rope_theta": 5e5}, rope_theta=None)
    assert read_folder(folder).config["rope_theta"] == 5e5
    assert read_folder(folder).config["rope_scaling"] is None
    scaled = {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}
    change(folder, rope_parameters=scaled)
    assert read_folder(folder).config["rope_scaling"] == {"rope_type": "linear", "factor": 2.0}
    change(folder, rope_parameters={"full_attention": scaled})
    with pytest.raises(ModelUnsupported, match="positions"):
        read_folder(folder)


@pytest.mark.parametrize("ending", [".bin", ".pt", ".pth", ".ckpt", ".pkl"])
def test_pickled_weights_are_refused_by_name(folder: Path, ending: str) -> None:
    (folder / "model.safetensors").rename(folder / f"pytorch_model{ending}")
    assert kind_of(folder) == ("safetensors" if ending != ".pkl" else "onnx")
    with pytest.raises(ModelUnsupported, match="can hold code"):
        load(folder, PLACE)


def test_pickled_weights_beside_good_ones_are_not_opened(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04not a pickle")
    assert load(folder, PLACE).info.kind == "decoder"


def test_which_files_are_the_model(folder: Path) -> None:
    whole = folder / "model.safetensors"
    for other in ("adapter_model.safetensors", "consolidated.safetensors", "model-00001-of-00002.safetensors"):
        shutil.copy(whole, folder / other)
    assert read_folder(folder).files == (whole,)
    whole.unlink()
    with pytest.raises(ModelDamaged, match="lacks some of the 2 files"):
        read_folder(folder)
    shutil.copy(folder / "model-00001-of-00002.safetensors", folder / "model-00002-of-00002.safetensors")
    with pytest.raises(ModelDamaged, match="same weights twice"):
        read_folder(folder)
    for part in folder.glob("model-*"):
        part.unlink()
    with pytest.raises(ModelDamaged, match=r"no \.safetensors"):
        read_folder(folder)
    for name in ("one", "two"):
        shutil.copy(folder / "adapter_model.safetensors", folder / f"{name}.safetensors")
    with pytest.raises(ModelUnsupported, match="several models"):
        read_folder(folder)
    (folder / "two.safetensors").unlink()
    assert load(folder, PLACE).info.parameters == read_folder(folder).parameters


def test_a_model_in_several_files_is_the_same(folder: Path) -> None:
    model = tiny_torch.saved("llama")[1]
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, safe_serialization=True, max_shard_size="40KB")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"lm_head.weight": "/etc/passwd", "x": "../evil.bin"}}))  # not read
    assert len(read_folder(folder).files) > 1
    assert load(folder, PLACE).info.parameters == sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
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


@pytest.mark.parametrize("name", ["tokenizer_config.json", "generation_config.json", "chat_template.jinja"])
def test_links_out_of_files_that_need_not_be_there(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("{}")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "outside")
    with pytest.raises(ModelDamaged, match="leads out"):
        read_folder(folder)


def test_a_snapshot_of_the_hub_cache_loads_through_its_links(folder: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "cache" / "blobs", tmp_path / "cache" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(folder.iterdir()):
        shutil.move(file, blobs / str(number))
        (snapshot / file.name).symlink_to(Path("../../blobs") / str(number))
    assert load(snapshot, PLACE).info.architecture == "llama"


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"model_type": "llama"', "\ud800", "null"])
def test_damaged_configuration(folder: Path, text: str) -> None:
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelDamaged):
        read_folder(folder)


@pytest.mark.parametrize("text", ["", "{}", '{"version": "1.0", "model": {"type": "Evil"}}'])
def test_a_damaged_tokenizer(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ModelDamaged, match="tokenizer"):
        load(folder, PLACE)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_folder(tmp_path / "nothing")
