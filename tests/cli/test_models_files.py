"""Commands on model files: verify, repair, remove and restore, move, import, bundle, add and share."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tarfile
from pathlib import Path

import pytest
from command_line import CommandLine

from tests.loopback_hub import Hub
from tests.tiny_gguf import make


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model."""
    return make(tmp_path_factory.mktemp("weights") / "tiny.gguf").read_bytes()


@pytest.fixture
def own(edgellm: CommandLine, weights: bytes) -> Path:
    """A model file of the person's own, outside the folders for models."""
    path = edgellm.home / "downloads" / "My Model.gguf"
    path.parent.mkdir()
    path.write_bytes(weights)
    return path


def test_only_the_damaged_part_is_fetched_again(edgellm: CommandLine, weights: bytes) -> None:
    data = weights + random.Random(2).randbytes(40_000_000 - len(weights))
    with Hub(repos={"me/large-GGUF": {"large-Q4_K_M.gguf": data}}) as hub:
        edgellm.settings(mirror=hub.endpoint)
        found = edgellm.here("models", "pull", "me/large-GGUF", "--json").object
        name, path = found["name"], Path(found["path"])
        assert f"{name} is whole" in edgellm.here("models", "verify").out
        with path.open("r+b") as file:
            file.seek(20_000_000)
            file.write(b"\0\0\0\0")
        ran = edgellm.here("models", "verify", name, status=1)
        assert "1 of its parts is wrong" in ran.out
        assert f"{path.name}: bytes 16,777,216 to 33,554,432" in ran.out
        assert f"edgellm models repair {name}" in ran.out
        told = edgellm.here("models", "verify", "--json", status=1).object
        assert told["ok"] is False
        assert told["models"][0]["bad"] == [{"path": path.name, "start": 16_777_216, "stop": 33_554_432}]
        before = hub.sent
        assert f"{name} is repaired: 16.8 MB were fetched again" in edgellm.here("models", "repair", name).out
        assert hub.sent - before == 1 << 24
        assert path.read_bytes() == data
        before = hub.sent
        assert "is whole" in edgellm.here("models", "repair", name).out
        assert hub.sent == before


def test_with_nothing_to_check_that_is_said(edgellm: CommandLine) -> None:
    assert "Only the built-in model is here" in edgellm.here("models", "verify").out
    assert edgellm.here("models", "verify", "--json").object == {"ok": True, "models": [], "notes": []}
    assert "starter is whole" in edgellm.here("models", "verify", "starter").out


def test_a_model_is_removed_restored_and_discarded(edgellm: CommandLine, own: Path) -> None:
    edgellm.here("models", "import", str(own), "--copy")
    ran = edgellm.here("models", "remove", "my-model")
    assert "edgellm models restore my-model" in ran.out
    assert "my-model" not in edgellm.here("models").out
    assert edgellm.here("models", "restore").out.startswith("my-model ")
    assert "my-model is back" in edgellm.here("models", "restore", "my-model").out
    assert "my-model" in edgellm.here("models").out
    assert "free again" in edgellm.here("models", "remove", "my-model", "--now").out
    assert "Nothing was removed" in edgellm.here("models", "restore").out
    assert not list((edgellm.home / "models").rglob("*.gguf"))
    assert "not in the bin" in edgellm.here("models", "restore", "my-model", status=1).err
    assert "not installed" in edgellm.here("models", "remove", "my-model", status=1).err
    assert "part of EdgeLLM" in edgellm.here("models", "remove", "starter", status=2).err


def test_what_is_in_the_bin_can_be_removed_for_good(edgellm: CommandLine, own: Path) -> None:
    edgellm.here("models", "import", str(own))
    edgellm.here("models", "remove", "my-model")
    assert "for good" in edgellm.here("models", "remove", "my-model", "--now").out


def test_a_model_moves_to_a_folder_that_is_remembered(edgellm: CommandLine, own: Path, tmp_path: Path) -> None:
    disk = tmp_path / "other disk"
    disk.mkdir()
    edgellm.here("models", "import", str(own))
    ran = edgellm.here("models", "move", "my-model", str(disk))
    assert f"is now in {disk}" in ran.out
    assert "setting model_folders" in ran.err
    assert (disk / "my-model" / "my-model.gguf").is_file()
    assert edgellm.here("models", "where").out.splitlines() == [str(edgellm.home / "models"), str(disk)]
    assert edgellm.here("models", "where", "my-model").out == f"{disk / 'my-model' / 'my-model.gguf'}\n"
    assert edgellm.here("models", "move", "my-model", str(edgellm.home / "models")).err == "", "known already"
    assert "no folder" in edgellm.here("models", "move", "my-model", str(tmp_path / "none"), status=2).err
    assert "not installed" in edgellm.here("models", "move", "nosuch", str(disk), status=1).err


