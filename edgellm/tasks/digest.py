"""Summarize a text of any length: every part for itself, several at once, then the parts' summaries together.

Map-reduce over the text: nothing is left out, and each point knows the stretch of the text that it stands for. What
fits the model in one piece is left to `summarize.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Event, Finish, Generator, Request, never_dropped
from edgellm.runtimes.many import answer_all
from edgellm.tasks import sentences, special, summarize
from edgellm.tasks.keysentences import key_sentences
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import combined, without_model
from edgellm.tasks.starter import is_starter, out_of_reach

_LARGEST, _SHARE = 768, 6  # tokens of a part, and how many parts a context holds at least
_ANSWER = 96  # tokens of a point
_AT_ONCE = 16
_STARTER_SENTENCES = 6
_BLANK = re.compile(r"\n\s*\n")
_MARGIN = 0.8  # of the characters that would fill a part if they cost what they cost on average


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the text: `text` is exactly the source from `start` to `end` (character offsets)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Point:
    """The summary of a part. `written` is false where the part's own most important sentence stands for it."""

    text: str
    part: Part
    written: bool
    finish: Finish


def parts(generator: Generator, text: str) -> tuple[Part, ...]:
    """The text in parts that the model can read: whole sentences as long as one fits, and paragraphs.

    They are in order, and no sentence is left out.
    """
    starter = is_starter(generator.info)
    most = max(min(_LARGEST, generator.info.context // _SHARE), 16)
    tokens = max(generator.count(_request(generator, text, DEFAULT).messages), 1)
    room = max(int(_MARGIN * most * len(text) / tokens), 24)
    found: list[Part] = []
    start = end = count = 0
    for piece_start, piece_end in _pieces(text, room):
        paragraph = _BLANK.search(text, end, piece_start) is not None
        full = piece_end - start > room or (starter and count >= _STARTER_SENTENCES)
        full |= paragraph and (starter or end - start > room // 2)
        if count and full:
            found += _fitting(generator, Part(text[start:end], start, end), most)
            count = 0
        start = start if count else piece_start
        end, count = piece_end, count + 1
    if count:
        found += _fitting(generator, Part(text[start:end], start, end), most)
    return tuple(found)


def _pieces(text: str, room: int) -> Iterator[tuple[int, int]]:
    """Where sentences begin and end; longer ones than `room` characters are cut, between words where there are some."""
    for sentence in sentences.split(text):
        start = sentence.start
        while sentence.end - start > room:
            space = text.rfind(" ", start + room // 2, start + room)
            cut = space + 1 if space > 0 else start + room
            yield start, cut
            start = cut
        yield start, sentence.end


def _fitting(generator: Generator, part: Part, most: int) -> Iterator[Part]:
    """The part, in halves where it has more tokens than it was thought to have."""
    tokens = generator.count(_request(generator, part.text, DEFAULT).messages)
    if tokens <= min(2 * most, generator.info.context - _ANSWER) or len(part.text) <= 1:
        yield part
        return
    half = len(part.text) // 2
    space = part.text.rfind(" ", half // 2, half)
    half = space + 1 if space > 0 else half
    yield from _fitting(generator, Part(part.text[:half], part.start, part.start + half), most)
    yield from _fitting(generator, Part(part.text[half:], part.start + half, part.end), most)


def points(generator: Generator, chosen: Sequence[Part], options: Options = DEFAULT) -> Iterator[Point]:
    """A point for each part, in their order, as soon as it and all before it are there. Ends early when cancelled."""
    at_once = max(min(_AT_ONCE, generator.info.context // (_LARGEST // 2 + _ANSWER)), 1)
    for first in range(0, len(chosen), at_once):
        group = chosen[first : first + at_once]
        asked = [part for part in group if not _unreadable(generator, part.text)]
        written = _written(generator, asked, options)
        for part in group:
            point = next(written, None) if part in asked else _own(part)
            if point is None or options.cancelled():
                return
            yield point


def _written(generator: Generator, group: Sequence[Part], options: Options) -> Iterator[Point]:
    """What the model makes of the parts, in their order; what was cancelled is left out."""
    if not group:
        return
    started, shown = time.perf_counter(), 0
    texts, done = [""] * len(group), dict[int, Finish]()
    requests = tuple(_request(generator, part.text, options) for part in group)
    for index, event in answer_all(generator, requests, options.cancelled, never_dropped):
        if isinstance(event, Chunk):
            texts[index] += event.text
            continue
        done[index] = event
        while shown in done and done[shown].reason != "cancelled":
            text = " ".join(texts[shown].split())
            seconds = (time.perf_counter() - started) / len(group)  # they share the time
            yield Point(text, group[shown], True, replace(done[shown], seconds=seconds)) if text else _own(group[shown])
            shown += 1


def _own(part: Part) -> Point:
    chosen = key_sentences(part.text, 1)
    text = " ".join((chosen[0].text if chosen else part.text).split())
    return Point(text, part, False, without_model())


def _unreadable(generator: Generator, text: str) -> bool:
    return is_starter(generator.info) and bool(out_of_reach(text))


def _request(generator: Generator, text: str, options: Options) -> Request:
    limited = replace(options, max_tokens=min(options.max_tokens or _ANSWER, _ANSWER))
    if special.is_seq2seq(generator.info):
        return special.summary(generator.info, text.strip(), limited)
    return limited.request(summarize.messages(text.strip()))


def overall(generator: Generator, found: Sequence[Point], options: Options = DEFAULT) -> Iterator[Event]:
    """One sentence about all of it, made from the points; from points of the points where those are too many.

    Raises `UsageError` when there is no point.
    """
    if not found:
        raise UsageError("There is nothing to summarize.", "Give a text with at least one sentence.")
    while True:
        joined = "\n".join(point.text for point in found)
        if len(found) == 1:
            return iter((Chunk(found[0].text), found[0].finish))
        if _fits(generator, joined):
            return summarize.run(generator, joined, options)
        shorter = tuple(points(generator, parts(generator, joined), options))
        if options.cancelled() or not shorter or len(shorter) >= len(found):
            return iter((Chunk(_own(Part(joined, 0, len(joined))).text), without_model()))
        found = shorter


def _fits(generator: Generator, text: str) -> bool:
    if is_starter(generator.info):
        return len(sentences.split(text)) <= _STARTER_SENTENCES
    tokens = generator.count(_request(generator, text, DEFAULT).messages)
    return tokens + _ANSWER < generator.info.context


def facts(found: Sequence[Point], last: Finish | None = None) -> Finish:
    """What all of it took together: tokens and seconds add up, the speed is that of everything written."""
    every = [point.finish for point in found if point.written] + ([last] if last else [])
    whole = combined(every)
    return replace(whole, tokens_per_second=whole.new_tokens / whole.seconds if whole.seconds else 0.0, truncated=False)


def coverage(found: Sequence[Point], chosen: Sequence[Part]) -> str:
    """How much of the text was read, for a person."""
    own = sum(not point.written for point in found)
    said = f"{len(found)} of {len(chosen)} sections of the text were read."
    if own:
        said += f" For {own} of them the model was no help: their most important sentence stands there."
    if cut := sum(point.finish.truncated for point in found):
        said += f" {cut} of the points were cut at {_ANSWER} tokens."
    return said
