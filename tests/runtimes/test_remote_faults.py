"""A server that refuses, breaks off, falls silent or means harm: a sentence, in bounds, and at once when canceled."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import (
    ContextOverflow,
    EdgeError,
    ModelNotFound,
    NetworkError,
    ResponseFormatError,
    UsageError,
)
from edgellm.runtimes.base import Chunk, Finish
from edgellm.runtimes.remote import RemoteRuntime
from tests.loopback_chat import DONE, HEAD, Asked, ChatServer, Talk, answer, event, raw, reset, silent, status
from tests.remote_bench import QUICK, ask, loaded, request, take

KEPT = "What had arrived is kept; ask again for the rest."
SLACK = 3.0  # the contract says a second; this machine may be busy


def _error(*answers: Talk, folder: Path, **fields: Any) -> EdgeError:
    """What asking such a server ends in, before anything came."""
    with ChatServer(*answers) as server:
        text, finish, error = ask(loaded(server.address, folder), **fields)
    assert (text, finish) == ("", None)
    assert error is not None
    assert error.hint
    return error


LONG = {
    "llama-server": (400, {"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 5000,
                                     "n_ctx": 4096, "message": "the request exceeds the available context size"}}),
    "vLLM": (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you "
                   "requested 5000 tokens (5000 in the messages, 0 in the completion).", "code": 400}),
    "newer vLLM": (400, {"error": {"message": "You passed 5000 input tokens and requested 0 output tokens. However, "
                                   "the model's context length is only 4096 tokens.", "code": 400}}),
    "older vLLM": (400, {"error": {"message": "The decoder prompt (length 5000) is longer than the maximum model "
                                   "length of 4096.", "code": 400}}),
    "llama-cpp-python": (400, {"error": {"message": "Requested tokens (5000) exceed context window of 4096"}}),
    "status 413": (413, {"error": {"message": "prompt contains 5000 tokens, exceeds the context size (4096)"}}),
    "status 500": (500, {"error": "request (5000 tokens) exceeds the available context size (4096 tokens)"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", LONG)
def test_a_text_that_is_too_long_for_the_model(tmp_path: Path, kind: str) -> None:
    with ChatServer(status(*LONG[kind])) as server:
        runtime = loaded(server.address, tmp_path)
        error = ask(runtime)[2]
        assert len(server.chats) == 1, "nothing of this gets better by asking again"
    assert isinstance(error, ContextOverflow)
    assert (error.prompt_tokens, error.context) == (5000, 4096)
    assert runtime.info.context == 4096, "the next conversation is cut to what fits"


def test_a_text_that_is_too_long_as_the_server_says_without_numbers(tmp_path: Path) -> None:
    kind = {"error": {"code": "context_length_exceeded", "message": "Too long."}}
    assert "longer together" in _error(status(400, kind), folder=tmp_path).message
    assert isinstance(_error(status(400, kind), folder=tmp_path, text="x " * 30_000), ContextOverflow)
    plain = _error(status(413, b"<html>Too Large</html>", "text/html"), folder=tmp_path)
    assert plain.message == "127.0.0.1 does not take a text this long (status 413)."


def test_a_text_that_fits_but_not_with_its_answer(tmp_path: Path) -> None:
    said = {"message": "This model's maximum context length is 4096 tokens. However, you requested 300 tokens."}
    error = _error(status(400, said), folder=tmp_path)
    assert isinstance(error, UsageError)
    assert "--max-tokens" in error.hint


@pytest.mark.parametrize(
    ("talk", "kind", "sentence", "asked"),
    [
        (status(401), NetworkError, "127.0.0.1 answers only to those with a key (status 401).", 1),
        (status(403), NetworkError, "127.0.0.1 answers only to those with a key (status 403).", 1),
        (status(404, {"error": {"message": "The model `small` does not exist."}}), ModelNotFound,
         "127.0.0.1 has no model 'small'.", 1),
        (status(400, {"error": {"code": "model_not_found", "message": "?"}}), ModelNotFound,
         "127.0.0.1 has no model 'small'.", 1),
        (status(404), NetworkError, "There is no chat at this address of 127.0.0.1 (status 404).", 1),
        (status(400, {"error": {"message": "bad\u202e\x07 role"}}), NetworkError,
         '127.0.0.1 refused the request (status 400). It says: "bad role"', 1),
        (status(400, {"error": "x" * 999}), NetworkError,
         f'127.0.0.1 refused the request (status 400). It says: "{"x" * 200}…"', 1),
        (status(400, {"error": {"message": "Invalid schema for response_format"}}), ResponseFormatError,
         '127.0.0.1 does not take this JSON schema. It says: "Invalid schema for response_format"', 1),
        (status(307, Location="http://192.0.2.1/"), NetworkError,
         "127.0.0.1 leads to another address (status 307), which was not followed.", 1),
        (status(429), NetworkError, "127.0.0.1 answers no more for now: too many requests (status 429).", 3),
        (status(429, {"error": {"code": "insufficient_quota"}}), NetworkError,
         "127.0.0.1 answers no more for now: too many requests (status 429).", 1),
        (status(500, b"<h1>Oops</h1>", "text/html"), NetworkError,
         "127.0.0.1 is overloaded or out of order (status 500).", 3),
        (status(503, {"error": {"message": "Loading model"}}), NetworkError,
         '127.0.0.1 is overloaded or out of order (status 503). It says: "Loading model"', 3),
        (status(200, b"<!doctype html><title>Sign in</title>", "text/html"), NetworkError,
         "A web page came instead of the answer of 127.0.0.1.", 3),
        (status(200, b" <html>Sign in</html>"), NetworkError,
         "A web page came instead of the answer of 127.0.0.1.", 3),
        (status(200, b"not json"), NetworkError, "The answer of 127.0.0.1 makes no sense.", 1),
        (status(200, b"{}", Content_Encoding="gzip"), NetworkError, "The answer of 127.0.0.1 makes no sense.", 1),
        (raw(b"data: not json\n\n"), NetworkError, "The answer of 127.0.0.1 makes no sense.", 1),
        (raw(b"data: " + b"[" * 90_000 + b"\n\n"), NetworkError, "The answer of 127.0.0.1 makes no sense.", 1),
        (raw(b'data: {"error": {"message": "CUDA out of memory"}}\n\n'), NetworkError,
         '127.0.0.1 gave up in the middle of its work. It says: "CUDA out of memory"', 3),
        (raw(b": nothing\n\n"), NetworkError, "127.0.0.1 ended its answer before it began.", 2),
        (reset, NetworkError, "The connection to 127.0.0.1 broke off.", 3),
        (raw(head=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), NetworkError,
         "The connection to 127.0.0.1 broke off.", 3),
        (raw(head=b"SSH-2.0-OpenSSH_9\r\n\r\n"), NetworkError, "The connection to 127.0.0.1 broke off.", 3),
    ],
)  # fmt: skip
def test_every_refusal_is_a_sentence(tmp_path: Path, talk: Talk, kind: type, sentence: str, asked: int) -> None:
    schema = '{"type": "string"}' if kind is ResponseFormatError else None
    with ChatServer(talk) as server:
        text, finish, error = ask(loaded(server.address, tmp_path), schema=schema)
        assert (text, finish) == ("", None)
        assert len(server.chats) == asked + (schema is not None)  # a schema is tried in its older form
    assert type(error) is kind or isinstance(error, kind)
    assert error is not None
    assert error.message == sentence
    assert error.hint


def test_the_models_of_the_server_are_named(tmp_path: Path) -> None:
    gone = status(404, {"error": {"message": "model 'small' not found"}})
    with ChatServer(gone, models=["small", *(f"m{number}" for number in range(20))]) as server:
        error = ask(loaded(server.address, tmp_path))[2]
    assert error is not None
    listed = "small, m0, m1, m2, m3, m4, m5, m6, and 13 more"
    assert error.hint == f"It has: {listed}. Choose one with --model remote:NAME"


@pytest.mark.parametrize("fault", [status(503), status(429, Retry_After="0"), reset, raw(head=b"")])
def test_what_fails_before_the_first_token_is_tried_again(tmp_path: Path, fault: Talk) -> None:
    with ChatServer(fault, fault, answer("Now.")) as server:
        assert ask(loaded(server.address, tmp_path))[::2] == ("Now.", None)
        assert len(server.chats) == 3


def test_a_server_that_starts_late_is_waited_for(tmp_path: Path) -> None:
    with ChatServer(
        answer("x"), models=_in_turn(status(503), status(503), status(200, {"data": [{"id": "late"}]}))
    ) as server:
        assert loaded(server.address, tmp_path).info.name == "late"


def _in_turn(*talks: Talk) -> Talk:
    left = list(talks)
    return lambda asked: left.pop(0)(asked)


def test_retry_after_is_kept_to_or_said(tmp_path: Path) -> None:
    with ChatServer(status(429, Retry_After="1"), answer("x")) as server:
        runtime, started = loaded(server.address, tmp_path), time.monotonic()
        assert ask(runtime)[0] == "x"
        assert time.monotonic() - started >= 1
    with ChatServer(status(429, Retry_After="600")) as server:
        error = ask(loaded(server.address, tmp_path))[2]
        assert len(server.chats) == 1
    assert error is not None
    assert error.hint == "Try again in 10 minutes."


CUTS: dict[str, Talk] = {
    "the end": raw(event("one"), event(" two")),
    "half an event": raw(event("one"), event(" two"), event(" three")[:20]),
    "half a chunk": raw(
        *(b"%x\r\n%s\r\n" % (len(one), one) for one in (event("one"), event(" two"))), b"99\r\nhalf",
        head=HEAD.replace(b"Connection: close", b"Transfer-Encoding: chunked"),
    ),
    "an error": raw(event("one"), event(" two"), b'data: {"error": {"message": "worker died"}}\n\n'),
    "nonsense": raw(event("one"), event(" two"), b"data: }{\n\n"),
    "silence": raw(event("one"), event(" two"), linger=True),
    "comments": raw(event("one"), event(" two"), *(b": still here\n\n", 0.05) * 100, linger=True),
}  # fmt: skip


@pytest.mark.parametrize("kind", CUTS)
def test_a_stream_that_is_cut_in_the_middle_keeps_its_text_and_says_so(tmp_path: Path, kind: str) -> None:
    with ChatServer(CUTS[kind], answer("never")) as server:
        runtime = loaded(server.address, tmp_path, limits=replace(QUICK, between=0.5))
        text, finish, error = ask(runtime, stop=(" twofold",))
        assert len(server.chats) == 1, "an answer that has begun is not begun again"
    assert (text, finish) == ("one two", None)
    assert isinstance(error, NetworkError)
    assert error.hint == KEPT
    assert "127.0.0.1" in error.message
    if kind == "an error":
        assert "worker died" in error.message


def _forever(piece: bytes) -> Talk:
    def talk(asked: Asked) -> None:
        asked.send(HEAD)
        while not asked.stopped.is_set():
            asked.send(piece)

    return talk


HOSTILE: dict[str, bytes] = {
    "endless line": b"data: " + b"x" * 65530,
    "endless event": b"data: " + b"x" * 6000 + b"\n",
    "comments": b": nothing to say\n\n" * 100,
    "empty events": b"data: {}\n\n" * 100,
    "empty tokens": event("") * 100,
    "only usage": b'data: {"usage": {"prompt_tokens": 1}}\n\n' * 100,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_has_no_end_is_cut_off(tmp_path: Path, kind: str) -> None:
    limits = QUICK if "endless" in kind else replace(QUICK, idle=400_000)
    with ChatServer(_forever(HOSTILE[kind])) as server:
        text, _, error = ask(loaded(server.address, tmp_path, limits=limits))
        assert len(server.chats) == 1
    assert text == ""
    assert error is not None
    assert error.message == "127.0.0.1 sends more than an answer can be, so it was cut off."


def test_an_answer_without_an_end_is_cut_off(tmp_path: Path) -> None:
    with ChatServer(_forever(event("word " * 1000))) as server:
        text, _, error = ask(loaded(server.address, tmp_path, limits=replace(QUICK, answer=100_000)))
    assert 100_000 <= len(text) <= 110_000
    assert error is not None
    assert "more than an answer can be" in error.message


@pytest.mark.parametrize("kind", ["a list", "an error"])
def test_a_body_without_an_end_is_cut_off(tmp_path: Path, kind: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"

    def endless(asked: Asked) -> None:
        asked.send(head)
        while not asked.stopped.is_set():
            asked.send(b" " * 65536)

    if kind == "a list":
        with ChatServer(answer("x"), models=endless) as server, pytest.raises(NetworkError, match="more than an"):
            loaded(server.address, tmp_path)
        return

    def refused(asked: Asked) -> None:
        asked.send(b"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n")
        while not asked.stopped.is_set():
            asked.send(b"no " * 10_000)

    assert "refused the request (status 400)" in _error(refused, folder=tmp_path).message


def test_numbers_and_texts_of_any_kind_do_no_harm(tmp_path: Path) -> None:
    odd = [
        {"choices": [{"delta": {"content": {"a": 1}}}]},
        {"choices": [{"delta": {"content": 7}, "finish_reason": 3}]},
        {"choices": {"0": 1}},
        {"choices": [], "usage": {"prompt_tokens": 1e308, "completion_tokens": -5, "prompt_tokens_details": 3}},
        {"choices": [{"delta": {"content": "\u0000\u202eok"}, "finish_reason": "x" * 9999}]},
    ]
    events = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in odd]
    with ChatServer(raw(*events, b"data: \xff\xfe\n\n"[:0], DONE)) as server:
        text, finish, error = ask(loaded(server.address, tmp_path))
    assert (text, error) == ("\u0000\u202eok", None)
    assert finish is not None
    assert (finish.new_tokens, finish.prompt_tokens) == (1, 7)


def test_bytes_that_are_no_characters_are_marked_and_characters_are_never_split(tmp_path: Path) -> None:
    stream = event("日本").replace(b"\\u65e5", "日".encode()).replace(b"\\u672c", b"\xff\xfe") + event(
        "😀", reason="stop"
    )
    with ChatServer(raw(*(bytes([byte]) for byte in stream), DONE)) as server:
        pieces, _, error = take(loaded(server.address, tmp_path).generate(request()))
    assert (pieces, error) == (["日��", "😀"], None)


def test_an_answer_that_was_withheld_says_so(tmp_path: Path) -> None:
    with ChatServer(answer("I", reason="content_filter")) as server:
        text, _, error = ask(loaded(server.address, tmp_path))
    assert text == "I"
    assert error is not None
    assert "withheld the rest" in error.message


def _deaf() -> tuple[socket.socket, str]:
    """A server that takes connections and never reads."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def _drip(asked: Asked) -> None:
    """A header that never ends, a byte at a time and never a pause long enough to be noticed."""
    asked.send(b"HTTP/1.1 200 OK\r\n")
    while not asked.stopped.wait(0.02):
        asked.send(b"a")