def test_a_file_is_taken_in_by_link_or_copy(edgellm: CommandLine, own: Path, weights: bytes) -> None:
    linked = edgellm.here("models", "import", str(own), "--json").object
    assert linked["linked"] is True
    assert os.path.samefile(linked["path"], own)
    copied = edgellm.here("models", "import", str(own), "--copy", "--name", "second", "--json").object
    assert (copied["name"], copied["linked"]) == ("second", False)
    assert not os.path.samefile(copied["path"], own)
    assert own.read_bytes() == Path(copied["path"]).read_bytes() == weights
    assert "edgellm chat --model third" in edgellm.here("models", "import", str(own), "--name", "third").out


def test_a_model_that_waits_for_its_runtime_says_so(edgellm: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "small-onnx"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"weights")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "code.py").write_text("print('no')")
    ran = edgellm.here("models", "import", str(folder))
    assert "small-onnx is installed" in ran.out
    assert "Left out, because they are not part of a model: code.py." in ran.err
    advice = next(
        one["advice"] for one in edgellm.here("models", "--json").object["models"] if one["name"] == "small-onnx"
    )
    if advice is not None and advice["fit"] == "unsupported":
        assert advice["sentence"] in ran.out
        assert "Use it with" not in ran.out


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("nosuch.gguf", None, "There is no file"),
        ("text.gguf", b"hello", "does not begin as a GGUF file"),
        ("cut.gguf", b"GGUF\3\0\0\0", ""),
        ("code.bin", b"\x80\4", ""),
    ],
)
def test_what_is_no_model_is_not_taken_in(edgellm: CommandLine, name: str, content: bytes | None, error: str) -> None:
    if content is not None:
        (edgellm.home / name).write_bytes(content)
    ran = edgellm.here("models", "import", name, status=1)
    assert ran.err.startswith("error: ")
    assert error in ran.err
    assert len(edgellm.here("models", "--json").object["models"]) == 1


def test_a_name_that_cannot_be_one_is_mended(edgellm: CommandLine, own: Path) -> None:
    assert "would do: my-own" in edgellm.here("models", "import", str(own), "--name", "My Own", status=1).err


def test_models_are_carried_in_a_bundle(edgellm: CommandLine, own: Path, tmp_path: Path, weights: bytes) -> None:
    edgellm.here("models", "import", str(own))
    written = edgellm.here("models", "bundle", "my-model", "-o", "stick", "--json").object
    assert written["models"] == ["my-model"]
    stick = edgellm.home / "stick.edgellm"
    assert written["size"] == stick.stat().st_size
    with tarfile.open(stick) as archive:
        assert archive.getnames() == ["manifest.json", "manifest.sig", "models/my-model/my-model.gguf"]
    assert "already is a file" in edgellm.here("models", "bundle", "my-model", "-o", "stick", status=2).err
    assert "Signed by " in edgellm.here("models", "bundle", "my-model", "-o", "stick", "--force").out
    (tmp_path / "other").mkdir()
    other = CommandLine(tmp_path / "other")
    ran = other.here("models", "add", str(stick))
    assert f"not seen: {written['fingerprint']}" in ran.out
    assert "Installed my-model" in ran.out
    assert "--trust" in ran.err
    assert (tmp_path / "other" / "models" / "my-model" / "my-model.gguf").read_bytes() == weights
    again = other.here("models", "add", str(stick), "--signer", written["fingerprint"], "--trust").out
    assert "was here already" in again
    assert "that you trust" in other.here("models", "add", str(stick)).out
    wrong = "0000 " * 8
    assert "signed by" in other.here("models", "add", str(stick), "--signer", wrong, status=1).err
    assert not (tmp_path / "other" / "ledger.jsonl").exists()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("my-model-1.5", "my-model-1.5.edgellm"),
        ("two.tar", "two.tar.edgellm"),
        (".hidden", ".hidden.edgellm"),
        ("three.edgellm", "three.edgellm"),
        ("FOUR.EdgeLLM", "FOUR.EdgeLLM"),
    ],
)
def test_a_bundle_has_the_suffix_of_bundles(edgellm: CommandLine, own: Path, given: str, written: str) -> None:
    edgellm.here("models", "import", str(own))
    edgellm.here("models", "bundle", "my-model", "-o", given)
    assert (edgellm.home / written).is_file()
    assert "is a folder" in edgellm.here("models", "bundle", "my-model", "-o", ".", status=2).err


