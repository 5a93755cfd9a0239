"""`edgellm models list`, `where`, `details` and `recommend`: what is here, what can be had, and how it fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

from edgellm.cli.models_text import duration, percent, size, table
from edgellm.models import catalog
from edgellm.models.installed import Installed
from edgellm.models.store import ModelStore
from edgellm.paths import from_environment
from tests.tiny_gguf import make


@pytest.fixture
def tiny(edgellm: CommandLine) -> Path:
    """A model file in the folder of models."""
    folder = edgellm.home / "models" / "big"
    folder.mkdir(parents=True)
    return make(folder / "one.gguf")


def test_models_are_listed_with_size_fit_and_place(edgellm: CommandLine, tiny: Path) -> None:
    lines = edgellm("models").out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("big/one "))
    assert " fits" in lines[at]
    assert size(tiny.stat().st_size) in lines[at]
    assert "GB free" in lines[at + 1]
    assert lines[at + 2].strip() == str(tiny)
    found = edgellm.here("models", "--json").object
    entry = next(one for one in found["models"] if one["name"] == "big/one")
    assert (entry["path"], entry["size"], entry["builtin"]) == (str(tiny), tiny.stat().st_size, False)
    assert entry["advice"]["fit"] == "fits"
    assert entry["advice"]["budget"]["need"] > 0
    assert found["folder"] == str(edgellm.home / "models")


def test_the_context_that_is_asked_for_is_reckoned_with(edgellm: CommandLine, tiny: Path) -> None:
    small, large = (
        next(
            one
            for one in edgellm.here("models", "list", "--context", tokens, "--json").object["models"]
            if one["title"] == ""
        )
        for tokens in ("512", "4096")
    )
    assert small["advice"]["context"] == 512
    assert small["advice"]["budget"]["kv"] < large["advice"]["budget"]["kv"]


def test_a_file_that_is_no_model_does_not_hide_the_others(edgellm: CommandLine, tiny: Path) -> None:
    (tiny.parent / "bad.gguf").write_bytes(b"GGUF\3\0\0\0" + b"\xff" * 100)
    out = edgellm.here("models").out
    assert "big/one " in out
    assert "big/bad " in out


def test_what_can_be_had_is_listed_with_its_license(edgellm: CommandLine) -> None:
    out = edgellm.here("models", "--available").out
    line = next(line for line in out.splitlines() if line.startswith("qwen3-0.6b-q4 "))
    assert "397 MB" in line
    assert "Apache-2.0" in line
    assert "Installed" not in out
    everything = edgellm.here("models", "list", "--all", "--task", "translate", "--json").object
    assert everything["models"]
    assert {"hy-mt2-1.8b-q4"} <= {one["name"] for one in everything["available"]}
    assert all("translate" in one["tasks"] for one in (*everything["models"], *everything["available"]))
    assert all(one["advice"]["fit"] in ("fits", "tight", "swap", "unsupported") for one in everything["available"])


def test_what_cannot_be_used_yet_stands_under_its_reason(edgellm: CommandLine) -> None:
    lines = edgellm.here("models", "--available").out.splitlines()
    heading = next(at for at, line in enumerate(lines) if line.startswith("Models that compare texts run as ONNX"))
    at = next(at for at, line in enumerate(lines) if line.startswith("qwen3-embedding-0.6b-q8 "))
    assert at > heading
    assert "not usable yet" in lines[at]


def test_a_broken_list_of_ones_own_is_one_notice(edgellm: CommandLine) -> None:
    (edgellm.home / "models.toml").write_text("[[model]\n")
    ran = edgellm.here("models", "--available")
    assert "qwen3-0.6b-q4" in ran.out
    assert ran.err.count("note: Your own catalog models.toml is not valid TOML") == 1


def test_where_is_the_folder_or_the_file_alone(edgellm: CommandLine, tiny: Path) -> None:
    assert edgellm.here("models", "where").out == f"{edgellm.home / 'models'}\n"
    assert edgellm.here("models", "where", "one").out == f"{tiny}\n"
    found = edgellm.here("models", "where", "--json").object
    assert (found["folders"], found["catalog"]) == (
        [str(edgellm.home / "models")],
        str(edgellm.home / "models.toml"),
    )
    assert str(edgellm.home / "models.toml") in edgellm.here("models", "where").err, "as the catalog itself says"
    assert "Did you mean big/one" in edgellm.here("models", "where", "big-onne", status=1).err


def test_folders_of_the_settings_are_looked_into(edgellm: CommandLine, tmp_path: Path) -> None:
    other = tmp_path / "other disk"
    other.mkdir()
    make(other / "there.gguf")
    edgellm.settings(model_folders=str(other))
    assert edgellm.here("models", "where").out.splitlines() == [str(other), str(edgellm.home / "models")]
    assert edgellm.here("models", "where", "there").out == f"{other / 'there.gguf'}\n"


def test_details_of_a_file_and_of_a_card(edgellm: CommandLine, tiny: Path) -> None:
    out = edgellm.here("models", "details", "big/one").out
    assert "Tiny (big/one)" in out
    for words in ("gguf llama", "4,096 tokens", str(tiny), "Fits. "):
        assert words in out
    found = edgellm.here("models", "show", "big/one", "--json").object
    assert (found["installed"], found["architecture"], found["context"]) == (True, "llama", 4096)
    out = edgellm.here("models", "details", "qwen3.5-4b").out
    for words in ("not installed", "edgellm models pull qwen3.5-4b-q4", "Apache-2.0", "2.7 GB", "262,144 tokens"):
        assert words in out
    assert edgellm.here("models", "details", "qwen3.5-4b", "--json").object["license"] == "Apache-2.0"


def test_the_recommended_model_has_a_reason_and_a_command(edgellm: CommandLine) -> None:
    out = edgellm.here("models", "recommend", "--task", "chat", "--language", "French").out
    assert out.startswith("chat: ")
    assert "License: " in out
    assert "edgellm models pull " in out or "It is here" in out
    found = edgellm.here("models", "recommend", "--json").object["recommendations"]
    assert [one["task"] for one in found] == ["chat", "generate", "summarize", "translate", "answer", "classify"]
    assert all(one["reason"] for one in found)
    assert "no language called" in edgellm.here("models", "recommend", "--language", "frensh", status=2).err


def test_what_is_recommended_and_here_is_used_by_the_command_of_its_task(
    edgellm: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tuple(Installed(card.name, Path("x.gguf"), 1) for card in catalog.load(from_environment()).cards)
    monkeypatch.setattr(ModelStore, "installed", lambda store: here)
    out = edgellm.here("models", "recommend", "--task", "translate").out
    assert "It is here. Use it with: edgellm translate --model " in out
    assert "Use it with: edgellm ask --model " in edgellm.here("models", "recommend", "--task", "answer").out


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            ("chat", "--model", "qwen3-0.6b-q4", "x"),
            "qwen3-0.6b-q4 is not installed",
            "edgellm models pull qwen3-0.6b-q4",
        ),
        (("generate", "--model", "Qwen3-0.6B", "x"), "qwen3-0.6b-q4 is not installed", "models pull qwen3-0.6b-q4"),
        (("generate", "--model", "qwen3-0.6b-q5", "x"), "is not installed", "Did you mean qwen3-0.6b-q4"),
        (("generate", "--model", "startr", "x"), "is not installed", "Did you mean starter?"),
        (("generate", "--model", "./startr.gguf", "x"), "no model file", "Check the path"),
        (("models", "details", "zzzzzz"), "is not installed", "edgellm models"),
        (("models", "verify", "qwen3-0.6b"), "is not installed", "edgellm models pull qwen3-0.6b-q4"),
    ],
)
def test_a_name_that_is_not_here_says_how_to_get_it(
    edgellm: CommandLine, arguments: tuple[str, ...], error: str, hint: str
) -> None:
    ran = edgellm.here(*arguments, status=1)
    first, second = ran.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert hint in second


def test_sizes_times_and_tables_are_for_reading() -> None:
    assert [size(count) for count in (0, 999, 52_000, 5_200_000, 396_900_000, 22_100_000_000, None)] == [
        "0 bytes", "999 bytes", "52 KB", "5.2 MB", "397 MB", "22.1 GB", "unknown"
    ]  # fmt: skip
    assert [percent(*of) for of in ((0, 10), (999, 1000), (10, 10), (0, 0))] == ["0 %", "99 %", "100 %", "100 %"]
    assert [duration(seconds) for seconds in (8.4, 70, 7500)] == ["8 s", "1 min 10 s", "2 h 5 min"]
    assert table([("a", "1 MB", "", "x"), ("bcd", "10 MB", "", "")], right=(1,)) == ["a     1 MB  x", "bcd  10 MB"]
    assert table([]) == []
