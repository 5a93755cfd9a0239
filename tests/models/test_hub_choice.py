"""Which files of a listing are one model."""

from __future__ import annotations

import pytest

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported, UsageError
from edgellm.models import hub_choice
from edgellm.models.hub_reply import Listing, RemoteFile


def _listing(*paths: str, **sizes: int) -> Listing:
    files = tuple(RemoteFile(path, sizes.get(path.partition(".")[0].replace("-", "_"), 10), "a" * 64) for path in paths)
    return Listing("owner/name", "c" * 40, files)


def _sized(**sizes: int) -> Listing:
    files = tuple(RemoteFile(f"m-{name}.gguf", size, "a" * 64) for name, size in sizes.items())
    return Listing("owner/name", "c" * 40, files)


@pytest.mark.parametrize(
    ("path", "quantization"),
    [
        ("Qwen3.5-4B-Q4_K_M.gguf", "Q4_K_M"),
        ("gemma-4-12B-it-qat-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("translategemma-4b-it.Q4_K_M.gguf", "Q4_K_M"),
        ("bge-small-en-v1.5-q8_0.gguf", "Q8_0"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("granite-embedding-107m-multilingual-f16.gguf", "F16"),
        ("x-IQ4_XS.gguf", "IQ4_XS"),
        ("x-TQ1_0.gguf", "TQ1_0"),
        ("x-bf16.gguf", "BF16"),
        ("Q8_0/x-00001-of-00002.gguf", "Q8_0"),
        ("x-Q6_K-00001-of-00002.gguf", "Q6_K"),
        ("Q1000-model.gguf", ""),
        ("model.gguf", ""),
        ("faq4you.gguf", ""),
    ],
)
def test_a_quantization_is_read_from_a_name(path: str, quantization: str) -> None:
    assert hub_choice.quantization_of(path) == quantization


@pytest.mark.parametrize(
    ("sizes", "chosen", "said"),
    [
        ({"Q4_K_M": 4, "Q4_K_S": 3, "Q2_K": 2}, "Q4_K_M", "usual"),
        ({"UD-Q4_K_M": 4, "Q8_0": 8}, "UD-Q4_K_M", "usual"),
        ({"UD-Q4_K_M": 5, "Q4_K_M": 4}, "Q4_K_M", "usual"),
        ({"Q8_0": 8, "Q5_K_M": 5, "Q2_K": 2}, "Q5_K_M", "smallest of at least 4 bits"),
        ({"F16": 16, "Q8_0": 8}, "Q8_0", "smallest of at least 4 bits"),
        ({"Q2_K": 2, "Q3_K_M": 3}, "Q3_K_M", "largest"),
        ({"Q2_K": 2}, "Q2_K", ""),
    ],
)
def test_the_usual_quantization_or_a_sensible_one(sizes: dict[str, int], chosen: str, said: str) -> None:
    picked = hub_choice.pick(_sized(**sizes))
    assert picked.quantization == chosen and said in picked.note and bool(picked.note) == bool(said)
    assert [file.path for file in picked.files] == [f"m-{chosen}.gguf"]


def test_what_only_accompanies_a_model_is_no_choice() -> None:
    beside = ("mmproj-F16.gguf", "a-mmproj-Q8_0.gguf", "x-Q4_K_M.imatrix.gguf", "draft-x-Q4_K_M.gguf")
    assert [file.path for file in hub_choice.pick(_listing(*beside, "x-Q8_0.gguf")).files] == ["x-Q8_0.gguf"]


def test_several_models_are_listed() -> None:
    with pytest.raises(UsageError) as caught:
        hub_choice.pick(_listing("a.gguf", "b.gguf"))
    assert caught.value.hint == "It has: a.gguf, b.gguf."
    with pytest.raises(UsageError) as caught:
        hub_choice.pick(_listing("a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "c-Q8_0.gguf"))
    assert "a-Q4_K_M.gguf, b-Q4_K_M.gguf" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        hub_choice.pick(_listing(*(f"model{number}.gguf" for number in range(40))))
    assert "28 more" in caught.value.hint and len(caught.value.hint) < 400


@pytest.mark.parametrize(
    "parts",
    [
        ["x-00001-of-00003.gguf", "x-00003-of-00003.gguf"],
        ["x-00001-of-00002.gguf", "x-00002-of-00003.gguf"],
        ["x-00002-of-00002.gguf"],
        ["x-00000-of-00000.gguf"],
        ["x-00001-of-99999.gguf"],
    ],
)
def test_a_split_model_with_a_missing_part_is_refused(parts: list[str]) -> None:
    with pytest.raises(ModelDamaged, match="not whole"):
        hub_choice.pick(_listing(*parts))


def test_a_split_model_is_in_order_whatever_the_listing_says() -> None:
    picked = hub_choice.pick(_listing(*(f"d/x-Q4_0-{part:05}-of-00003.gguf" for part in (3, 1, 2))))
    assert [file.path for file in picked.files] == [f"d/x-Q4_0-{part:05}-of-00003.gguf" for part in (1, 2, 3)]
    assert picked.quantization == "Q4_0"


@pytest.mark.parametrize(
    ("paths", "chosen"),
    [
        (["onnx/model.onnx", "onnx/model_quantized.onnx"], {"onnx/model_quantized.onnx"}),
        (["model.onnx", "model.onnx_data"], {"model.onnx", "model.onnx_data"}),
        (["onnx/odd_name.onnx"], {"onnx/odd_name.onnx"}),
        (
            ["onnx/encoder_model.onnx", "onnx/decoder_model_merged.onnx", "onnx/decoder_model_merged_quantized.onnx"],
            {"onnx/encoder_model.onnx", "onnx/decoder_model_merged.onnx"},
        ),
    ],
)
def test_the_graphs_of_an_onnx_model(paths: list[str], chosen: set[str]) -> None:
    picked = hub_choice.pick(_listing(*paths, "README.md", "model.py", "pytorch_model.bin", "x.pkl"))
    assert {file.path for file in picked.files} == chosen and picked.format == "onnx"


def test_several_onnx_graphs_of_no_known_kind_are_no_model() -> None:
    with pytest.raises(ModelUnsupported):
        hub_choice.pick(_listing("a.onnx", "b.onnx"))
    picked = hub_choice.pick(_listing("a.onnx", "b.onnx", "config.json"), path="b.onnx")
    assert [file.path for file in picked.files] == ["b.onnx", "config.json"]


def test_modules_beside_a_graph_come_along_when_the_repository_names_them() -> None:
    modules = ["1_Pooling/config.json", "2_Dense/model.safetensors", "2_Dense/config.json", "3_x/code.py"]
    picked = hub_choice.pick(_listing("onnx/model.onnx", "modules.json", *modules))
    assert {file.path for file in picked.files} == {"onnx/model.onnx", "modules.json", *modules[:3]}
    picked = hub_choice.pick(_listing("onnx/model.onnx", *modules))
    assert {file.path for file in picked.files} == {"onnx/model.onnx"}


def test_a_small_file_that_is_large_is_left_out() -> None:
    listing = Listing("o/n", "c" * 40, (RemoteFile("model.onnx", 5), RemoteFile("tokenizer.json", 1 << 40)))
    assert [file.path for file in hub_choice.pick(listing).files] == ["model.onnx"]


def test_safetensors_without_pickles() -> None:
    picked = hub_choice.pick(_listing("model.safetensors", "config.json", "pytorch_model.bin", "tokenizer.json"))
    assert picked.format == "safetensors"
    assert [file.path for file in picked.files] == ["model.safetensors", "config.json", "tokenizer.json"]
    parts = [f"model-0000{part}-of-00002.safetensors" for part in (1, 2)]
    picked = hub_choice.pick(_listing(*parts, "model.safetensors.index.json"))
    assert [file.path for file in picked.files] == [*parts, "model.safetensors.index.json"]
    with pytest.raises(ModelDamaged):
        hub_choice.pick(_listing(parts[0]))


@pytest.mark.parametrize("path", ["pytorch_model.bin", "README.md", "model.py"])
def test_other_files_are_not_taken_by_name(path: str) -> None:
    with pytest.raises(ModelUnsupported, match="can be used by itself"):
        hub_choice.pick(_listing(path, "x.gguf"), path=path)


def test_a_quantization_of_a_repository_without_gguf() -> None:
    with pytest.raises(ModelNotFound, match="no GGUF"):
        hub_choice.pick(_listing("onnx/model.onnx"), quantization="Q4_K_M")