SILENT: dict[str, Talk] = {
    "no answer": silent,
    "no headers' end": _drip,
    "no first token": raw(linger=True),
    "comments only": raw(*(b": ping\n\n", 0.02) * 2000),
    "no next token": raw(event("one"), linger=True),
    "a wait to try again": status(503, Retry_After="15"),
    "an endless refusal": raw(linger=True, head=b"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n"),
}


def _stopped_after(seconds: float) -> tuple[threading.Event, Callable[[], bool]]:
    stop = threading.Event()
    threading.Timer(seconds, stop.set).start()
    return stop, stop.is_set


@pytest.mark.parametrize("kind", SILENT)
def test_cancel_ends_every_wait_at_once(tmp_path: Path, kind: str) -> None:
    with ChatServer(SILENT[kind]) as server:
        runtime = loaded(server.address, tmp_path)
        stop, cancelled = _stopped_after(0.4)
        text, finish, error = ask(runtime, cancelled=cancelled)
        assert stop.is_set(), "it ended before anybody stopped it"
    assert error is None
    assert finish is not None
    assert finish.reason == "cancelled"
    assert text == ("one" if kind == "no next token" else "")
    print(f"{kind}: {finish.seconds - 0.4:.2f} s after the order")
    assert finish.seconds < 0.4 + SLACK


