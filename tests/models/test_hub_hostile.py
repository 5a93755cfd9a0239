"""Hubs that fail, lie, or want to know who asks: one sentence each, and nothing of theirs is used."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import ModelError, ModelNotFound, NetworkError, Stopped, UntrustedName
from edgellm.models import hub_reply
from edgellm.models.hub import Limits
from edgellm.models.rate import Control
from edgellm.settings import Settings
from tests import loopback_hub
from tests.asked_hub import GGUF, ONNX, QUICK, REPOS, Asked, raw_server
from tests.loopback_hub import Fault

HOSTILE_FILES = [
    {"rfilename": "../../.bashrc", "size": 1},
    {"rfilename": "/etc/cron.d/x", "size": 1},
    {"rfilename": "C:\\x.gguf", "size": 1},
    {"rfilename": "CON.gguf", "size": 1},
    {"rfilename": "a\u202ellug.gguf", "size": 1},
    {"rfilename": "a\x00.gguf", "size": 1},
    {"rfilename": "edgellm-model.json", "size": 1},
    {"rfilename": "x" * 999 + ".gguf", "size": 1},
    {"rfilename": 7},
    {"rfilename": None},
    "x.gguf",
    None,
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"sha256": "../../x", "size": 1}},
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"sha256": "a" * 40, "size": 1}},
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"sha256": 5, "size": 1}},
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"size": 1}},
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"sha256": "a" * 64, "size": -1}},
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"sha256": "a" * 64, "size": 1 << 60}},
    {"rfilename": "x-Q4_K_M.gguf", "lfs": {"sha256": "a" * 64, "size": "1"}},
    {"rfilename": "x-Q4_K_M.gguf", "size": True},
    {"rfilename": "x-Q4_K_M.gguf", "size": 1.5},
    {"rfilename": "x-Q4_K_M.gguf", "size": 1, "blobId": "zz"},
    {"rfilename": "x-Q4_K_M.gguf", "size": 1, "blobId": ["a"]},
]


@pytest.mark.parametrize("hostile", HOSTILE_FILES)
def test_hostile_entries_are_left_out_and_told(
    hostile: Any, ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    server.extra[GGUF] = {"siblings": [hostile]}
    with pytest.raises(UntrustedName) as caught:
        ask().hub.card(GGUF)
    assert caught.value.message.isprintable() and len(str(caught.value)) < 400
    good = {"rfilename": "good-Q8_0.gguf", "lfs": {"sha256": "A" * 64, "size": 3}}
    server.extra[GGUF] = {"siblings": [hostile, good]}
    listing = ask().hub.listing(GGUF)
    assert [(file.path, file.sha256) for file in listing.files] == [("good-Q8_0.gguf", "a" * 64)]
    assert len(listing.refused) == 1 and [file.path for file in ask().hub.card(GGUF).files] == ["good-Q8_0.gguf"]
    with pytest.raises(ModelNotFound, match="no 'Q4_K_M'") as missing:
        ask().hub.card(f"{GGUF}:Q4_K_M")
    assert "refused" in missing.value.hint


@pytest.mark.parametrize(
    "extra",
    [
        {"siblings": None},
        {"siblings": {}},
        {"siblings": [{"rfilename": f"{number}.gguf"} for number in range(20_001)]},
        {"sha": None},
        {"sha": 7},
        {"sha": "a" * 64},
        {"sha": "main"},
        {"siblings": [{"rfilename": "a.gguf", "size": 1}, {"rfilename": "A.GGUF", "size": 1}]},
        {"siblings": [{"rfilename": "a.gguf", "size": 1}, {"rfilename": "a.gguf/b", "size": 1}]},
    ],
)
def test_a_listing_that_is_none_is_an_error(
    extra: dict[str, Any], ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    server.extra[GGUF] = extra
    with pytest.raises((NetworkError, UntrustedName)):
        ask().hub.listing(GGUF)


def test_facts_of_a_listing_that_are_strange_are_unknown(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    server.extra[GGUF] = {
        "id": "../evil",
        "gated": [],
        "tags": "gguf",
        "cardData": {"license": {"x": 1}, "language": [1, "xx\x00", "en", "EN"]},
        "gguf": {"architecture": "../x", "context_length": 1e9},
        "pipeline_tag": "x" * 500,
    }
    listing = ask().hub.listing(GGUF)
    assert (listing.repo, listing.license, listing.gated, listing.task) == (GGUF, "", False, "")
    assert (listing.languages, listing.architecture, listing.context) == (("en",), "", 0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("portal", "web page"),
        ("portal_redirect", "web page"),
        ("loop", "without an end"),
        ("garbage", "broke off"),
        ("refuse", "broke off"),
        ("500", "overloaded or out of order"),
        ("503", "overloaded or out of order"),
        ("429", "overloaded or out of order"),
        ("418", "makes no sense"),
    ],
)
def test_failures_are_sentences_and_passing_ones_are_overcome(
    kind: str, said: str, ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    server.faults.append(Fault(kind, times=-1, on="api"))
    started = time.monotonic()
    with pytest.raises(NetworkError, match=said):
        ask().hub.listing(GGUF)
    assert time.monotonic() - started < 15
    server.faults[:] = [Fault(kind, times=1, on="api")]
    if kind in ("500", "503", "garbage", "refuse"):
        assert ask().hub.listing(GGUF).repo == GGUF


def test_a_mirror_steps_in(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    with loopback_hub.Hub({}, faults=[Fault("503", times=-1, on="api"), Fault("portal", times=-1, on="api")]) as broken:
        asked = ask(mirror=broken.endpoint, further=(server.endpoint + "/",))
        assert asked.hub.listing(GGUF).repo == GGUF
    asked = ask(mirror="http://127.0.0.1:9", further=(server.endpoint,))
    assert asked.hub.card(f"{server.endpoint}/{GGUF}/blob/main/Some-Model-Q8_0.gguf").quantization == "Q8_0"
    assert asked.hub.search("opus")[0].repo == ONNX


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b"9" * 5_000, b'"x"', b"null", b"[]", b"{}"])
def test_a_body_that_is_no_listing_is_an_error(body: bytes, tmp_path: Path) -> None:
    with raw_server(b"200 OK", body) as endpoint, pytest.raises(NetworkError, match="makes no sense"):
        Asked(tmp_path, Settings(mirror=endpoint)).hub.listing(GGUF)


def test_an_answer_without_an_end_or_packed_is_cut_off(tmp_path: Path) -> None:
    small = Limits(reply=10_000, tuning=QUICK.tuning)
    with raw_server(b"200 OK", b" " * 20_000) as endpoint, pytest.raises(NetworkError, match="too long"):
        Asked(tmp_path, Settings(mirror=endpoint), limits=small).hub.listing(GGUF)
    packed = b"200 OK\r\nContent-Encoding: gzip"
    listing = b'{"sha": "%s", "siblings": []}' % (b"a" * 40)
    with raw_server(packed, listing) as endpoint, pytest.raises(NetworkError, match="makes no sense"):
        Asked(tmp_path, Settings(mirror=endpoint)).hub.listing(GGUF)
    with raw_server(b"200 OK", b" <html>sign in") as endpoint, pytest.raises(NetworkError, match="web page"):
        Asked(tmp_path, Settings(mirror=endpoint)).hub.listing(GGUF)
    with raw_server(packed, b"\x1f\x8b") as endpoint, pytest.raises(NetworkError, match="makes no sense"):
        Asked(tmp_path, Settings(mirror=endpoint)).hub.listing(GGUF)
    assert Limits().reply == 20 << 20


def test_it_can_be_given_up(ask: Callable[..., Asked], server: loopback_hub.Hub) -> None:
    server.faults.append(Fault("503", times=-1, on="api"))
    with pytest.raises(Stopped):
        ask(control=Control(cancelled=lambda: True)).hub.listing(GGUF)


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_gated_repository_names_its_page_and_the_command(
    status: str, ask: Callable[..., Asked], server: loopback_hub.Hub
) -> None:
    server.faults.append(Fault(status, times=-1, on="api"))
    with pytest.raises(ModelError) as caught:
        ask().hub.listing("locked/Model-GGUF")
    assert f"{server.endpoint}/locked/Model-GGUF" in caught.value.hint and "edgellm models token" in caught.value.hint
    assert ("owner of this token" in caught.value.message) == (status == "403")
    with pytest.raises(ModelError, match="token"):
        ask().hub.search("locked")


def test_a_gated_repository_says_so_before_the_download(ask: Callable[..., Asked]) -> None:
    card = ask().hub.card("locked/Model-GGUF")
    assert "must be accepted" in card.license_line


def test_the_token_goes_to_the_hub_and_to_nobody_else(
    ask: Callable[..., Asked], server: loopback_hub.Hub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with loopback_hub.Hub(REPOS) as other:
        server.faults.append(Fault("redirect", on="api", value=f"{other.endpoint}/api/models/{GGUF}"))
        asked = ask(further=(other.endpoint,))
        asked.token = "hf_canary"
        assert asked.hub.listing(GGUF).repo == GGUF
        server.faults.append(Fault("503", times=-1, on="api"))
        assert asked.hub.listing(ONNX).repo == ONNX
        assert other.requests() and not any("hf_canary" in seen.text for seen in other.requests())
    assert all("hf_canary" in seen.text for seen in server.requests("hub"))
    assert "hf_canary" not in asked.ledger.read_text() and "hf_canary" not in caplog.text


@pytest.mark.parametrize("reply", [[], [1, None, {"id": "../.."}, {"id": 5}, {"id": "a/b", "tags": 7, "likes": -1}]])
def test_strange_results_of_a_search_are_passed_over(reply: list[Any]) -> None:
    found = hub_reply.found(reply, "host", 20)
    assert [(one.repo, one.likes) for one in found] == ([("a/b", 0)] if reply else [])
    with pytest.raises(NetworkError):
        hub_reply.found({"error": reply}, "host", 20)
