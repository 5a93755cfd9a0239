"""The hub's endpoints on loopback: what is read, what is refused, and that huggingface_hub reads the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import (
    EdgeError,
    ModelDamaged,
    ModelNotFound,
    ModelUnsupported,
    NetworkError,
    OfflineError,
    UsageError,
)
from edgellm.models import catalog, hub
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.paths import Paths
from edgellm.settings import Settings
from tests import loopback_hub
from tests.asked_hub import GGUF, ONNX, REPOS, Asked

_THEIRS = """
import json, sys
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token=False)
listings = []
for repo, revision in json.loads(sys.argv[2]):
    info = api.model_info(repo, revision=revision, files_metadata=True, token=False)
    files = [(f.rfilename, f.size, f.lfs.sha256 if f.lfs else "", "" if f.lfs else f.blob_id) for f in info.siblings]
    listings.append([info.id, info.sha, info.gated, info.card_data.license, info.card_data.language, files])
found = [(one.id, one.downloads, one.likes) for one in api.list_models(search="gguf", limit=3)]
print(json.dumps([listings, found]))
"""


def test_listing_and_search_are_what_huggingface_hub_reads(
    ask: Callable[..., Asked], server: loopback_hub.Hub, tmp_path: Path
) -> None:
    server.extra[GGUF] = {"cardData": {"license": "mit", "language": ["en", "fr"]}}
    asked = [(repo, revision) for repo in REPOS for revision in ("main", server.commit(repo))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    done = subprocess.run(
        [sys.executable, "-c", _THEIRS, server.endpoint, json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**clean, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1"},
    )
    listings, found = json.loads(done.stdout)
    for (repo, revision), (name, commit, gated, license_, languages, files) in zip(asked, listings, strict=True):
        ours = ask().hub.listing(repo, revision)
        assert (ours.repo, ours.commit, ours.gated) == (name, commit, bool(gated))
        assert (ours.license.lower(), list(ours.languages)) == (license_, languages or [])
        assert [[file.path, file.size, file.sha256, file.git_oid] for file in ours.files] == files
        assert ours.refused == ()
    assert [[one.repo, one.downloads, one.likes] for one in ask().hub.search("gguf", 3)] == found
    assert len(found) == 3 and ask().hub.search("gguf")[0].formats == ("gguf",)


def test_a_search_is_bounded_and_typed(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    for text in ("", "   ", "x" * 201, "a\x00b"):
        with pytest.raises(UsageError):
            ask().hub.search(text)
    assert ask().hub.search("no such model") == ()
    assert server.requests()[-1].target.startswith("/api/models?search=no+such+model&limit=20&")
    assert server.requests()[-1].headers["Accept-Encoding"] == "identity"
    assert len(ask().hub.search("o", 1)) == 1


def test_a_card_takes_the_usual_quantization_and_says_so(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    server.extra[GGUF] = {"gguf": {"architecture": "qwen3", "context_length": 40960, "total": 5}}
    card = ask().hub.card(GGUF)
    assert [file.path for file in card.files] == ["Some-Model-Q4_K_M.gguf"]
    assert (card.name, card.quantization, card.size) == ("owner-some-model-q4_k_m", "Q4_K_M", 40)
    assert card.revision == server.commit(GGUF) and card.license == "Apache-2.0"
    assert "Q4_K_M was taken" in card.notes and (card.architecture, card.context) == ("qwen3", 40960)
    assert len(card.files[0].sha256) == 64 and not card.files[0].git_oid


@pytest.mark.parametrize(
    "reference",
    [
        f"{GGUF}:Q8_0",
        f"{GGUF}:q8_0",
        f"{GGUF}/Some-Model-Q8_0.gguf",
        f"hf.co/{GGUF}:Q8_0",
        f"https://huggingface.co/{GGUF}/blob/main/Some-Model-Q8_0.gguf",
        f"https://huggingface.co/{GGUF}/resolve/main/Some-Model-Q8_0.gguf?download=true",
        f"{{endpoint}}/{GGUF}/resolve/{{commit}}/Some-Model-Q8_0.gguf",
    ],
)
def test_one_model_can_be_named_in_many_ways(
    reference: str, ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    card = ask().hub.card(reference.format(endpoint=server.endpoint, commit=server.commit(GGUF)))
    assert [file.path for file in card.files] == ["Some-Model-Q8_0.gguf"]
    assert card.repo == GGUF and card.notes == ""


def test_a_link_elsewhere_is_a_card_without_a_hash_and_asks_nobody(ask: Callable[..., Asked]) -> None:
    asked = ask()
    card = asked.hub.card("https://example.org/files/My%20Model-Q5_K_M.gguf?key=1")
    assert card.files == (
        CardFile("My Model-Q5_K_M.gguf", None, url="https://example.org/files/My%20Model-Q5_K_M.gguf?key=1"),
    )
    assert (card.name, card.quantization, card.repo) == ("example.org-my-model-q5_k_m", "Q5_K_M", "")
    assert "vouches" in card.notes and asked.entries() == []
    assert asked.hub.complete(card) is card


def test_a_stranger_cannot_take_the_name_of_a_model_of_the_catalog(
    ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    known = {card.name for card in catalog.load(Paths.under(*[Path("/nowhere")] * 3)).cards}
    for reference in (ONNX, f"{ONNX}/onnx/encoder_model.onnx", "https://example.org/starter.gguf"):
        assert ask().hub.card(reference).name not in known


def test_a_split_model_is_all_of_its_parts(ask: Callable[..., Asked]) -> None:
    for reference in ("owner/split-GGUF", "owner/split-GGUF/Q8_0/big-Q8_0-00002-of-00003.gguf"):
        card = ask().hub.card(reference)
        assert [file.path[-19:] for file in card.files] == [f"0000{part}-of-00003.gguf" for part in (1, 2, 3)]
        assert card.size == 27
    with pytest.raises(ModelDamaged, match="part 2 of 3"):
        ask().hub.card("owner/torn-GGUF")


def test_an_onnx_repository_brings_its_small_files_and_no_code(ask: Callable[..., Asked]) -> None:
    card = ask().hub.card(ONNX)
    assert card.format == "onnx"
    assert {file.path for file in card.files} == {
        "onnx/encoder_model_quantized.onnx",
        "onnx/decoder_model_merged_quantized.onnx",
        "config.json",
        "tokenizer.json",
        "source.spm",
    }
    small = next(file for file in card.files if file.path == "tokenizer.json")
    assert small.git_oid == loopback_hub.git_oid(b'{"version": "1.0"}') and not small.sha256


def test_what_has_no_use_here_says_so(ask: Callable[..., Asked]) -> None:
    with pytest.raises(ModelUnsupported, match="no file that is used here"):
        ask().hub.card("owner/nothing")
    with pytest.raises(ModelNotFound) as caught:
        ask().hub.card(f"{GGUF}:Q2_K")
    assert "Q4_K_M, Q8_0" in caught.value.hint
    with pytest.raises(ModelNotFound):
        ask().hub.card(f"{GGUF}/absent.gguf")


def _catalog_card(server: loopback_hub.Hub, **changes: Any) -> ModelCard:
    files = (
        CardFile(
            "onnx/encoder_model_quantized.onnx", 10, server.files[ONNX, "onnx/encoder_model_quantized.onnx"].sha256
        ),
        CardFile("onnx/decoder_model_merged_quantized.onnx", None),
        CardFile("tokenizer.json", None, server.files[ONNX, "tokenizer.json"].sha256),
    )
    base = {"repo": ONNX, "revision": server.commit(ONNX), "format": "onnx", "license": "CC-BY-4.0", "files": files}
    return ModelCard("opus", "Opus", "Translates.", **{**base, **changes})


def test_a_card_is_completed_and_keeps_what_it_pins(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    card = _catalog_card(server)
    whole = ask().hub.complete(card)
    files = {file.path: file for file in whole.files}
    assert set(files) == {*(file.path for file in card.files), "config.json", "source.spm"}
    assert whole.size == 10 + 10 + 18 + 2 + 6 and whole.license == "CC-BY-4.0"
    assert files["tokenizer.json"].sha256 == card.files[2].sha256 and files["tokenizer.json"].git_oid
    assert hub.is_complete(whole) and not hub.is_complete(card)
    asked = ask()
    asked.ledger.unlink(missing_ok=True)
    assert asked.hub.complete(whole) is whole and asked.entries() == []


def test_a_pinned_gguf_needs_no_listing(ask: Callable[..., Asked]) -> None:
    asked = ask()
    card = ModelCard("x", "X", "x", (CardFile("x.gguf", 5, "a" * 64),), repo="gone/gone")
    assert asked.hub.complete(card) is card and asked.entries() == []


def test_the_other_half_of_an_encoder_is_found(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    card = _catalog_card(server, files=(CardFile("onnx/encoder_model_quantized.onnx", None),))
    paths = [file.path for file in ask().hub.complete(card).files]
    assert "onnx/decoder_model_merged_quantized.onnx" in paths


@pytest.mark.parametrize("pin", [{"sha256": "b" * 64}, {"size": 11}])
def test_another_file_than_the_pinned_one_is_refused(
    pin: dict[str, Any], ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    file = CardFile("onnx/encoder_model_quantized.onnx", **{"size": 10, **pin})
    with pytest.raises(ModelDamaged, match="than the catalog pins"):
        ask().hub.complete(_catalog_card(server, files=(file,)))
    with pytest.raises(ModelNotFound, match="no file"):
        ask().hub.complete(_catalog_card(server, files=(CardFile("onnx/absent.onnx", 1),)))


def test_another_commit_than_the_pinned_one_is_refused(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    server.extra[ONNX] = {"sha": "c" * 40}
    with pytest.raises(NetworkError):
        ask().hub.complete(_catalog_card(server))
    assert ask().hub.listing(ONNX).commit == "c" * 40


@pytest.mark.parametrize("repo", ["none/none", "owner/Some-Model-GGUF2"])
def test_a_repository_that_is_not_there(repo: str, ask: Callable[..., Asked]) -> None:
    with pytest.raises(ModelNotFound, match="no repository"):
        ask().hub.listing(repo)


def test_a_revision_that_is_not_there(ask: Callable[..., Asked]) -> None:
    with pytest.raises(ModelNotFound, match="no such revision"):
        ask().hub.listing(GGUF, "d" * 40)
    with pytest.raises(ModelNotFound, match="no such revision"):
        ask().hub.listing(GGUF, "../../../x?y#z")


@pytest.mark.parametrize("repo", ["", "x", "a/b/c", "../x", "a/..", "a b/c", "https://x/y"])
def test_what_is_no_repository_is_not_asked_for(repo: str, ask: Callable[..., Asked]) -> None:
    asked = ask()
    with pytest.raises(UsageError):
        asked.hub.listing(repo)
    assert asked.entries() == []


def test_offline_every_question_is_one_sentence_and_no_connection_is_made(tmp_path: Path) -> None:
    asked = Asked(tmp_path, Settings(offline=True, mirror="https://hub.example.org"))
    card = ModelCard("x", "X", "x", (CardFile("x.gguf", None),), repo="a/b")
    questions: list[Callable[[], object]] = [
        lambda: asked.hub.listing("a/b"),
        lambda: asked.hub.search("text"),
        lambda: asked.hub.card("a/b:Q4_K_M"),
        lambda: asked.hub.complete(card),
    ]
    for question in questions:
        with pytest.raises(OfflineError, match="offline lock"):
            question()
    assert {entry["outcome"] for entry in asked.entries()} == {"refused: offline lock"}


def test_every_onnx_card_of_the_catalog_can_be_completed_from_a_repository_of_its_kind(tmp_path: Path) -> None:
    """A hub whose repositories hold what each card names: sizes and hashes stay the catalog's own."""
    cards = [card for card in catalog.load(Paths.under(*[tmp_path] * 3)).cards if card.format == "onnx"]
    repos = {card.repo: {**{file.path: b"x" for file in card.files}, "config.json": b"{}"} for card in cards}
    with loopback_hub.Hub(repos) as server:
        for card in cards:
            siblings = [{"rfilename": "config.json", "size": 2, "blobId": "a" * 40}]
            for file in card.files:
                lfs = {"sha256": file.sha256 or "e" * 64, "size": file.size or 5}
                siblings.append({"rfilename": file.path, "lfs": lfs})
            server.extra[card.repo] = {"siblings": siblings, "sha": card.revision or "f" * 40}
        asked = Asked(tmp_path, Settings(mirror=server.endpoint))
        for card in cards:
            # The loopback hub knows its own commits only; the question for main is the same.
            whole = asked.hub.complete(ModelCard(card.name, card.title, "", card.files, repo=card.repo, format="onnx"))
            assert hub.is_complete(whole) and whole.size is not None
            pinned = {file.path: file for file in whole.files}
            assert all(not file.sha256 or pinned[file.path].sha256 == file.sha256 for file in card.files)


def test_errors_are_the_ones_a_person_sees(ask: Callable[..., Asked]) -> None:
    for reference in ("", "x", "ftp://a/b.gguf", "http://example.org/x.gguf", "https://example.org/x.zip"):
        with pytest.raises(EdgeError) as caught:
            ask().hub.card(reference)
        assert caught.value.message and caught.value.hint