def test_cancel_ends_the_sending_of_a_long_prompt_to_a_server_that_does_not_read(tmp_path: Path) -> None:
    with ChatServer(answer("x")) as server:
        runtime = loaded(server.address, tmp_path)
    listener, address = _deaf()
    with listener:
        elsewhere = _moved(runtime, address)
        _, cancelled = _stopped_after(0.4)
        _, finish, error = ask(elsewhere, "word " * 4_000_000, cancelled=cancelled)
    assert error is None
    assert finish is not None
    assert (finish.reason, finish.seconds < 0.4 + 2 * SLACK) == ("cancelled", True)


def _moved(runtime: RemoteRuntime, address: str) -> RemoteRuntime:
    """The same model, at another address."""
    from edgellm.runtimes.remote_address import Address

    runtime._server.door.address = Address.of(address)
    return runtime


def test_a_canceled_answer_leaves_nobody_writing(tmp_path: Path) -> None:
    with ChatServer(SILENT["no next token"]) as server:
        events = loaded(server.address, tmp_path).generate(request(), lambda: False)
        assert next(events) == Chunk("one")
        events.close()  # type: ignore[attr-defined]
        assert server.chats[0].gone.wait(5)
        stop = threading.Event()
        events = loaded(server.address, tmp_path).generate(request(), stop.is_set)
        assert next(events) == Chunk("one")
        stop.set()
        last = next(events)
        assert isinstance(last, Finish)
        assert last.reason == "cancelled"
        assert server.chats[1].gone.wait(5)