def test_signers_are_listed_and_forgotten(edgellm: CommandLine, own: Path) -> None:
    assert "No signer is trusted yet" in edgellm.here("models", "trusted").out
    edgellm.here("models", "import", str(own))
    signer = edgellm.here("models", "bundle", "my-model", "-o", "stick", "--json").object["fingerprint"]
    edgellm.here("models", "add", "stick.edgellm", "--trust")
    assert edgellm.here("models", "trusted").out.startswith(f"{signer}  since 20")
    (listed,) = edgellm.here("models", "trusted", "--json").object["trusted"]
    assert (listed["fingerprint"], listed["note"]) == (signer, "stick.edgellm")
    assert "0000 0000" in edgellm.here("models", "trusted", "--forget", "0000" * 8, status=2).err
    assert "no fingerprint" in edgellm.here("models", "trusted", "--forget", "x", status=2).err
    assert "not trusted any more" in edgellm.here("models", "trusted", "--forget", signer.upper()).out
    assert edgellm.here("models", "trusted", "--json").object["trusted"] == []
    assert "is trusted here" in edgellm.here("models", "trusted", "--forget", signer, status=2).err


def test_what_a_bundle_says_of_its_models_is_remembered(edgellm: CommandLine, own: Path, tmp_path: Path) -> None:
    """Once, for models that are in it, and never as a recommendation."""
    edgellm.here("models", "import", str(own))
    entry = 'title = "Mine"\nsummary = "For me."\nformat = "gguf"\ntasks = ["chat"]\nrecommended = ["chat:4gb"]\n'
    entry += 'repo = "me/mine"\nfile = [{ path = "my-model.gguf" }]\n'
    (edgellm.home / "models.toml").write_text(f'schema = 1\n[[model]]\nname = "my-model"\n{entry}')
    edgellm.here("models", "bundle", "my-model", "-o", "stick")
    (tmp_path / "other").mkdir()
    other = CommandLine(tmp_path / "other")
    stick = str(edgellm.home / "stick.edgellm")
    assert "In your own catalog from now on: my-model." in other.here("models", "add", stick).out
    assert other.here("models", "add", stick, "--json").object["remembered"] == []
    text = (tmp_path / "other" / "models.toml").read_text()
    assert 'repo = "me/mine"' in text and "recommended" not in text
    other.here("models", "remove", "my-model")
    assert "me/mine" in other.here("models", "details", "my-model").out


def test_a_damaged_bundle_adds_nothing(edgellm: CommandLine, own: Path, tmp_path: Path) -> None:
    edgellm.here("models", "import", str(own))
    edgellm.here("models", "bundle", "my-model", "-o", "stick")
    stick = edgellm.home / "stick.edgellm"
    data = bytearray(stick.read_bytes())
    data[-20_000] ^= 1
    stick.write_bytes(data)
    (tmp_path / "other").mkdir()
    other = CommandLine(tmp_path / "other")
    assert "damaged" in other.here("models", "add", str(stick), status=1).err
    assert not list((tmp_path / "other").rglob("*.gguf"))
    assert other.here("models", "add", str(own), status=1).err.startswith("error: This is no bundle")
    assert "There is no file" in other.here("models", "add", "nosuch", status=2).err
    assert "comes with the program" in edgellm.here("models", "bundle", "starter", "-o", "x", status=2).err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_bundle_is_shared_until_ctrl_c(edgellm: CommandLine, own: Path, tmp_path: Path) -> None:
    edgellm.here("models", "import", str(own))
    edgellm.here("models", "bundle", "my-model", "-o", "stick")
    (tmp_path / "other").mkdir()
    other = CommandLine(tmp_path / "other")
    with edgellm.start("models", "share", "stick.edgellm") as sharing:
        assert sharing.stdout is not None
        line = next(line for line in iter(sharing.stdout.readline, b"") if b"edgellm models add" in line).decode()
        address, signer = line.split()[3], line.partition("--signer ")[2].strip().strip("'")
        assert address.startswith("http://127.0.0.1:")
        ran = other.here("models", "add", address, "--signer", signer)
        sharing.send_signal(signal.SIGINT)
        out, err = sharing.communicate(timeout=60)
    assert "Installed my-model" in ran.out
    assert (sharing.returncode, err) == (0, b"")
    assert b"No longer shared." in out
    hosts = {json.loads(line)["host"] for line in (tmp_path / "other" / "ledger.jsonl").read_text().splitlines()}
    assert hosts == {"127.0.0.1"}
