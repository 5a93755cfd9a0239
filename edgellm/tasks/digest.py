"""Summarize a text of any length: every part for itself, several at once, then the parts' summaries together.

Map-reduce over the text: nothing is left out, and each point knows the stretch of the text that it stands for. What
fits the model in one piece is left to `summarize.py`, what a person may ask for to `summary_styles.py`.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Event, Finish, Generator, Message, Request, never_dropped
from edgellm.runtimes.many import answer_all
from edgellm.tasks import sentences, special, summarize
from edgellm.tasks.doubt import doubtful, nearest
from edgellm.tasks.keysentences import in_a_line, key_sentences
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import combined, without_model
from edgellm.tasks.starter import is_starter, out_of_reach, shipped

_LARGEST, _SHARE = 768, 6  # tokens of a part, and how many parts a context holds at least
_ANSWER = 96  # tokens of a point
_AT_ONCE = 16
_STARTER_SENTENCES = 6
_STARTER_ENOUGH = 3  # sentences after which a paragraph may end a part of the starter's
_BLANK = re.compile(r"\n\s*\n")
_LIST_MARK = re.compile(r"^\s*(?:[-*•–—·#>]+|\(?\d{1,3}[.)])\s+")
_SAMPLE = 100_000  # characters that tell how many tokens they cost; a prompt of a whole book is not built for that
_LONGEST_TOKEN = 32  # characters
_MARGIN = 0.8  # of the characters that would fill a part if they cost what they cost on average


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the text: `text` is exactly the source from `start` to `end` (character offsets)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Point:
    """The summary of a part: a line for each thing that it says. `written` is false where the part's own most
    important sentences stand for it."""

    text: str
    part: Part
    written: bool
    finish: Finish

    @property
    def lines(self) -> tuple[str, ...]:
        """What it says, each on its own."""
        return tuple(self.text.split("\n"))


@dataclass(frozen=True, slots=True)
class Cuts:
    """What is known of a text's shape: offsets that no part reaches across, and the stretches that are headings."""

    hard: tuple[int, ...] = ()
    titles: tuple[tuple[int, int], ...] = ()

    def between(self, end: int, start: int) -> bool:
        """Whether a part has to end between two sentences."""
        return bisect_right(self.hard, end) < bisect_right(self.hard, start)

    def section(self, at: int) -> int:
        """Which of the stretches between the hard cuts a place is in."""
        return bisect_right(self.hard, at)

    def title(self, at: int) -> bool:
        """Whether a heading stands there."""
        found = bisect_right(self.titles, at, key=lambda one: one[0]) - 1
        return found >= 0 and at < self.titles[found][1]


@dataclass(frozen=True, slots=True)
class Want:
    """What a part is to become: `count` lines, asked for by `instruction` (empty: the prompt of `summarize.py`)."""

    instruction: str = ""
    count: int = 1


NO_CUTS, ONE = Cuts(), Want()


