"""Tests of the protocol: every message survives the pipe, and nothing else does."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgellm import errors
from edgellm.engine import protocol
from edgellm.engine.protocol import Decoder, Envelope, decode, encode
from edgellm.engine.wire import ProtocolError
from edgellm.runtimes.base import Finish, Message, ModelInfo, Placement, Request, Sampling

_settings = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_int = st.integers(0, 2**63 - 1)
_float = st.floats(allow_nan=False)
_message = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), _text)
_sampling = st.builds(Sampling, _float, _float, _int, _float, _float, _float, _float, st.none() | _int)
_request = st.builds(
    Request,
    messages=st.lists(_message, max_size=4).map(tuple),
    sampling=_sampling,
    max_tokens=st.none() | _int,
    stop=st.lists(_text, max_size=3).map(tuple),
    schema=st.none() | _text,
    prefix=_text,
)
_plain = st.recursive(
    st.none() | st.booleans() | _int | _float | _text,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)
_metadata = st.dictionaries(_text, _plain, max_size=4)
_info = st.builds(ModelInfo, _text, _text, _int, _text, _int, _int, _int, metadata=_metadata)
_finish = st.builds(
    Finish,
    st.sampled_from(["stop", "length", "cancelled"]),
    _int, _int, _int, _float, _float, _text, _int, st.booleans(), _float,
)  # fmt: skip
_envelope: st.SearchStrategy[Envelope] = st.one_of(
    st.builds(protocol.Hello, st.just(protocol.VERSION), _int),
    st.builds(protocol.Load, _int, st.binary(max_size=30), st.builds(Placement, threads=_int, cpu_variant=_text)),
    st.builds(protocol.Loaded, _int, _info, _float, _int),
    st.builds(protocol.Generate, _int, _request),
    st.builds(protocol.GenerateMany, _int, st.lists(_request, max_size=3).map(tuple)),
    st.builds(protocol.Drop, _int, _int),
    st.builds(protocol.Text, _int, _text),
    st.builds(protocol.Done, _int, _finish),
    st.builds(protocol.Count, _int, st.lists(_message, max_size=3).map(tuple)),
    st.builds(protocol.Counted, _int, _int),
    st.builds(protocol.Cancel, _int),
    st.builds(protocol.Failed, _int, _text, _text, _text, st.lists(_int, max_size=2).map(tuple)),
    st.builds(protocol.Ping, _int),
    st.builds(protocol.Pong, _int, _int),
    st.just(protocol.Shutdown()),
)


@_settings
@given(st.lists(_envelope, max_size=5), st.randoms(use_true_random=False))
def test_messages_survive_any_cutting(messages: list[Envelope], random: random.Random) -> None:
    stream, decoder, found = b"".join(encode(message) for message in messages), Decoder(), []
    while stream:
        cut = random.randint(1, len(stream))
        found += list(decoder.feed(stream[:cut]))
        stream = stream[cut:]
    assert found == messages


@_settings
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_incomplete(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(data)
    try:
        assert list(Decoder().feed(data)) == []
    except ProtocolError:
        return


@_settings
@given(_envelope, st.data())
def test_a_flipped_byte_gives_a_message_or_a_protocol_error(message: Envelope, data: st.DataObject) -> None:
    body = bytearray(encode(message)[4:])
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decode(bytes(body))
    except ProtocolError:
        return


@_settings
@given(st.sampled_from(sorted(protocol._KINDS)), _plain | st.dictionaries(_text, _plain))
def test_wrong_fields_are_refused(kind: str, fields: Any) -> None:
    if kind == "shutdown" and fields == {}:
        return
    with pytest.raises(ProtocolError):
        decode(msgpack.packb([kind, fields]))


@_settings
@given(st.integers(0, 300).filter(lambda version: version != protocol.VERSION))
def test_another_version_is_refused(version: int) -> None:
    with pytest.raises(ProtocolError, match="version"):
        decode(encode(protocol.Hello(version, 1))[4:])


def test_hostile_frames_are_refused() -> None:
    with pytest.raises(ProtocolError):
        list(Decoder().feed(b"\xff\xff\xff\xff"))
    with pytest.raises(ProtocolError):
        decode(b"\x91" * 100_000)
    with pytest.raises(ProtocolError):
        decode(b"\xdd\xff\xff\xff\xff")
    with pytest.raises(ProtocolError):
        decode(msgpack.packb(["ping", {"number": True}]))
    with pytest.raises(ProtocolError):
        decode(msgpack.packb(["ping", {"number": msgpack.Timestamp(1)}]))


def test_what_cannot_travel_is_refused_when_it_is_sent() -> None:
    with pytest.raises(ProtocolError):
        encode(protocol.Ping(2**80))
    with pytest.raises(ProtocolError, match="MB"):
        encode(protocol.Text(1, "x" * (protocol.LARGEST + 1)))


def test_half_a_surrogate_does_not_stop_a_request() -> None:
    sent = protocol.Text(1, "a\ud83d b")
    assert list(Decoder().feed(encode(sent))) == [protocol.Text(1, "a? b")]


def test_paths_of_any_bytes_arrive() -> None:
    path = os.fsdecode(b"/models/caf\xe9.gguf")
    (message,) = Decoder().feed(encode(protocol.Load(1, os.fsencode(path), Placement())))
    assert isinstance(message, protocol.Load)
    assert os.fsdecode(message.path) == path


def test_every_error_of_the_tree_travels() -> None:
    def tree(kind: type[errors.EdgeError]) -> set[type[errors.EdgeError]]:
        return {kind}.union(*(tree(below) for below in kind.__subclasses__() if below.__module__ == errors.__name__))

    for kind in tree(errors.EdgeError) - tree(errors.DocumentError):  # the engine reads no documents
        error = kind(12, 10) if kind is errors.ContextOverflow else kind("What happened.", "What to do.")
        back = protocol.revived(protocol.failed(7, error))
        assert type(back) is kind
        assert (back.message, back.hint) == (error.message, error.hint)


def test_an_unknown_error_becomes_its_nearest_base() -> None:
    class Odd(errors.ModelDamaged):
        pass

    assert type(protocol.revived(protocol.failed(1, Odd("x")))) is errors.ModelDamaged
    with pytest.raises(ProtocolError):
        protocol.revived(protocol.Failed(1, "SystemExit", "x", ""))
    with pytest.raises(ProtocolError):
        protocol.revived(protocol.Failed(1, "ContextOverflow", "x", "", (1,)))


def test_metadata_of_any_kind_travels_as_plain_values() -> None:
    metadata: Mapping[str, Any] = {"list": [1, (2,)], "odd": {1, 2}.__class__}
    info = ModelInfo("n", "a", 1, "q", 1, 1, 1, metadata=metadata)
    (message,) = Decoder().feed(encode(protocol.Loaded(1, info, 0.0, 0)))
    assert isinstance(message, protocol.Loaded)
    assert message.info.metadata == {"list": (1, (2,)), "odd": "<class 'set'>"}
