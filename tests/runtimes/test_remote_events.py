"""Server-sent events: however the bytes are cut the events are the same, and nothing grows without bounds."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgellm.errors import NetworkError
from edgellm.runtimes.remote_events import Events, Piece, Usage, Whole, piece_of, whole
from edgellm.runtimes.remote_limits import Limits

SMALL = Limits(line=1000, event=1500)
STREAM = (
    b"\xef\xbb\xbfdata: one\n\n"
    b": a comment\ndata: two\r\ndata:  lines\r\n\r\n"
    b"event: message\nid: 7\nretry: 10\ndata:three\r\r"
    b"data: \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80\n\n"
    b"\n\ndata\n\nerror: {}\n\ndata: bad \xff\xfe bytes\n\n"
)
EVENTS = ["one", "two\n lines", "three", "你好 😀", "", "{}", "bad �� bytes"]


def _events(*pieces: bytes, limits: Limits = SMALL) -> list[str]:
    reader = Events("host", limits)
    return [data for piece in pieces for data in reader.feed(piece)] + reader.rest()


def test_the_standard_is_followed() -> None:
    assert _events(STREAM) == EVENTS


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert _events(*(STREAM[start:stop] for start, stop in pairwise(edges))) == EVENTS


def test_one_byte_at_a_time() -> None:
    assert _events(*(bytes([byte]) for byte in STREAM)) == EVENTS


def test_the_last_event_may_lack_its_empty_line_but_not_its_end() -> None:
    assert _events(b"data: [DONE]") == ["[DONE]"]
    assert _events(b'data: {"a": 1}\n') == ['{"a": 1}']
    assert _events(b'data: {"a": ') == []


@pytest.mark.parametrize("piece", [b"x" * 100, b"data: " + b"y" * 94, b"data: y\n" + b"data: z\n" * 11])
def test_a_line_or_an_event_without_an_end_is_cut_off(piece: bytes) -> None:
    reader, fed = Events("host", SMALL), 0

    def feed() -> None:
        nonlocal fed
        while fed < 1_000_000:
            fed += len(piece)
            reader.feed(piece)

    with pytest.raises(NetworkError, match="host sends more than an answer can be"):
        feed()
    assert fed < 10_000


def test_a_long_line_in_one_piece_is_cut_off_too() -> None:
    with pytest.raises(NetworkError, match="more than an answer"):
        Events("host", SMALL).feed(b"data: " + b"x" * 2000 + b"\n\n")


def test_pieces_of_several_dialects() -> None:
    def piece(**fields: object) -> Piece:
        return piece_of(json.dumps(fields), "host")

    assert piece(choices=[{"delta": {"content": "a"}}]) == Piece("a")
    assert piece(choices=[{"message": {"content": "a"}, "finish_reason": "stop"}]) == Piece("a", reason="stop")
    assert piece(choices=[{"delta": {"content": None, "reasoning_content": "hm"}}]) == Piece(thought=True)
    assert piece(choices=[{"delta": {"content": [{"type": "text", "text": "a"}, {"type": "x"}, 3]}}]) == Piece("a")
    assert piece(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4}) == Piece(usage=Usage(3, None, 4))
    assert piece(usage={"prompt_tokens": -3, "completion_tokens": True}) == Piece(usage=Usage())
    assert piece(choices="?") == piece(choices=[7]) == piece(choices=[{"delta": 3, "finish_reason": {}}]) == Piece()
    assert piece(error={"message": "no"}).error == {"error": {"message": "no"}}
    assert piece(object="error", message="no", code=400).error["message"] == "no"


@pytest.mark.parametrize(
    "data", ["", "no json", "[1]", "7", "[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 9999 + "}"]
)
def test_what_is_no_event_is_a_sentence(data: str) -> None:
    with pytest.raises(NetworkError, match=r"host makes no sense\. Check that the server at remote_address"):
        piece_of(data, "host")


def test_halves_of_characters_are_joined_and_never_shown() -> None:
    joined = Whole()
    assert [joined.feed(text) for text in ("a\ud83d", "\ude00b", "\ud83d", "c", "\ude00")] == [
        "a",
        "😀b",
        "",
        "�c",
        "�",
    ]
    assert whole("plain") == "plain"


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=20), st.integers(0, 20))
def test_whatever_comes_can_be_written(text: str, cut: int) -> None:
    joined = Whole()
    shown = joined.feed(text[:cut]) + joined.feed(text[cut:])
    shown.encode()
    assert whole(text).startswith(shown)
