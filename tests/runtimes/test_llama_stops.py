"""Streaming text: no split characters, no part of a stop string."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgellm.runtimes.stops import TextStream


def run(data: bytes, cuts: list[int], stops: tuple[str, ...] = ()) -> tuple[str, list[str], bool]:
    stream = TextStream(stops)
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    pieces = [stream.feed(data[a:b]) for a, b in itertools.pairwise(edges)]
    pieces.append(stream.finish())
    return "".join(pieces), pieces, stream.stopped


@given(st.text(), st.lists(st.integers(0, 200)))
def test_any_cut_of_the_bytes_gives_the_same_text(text: str, cuts: list[int]) -> None:
    joined, pieces, _ = run(text.encode("utf-8", "ignore"), cuts)
    assert joined == text.encode("utf-8", "ignore").decode()
    assert all("\ufffd" not in piece for piece in pieces) or "\ufffd" in text


@given(
    st.text("abc", max_size=30),
    st.lists(st.text("abc", min_size=1, max_size=4), min_size=1),
    st.lists(st.integers(0, 40)),
)
def test_stops_are_found_wherever_the_chunks_end(text: str, stops: list[str], cuts: list[int]) -> None:
    joined, _, stopped = run(text.encode(), cuts, tuple(stops))
    assert stopped == any(stop in text for stop in stops)
    if not stopped:
        assert joined == text
    else:
        assert text.startswith(joined)
        assert not any(stop in joined for stop in stops)


def test_emoji_waits_for_its_last_byte() -> None:
    stream = TextStream()
    assert [stream.feed(bytes([byte])) for byte in "😀".encode()] == ["", "", "", "😀"]


def test_only_what_may_become_a_stop_is_held_back() -> None:
    stream = TextStream(("\n\nUser:",))
    assert stream.feed(b"hello\n") == "hello"
    assert stream.feed(b"world") == "\nworld"
    assert stream.feed(b"\n\nUser: x") == ""
    assert stream.stopped
    assert stream.finish() == ""


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\xf0\x9f"])
def test_bytes_that_are_no_text_do_no_harm(data: bytes) -> None:
    joined, _, _ = run(data, [1])
    assert joined in ("\ufffd\ufffda", "")