def parts(generator: Generator, text: str, cuts: Cuts = NO_CUTS) -> tuple[Part, ...]:
    """The text in parts that the model can read: whole sentences as long as one fits, and paragraphs.

    They are in order, and no sentence is left out. A heading stays with what follows it.
    """
    starter = is_starter(generator.info)
    most = max(min(_LARGEST, generator.info.context // _SHARE), 16)
    sample = text[:_SAMPLE]
    tokens = max(generator.count(_request(generator, sample, DEFAULT).messages), 1)
    room = max(int(_MARGIN * most * len(sample) / tokens), 24)
    enough = _STARTER_ENOUGH if starter else 1
    found: list[Part] = []
    start = end = count = held = 0  # `held` counts the headings at the end of the part
    for piece_start, piece_end in _pieces(text, room):
        paragraph = _BLANK.search(text, end, piece_start) is not None
        full = piece_end - start > room or (starter and count >= _STARTER_SENTENCES)
        full |= paragraph and not held and count >= enough and (starter or end - start > room // 2)
        if count + held and (full or cuts.between(end, piece_start)):
            found += _fitting(generator, Part(text[start:end], start, end), most)
            count = held = 0
        start = start if count + held else piece_start
        title = cuts.title(piece_start)
        end, held, count = piece_end, held + 1 if title else 0, count + (not title)
    if count + held:
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


def points(
    generator: Generator, chosen: Sequence[Part], options: Options = DEFAULT, want: Want = ONE, cuts: Cuts = NO_CUTS
) -> Iterator[Point]:
    """A point for each part, in their order, as soon as it and all before it are there. Ends early when cancelled."""
    at_once = max(min(_AT_ONCE, generator.info.context // (_LARGEST // 2 + _ANSWER * want.count)), 1)
    lexicon = shipped() if is_starter(generator.info) else None
    for first in range(0, len(chosen), at_once):
        group = chosen[first : first + at_once]
        bare = {part: without_titles(part, cuts) for part in group}
        asked = [part for part in group if lexicon is None or not out_of_reach(bare[part], lexicon)]
        written = _written(generator, asked, options, want, cuts)
        for part in group:
            point = next(written, None) if part in asked else _own(part, want.count, bare[part])
            if point is None or options.cancelled():
                return
            yield point


def request_for(
    generator: Generator, part: Part, options: Options = DEFAULT, want: Want = ONE, cuts: Cuts = NO_CUTS
) -> Request:
    """What is sent for a part. The starter was taught whole sentences, so it gets no headings."""
    text = without_titles(part, cuts) if is_starter(generator.info) else part.text
    return _request(generator, text, options, want)


def without_titles(part: Part, cuts: Cuts) -> str:
    """A part's text without its headings, unless it holds nothing else."""
    text, at = "", part.start
    first = max(bisect_right(cuts.titles, part.start, key=lambda one: one[0]) - 1, 0)
    for start, end in cuts.titles[first:]:
        if start >= part.end:
            break
        if end > at:
            text += part.text[at - part.start : max(start, at) - part.start]
            at = end
    text += part.text[max(at - part.start, 0) :]
    return text.strip() or part.text


def _written(generator: Generator, group: Sequence[Part], options: Options, want: Want, cuts: Cuts) -> Iterator[Point]:
    """What the model makes of the parts, in their order; what was cancelled is left out."""
    if not group:
        return
    started, shown, count = time.perf_counter(), 0, want.count
    bare = [without_titles(part, cuts) for part in group]
    requests = tuple(request_for(generator, part, options, want, cuts) for part in group)
    texts, done = [""] * len(group), dict[int, Finish]()
    for index, event in answer_all(generator, requests, options.cancelled, never_dropped):
        if isinstance(event, Chunk):
            texts[index] += event.text
            continue
        done[index] = event
        while shown in done and done[shown].reason != "cancelled":
            text = _lines(texts[shown], count)
            seconds = (time.perf_counter() - started) / len(group)  # they share the time
            facts = replace(done[shown], seconds=seconds)
            if text and not (is_starter(generator.info) and doubtful(text, bare[shown])):
                yield Point(text, group[shown], True, facts)
            else:
                yield _own(group[shown], count, bare[shown], text)
            shown += 1


def _lines(text: str, count: int) -> str:
    """One line, or at most `count` without the marks of a list."""
    if count == 1:
        return " ".join(text.split())
    found = (" ".join(_LIST_MARK.sub("", line, count=1).split()) for line in text.splitlines())
    return "\n".join([line for line in found if line][:count])


def _own(part: Part, count: int = 1, text: str = "", doubted: str = "") -> Point:
    """The part's own sentences: the one that a doubted line was made of, else the most important."""
    text = text or part.text
    meant = nearest(doubted, text) if doubted and count == 1 else ""
    chosen = [meant] if meant else [one.text for one in key_sentences(text, count)]
    lines = [in_a_line(one) for one in chosen] or [" ".join(part.text.split())]
    return Point("\n".join(lines), part, False, without_model())


def _request(generator: Generator, text: str, options: Options, want: Want = ONE) -> Request:
    most = _ANSWER * want.count
    limited = replace(options, max_tokens=min(options.max_tokens or most, most))
    if special.is_seq2seq(generator.info):
        return special.summary(generator.info, text.strip(), limited)
    if want.instruction and not is_starter(generator.info):
        return limited.request((Message("user", f"{want.instruction}\n{text.strip()}"),))
    return limited.request(summarize.messages(text.strip()))


def overall(
    generator: Generator, found: Sequence[Point], options: Options = DEFAULT, want: Want = ONE
) -> Iterator[Event]:
    """What is said about all of it, made from the points; from points of the points where those are too many.

    `want.count` is in sentences here. Raises `UsageError` when there is no point.
    """
    if not found:
        raise UsageError("There is nothing to summarize.", "Give a text with at least one sentence.")
    while True:
        joined = "\n".join(point.text for point in found)
        if len(found) == 1 and not want.instruction:
            return iter((Chunk(found[0].text), found[0].finish))
        if fits(generator, joined, want):
            if want.instruction:
                return generator.generate(_request(generator, joined, options, want), options.cancelled)
            return summarize.run(generator, joined, options)
        shorter = tuple(points(generator, parts(generator, joined), options))
        if options.cancelled() or not shorter or len(shorter) >= len(found):
            return iter((Chunk(_own(Part(joined, 0, len(joined)), want.count).text), without_model()))
        found = shorter


def fits(generator: Generator, text: str, want: Want = ONE) -> bool:
    """Whether the model reads the text in one piece, with room for its answer."""
    if is_starter(generator.info):
        return len(sentences.split(text)) <= _STARTER_SENTENCES
    if len(text) > _LONGEST_TOKEN * generator.info.context:
        return False
    tokens = generator.count(_request(generator, text, DEFAULT, want).messages)
    return tokens + _ANSWER * want.count < generator.info.context


def facts(found: Sequence[Point], last: Finish | None = None) -> Finish:
    """What all of it took together: tokens and seconds add up, the speed is that of everything written."""
    every = [point.finish for point in found if point.written] + ([last] if last else [])
    whole = combined(every)
    return replace(whole, tokens_per_second=whole.new_tokens / whole.seconds if whole.seconds else 0.0, truncated=False)


def coverage(found: Sequence[Point], chosen: Sequence[Part]) -> str:
    """How much of the text was read, for a person."""
    own = sum(not point.written for point in found)
    said = f"{len(found)} of {len(chosen)} sections of the text were read."
    if len(found) == len(chosen) == 1:
        said = "The whole text was read at once."
    if own and len(chosen) == 1:
        said += " The model was no help with it: its own sentence stands there, in quotation marks."
    elif own and own == len(found):
        said += " The model was no help with them: each is shown by a sentence of its own, in quotation marks."
    elif own:
        said += f" For {own} of them the model was no help: a sentence of their own stands there, in quotation marks."
    if cut := sum(point.finish.truncated for point in found):
        said += f" {cut} of the points were cut at {_ANSWER} tokens."
    return said
