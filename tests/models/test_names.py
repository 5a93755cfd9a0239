"""Names, hashes and model names from elsewhere: what passes, and what does not."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgellm.errors import UntrustedName
from edgellm.models import names

GOOD = (
    "model.gguf",
    "onnx/decoder_model_merged_quantized.onnx",
    ".gitattributes",
    "1_Pooling/config.json",
    "Qwen3 8B (1).gguf",
    "模型/文件.gguf",
    "contents.json",
    "a..b.json",
)
HOSTILE = (
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "a/./x",
    "a//x",
    "a/",
    "/etc/passwd",
    "~/x",
    "C:x",
    "C:/x",
    "c:\\x",
    "a\\..\\x",
    "\\\\server\\share",
    "x.gguf:stream",
    "CON",
    "con.txt",
    "a/NUL.gguf",
    "aux .txt",
    "COM1",
    "lpt9.json",
    "COM¹",
    "CONIN$",
    "x.",
    "x ",
    " x",
    "a /x",
    "a\nb",
    "a\x00b",
    "a\x7fb",
    "a\u202egpj.exe",
    "a\u200bb",
    "a\u2028b",
    "a\ud800b",
    "a?b",
    "a*b",
    'a"b',
    "<a>",
    "a|b",
    "a" * 201,
    "模" * 67,
    "/".join(["part"] * 100),
    "edgellm-model.json",
    "EdgeLLM-Model.JSON",
    "sub/edgellm-model.json",
)


@pytest.mark.parametrize("name", GOOD)
def test_plain_names_pass(name: str) -> None:
    assert names.check_relative(name) == PurePosixPath(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_in_a_sentence_that_hides_nothing(name: str) -> None:
    with pytest.raises(UntrustedName) as caught:
        names.check_relative(name)
    assert caught.value.message.endswith(".") and caught.value.hint
    assert caught.value.message.isprintable() and len(caught.value.message) < 250


@pytest.mark.parametrize("name", [None, 7, b"x", ["x"]])
def test_what_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(UntrustedName):
        names.check_relative(name)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters() | st.sampled_from("./\\: .~"), max_size=30))
def test_no_name_that_passes_leads_out_of_its_folder(name: str) -> None:
    folder = Path("/models/x")
    try:
        path = names.check_relative(name)
    except UntrustedName:
        return
    inside = (folder / path).resolve()
    assert inside != folder and inside.is_relative_to(folder)


@pytest.mark.parametrize(
    "pair",
    [
        ("a.gguf", "a.gguf"),
        ("a.gguf", "A.GGUF"),
        ("caf\u00e9.json", unicodedata.normalize("NFD", "caf\u00e9.json")),
        ("onnx", "onnx/model.onnx"),
        ("onnx/model.onnx", "ONNX"),
    ],
)
def test_names_that_would_be_one_file_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(UntrustedName, match="one place"):
        names.check_distinct(pair)


def test_distinct_names_pass() -> None:
    names.check_distinct(["onnx/model.onnx", "onnx/model.onnx_data", "config.json", "onnx2"])


@pytest.mark.parametrize("text", ["a" * 40, "0123456789abcdefABCDEF" + "0" * 42])
def test_hashes_pass_in_lower_case(text: str) -> None:
    assert names.check_hash(text) == text.lower()


@pytest.mark.parametrize("text", ["", "a" * 39, "a" * 41, "a" * 63, "g" * 40, "a" * 40 + "\n", "../" + "a" * 37, None])
def test_other_texts_are_no_hashes(text: str) -> None:
    with pytest.raises(UntrustedName, match="40 or 64"):
        names.check_hash(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Qwen3.5-0.8B-Q4_K_M", "qwen3.5-0.8b-q4_k_m"),
        ("Owner/Some Model", "owner-some-model"),
        ("..\\..\\evil", "evil"),
        ("模型 一", "模型-一"),
        ("CON", "model-con"),
        ("nul.gguf", "model-nul.gguf"),
        ("--a--b--", "a-b"),
        ("a\u202eb", "a-b"),
    ],
)
def test_a_model_name_is_made_from_any_text(text: str, name: str) -> None:
    assert names.plain_name(text) == name


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_a_made_name_is_safe_and_stays_as_it_is(text: str) -> None:
    try:
        name = names.plain_name(text)
    except UntrustedName:
        return
    assert names.check_relative(name) == PurePosixPath(name)
    assert "/" not in name and not name.startswith(".")
    assert names.plain_name(name) == name == names.check_name(name)


def test_a_name_that_is_not_plain_is_refused_with_one_that_is() -> None:
    with pytest.raises(UntrustedName, match="cannot be the name") as caught:
        names.check_name("My Model")
    assert "my-model" in caught.value.hint