def test_whoever_takes_the_text_may_take_his_time(tmp_path: Path) -> None:
    with ChatServer(answer(*"abc")) as server:
        runtime, pieces = loaded(server.address, tmp_path, limits=replace(QUICK, between=0.2)), []
        for piece in runtime.generate(request()):
            pieces.append(piece)
            time.sleep(0.3)
    assert [piece.text for piece in pieces if isinstance(piece, Chunk)] == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["no answer", "no first token", "comments only"])
def test_silence_is_given_up_in_time(tmp_path: Path, kind: str) -> None:
    limits = replace(QUICK, first=0.4, quick=0.2)
    with ChatServer(SILENT[kind]) as server:
        started = time.monotonic()
        _, _, error = ask(loaded(server.address, tmp_path, limits=limits))
        assert len(server.chats) == 1, "what took long is not tried again"
    assert error is not None
    assert error.message == "127.0.0.1 did not answer in time."
    assert time.monotonic() - started < 0.4 + SLACK


def test_nobody_at_home(tmp_path: Path) -> None:
    listener, address = _deaf()
    listener.close()
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1 refused the connection"):
        loaded(address, tmp_path)


def test_a_hundred_random_streams_end_in_facts_or_a_sentence(tmp_path: Path) -> None:
    """Valid pieces, damaged at random: cut, doubled, bytes changed."""
    import random

    source = random.Random(4)
    good = b"".join([event("Hello "), event("wörld"), event(reason="stop"), DONE])

    def damaged() -> bytes:
        data = bytearray(good)
        for _ in range(source.randrange(1, 6)):
            at = source.randrange(len(data))
            match source.randrange(3):
                case 0:
                    data[at] = source.randrange(256)
                case 1:
                    del data[at : at + source.randrange(1, 30)]
                case _:
                    data[at:at] = data[at : at + source.randrange(1, 30)]
        return bytes(data)

    streams = [damaged() for _ in range(100)]
    with ChatServer(*(raw(stream) for stream in streams)) as server:
        runtime = loaded(server.address, tmp_path, limits=replace(QUICK, attempts=1))
        outcomes = [ask(runtime) for _ in streams]
    assert all((finish is None) != (error is None) for _, finish, error in outcomes)
    assert sum(error is None for _, _, error in outcomes) > 10
