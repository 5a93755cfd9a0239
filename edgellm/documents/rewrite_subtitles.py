"""SRT and WebVTT: a segment per cue. Numbers, times, settings and tags stay; a cue keeps its number of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgellm.documents.line_breaks import parted, run_on
from edgellm.documents.raw_text import Edit, RawText, edited, has_words, raw_text
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source
from edgellm.errors import DocumentDamaged

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_TIME = re.compile(r"[ \t]*((?:\d+:)?\d{1,2}:\d\d[,.]\d{1,3})[ \t]*-->")
_MARK = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|</?>|\{\\[^{}]*\}")
_ENTITY = re.compile(r"&(amp|lt|gt|nbsp|lrm|rlm);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "nbsp": "\xa0", "lrm": "\u200e", "rlm": "\u200f"}
_OTHER_BLOCKS = re.compile(r"NOTE(?:\s|\Z)|STYLE\s*\Z|REGION\s*\Z")
_LANGUAGE = re.compile(r"\AWEBVTT[^\r\n]*(?:\r\n?|\n)(?:[^\r\n]+(?:\r\n?|\n))*?Language:[ \t]*([\w-]+)")
_TURN = re.compile(r"[-–—‐][ \t]*\S")  # another person begins to speak


@dataclass(frozen=True, slots=True)
class _Cue:
    """The words of a cue: the places between its tags, and what they say. `time` is when it begins."""

    time: str
    spans: tuple[tuple[int, int], ...]
    pieces: tuple[str, ...]
    lines: tuple[int, ...]  # of each speaker in turn


def read(source: Source) -> Sheet:
    """The cues. A line break inside a sentence is a space; one before another speaker's dash stays."""
    raw = raw_text(source)
    cues = tuple(_cues(raw.text))
    if not cues and not _TIME.search(raw.text):
        raise DocumentDamaged(source.name, "it has no subtitles in it", "Open it in a subtitle editor.")
    told = _LANGUAGE.match(raw.text)
    return Sheet("subtitles", tuple(Segment(cue.pieces, cue.time) for cue in cues), raw.notes, told[1] if told else "")


def write(order: Rewriting) -> bytes:
    """The file with other words in its cues."""
    raw = raw_text(order.source)
    cues = tuple(_cues(raw.text))
    edits = [edit for number, pieces in order.translated.items() for edit in _edits(raw, cues[number], pieces)]
    if order.language and (told := _LANGUAGE.match(raw.text)):
        edits.append((*told.span(1), order.language))
    return raw.encoded(edited(raw.text, edits))


def _cues(text: str) -> Iterator[_Cue]:
    """Cues with words in them. In SRT also what stands after an empty line inside of a cue, as players show it."""
    web, time, start = text.lstrip().startswith("WEBVTT"), "", -1
    lines = [(one.start(1), one.end(1)) for one in _LINE.finditer(text)]
    skipped = False
    for index, (begin, end) in enumerate(lines):
        line = text[begin:end]
        found = _TIME.match(line)
        if start >= 0 and (found or not line.strip() or _is_number(text, lines, index)):
            yield from _cue(text, start, lines[index - 1][1], time, web)
            start = -1
        if found:
            time, skipped = found[1], False
        elif not line.strip():
            skipped = web  # until the next times
        elif web and (_OTHER_BLOCKS.match(line) or not time):
            skipped = True
        elif time and start < 0 and not skipped and not _is_number(text, lines, index):
            start = begin
    if start >= 0:
        yield from _cue(text, start, len(text), time, web)


def _is_number(text: str, lines: list[tuple[int, int]], index: int) -> bool:
    """Whether a line is the number, or the name, of the cue whose times come next."""
    (begin, end), after = lines[index], lines[index + 1 : index + 2]
    named = text[begin:end].strip().isdigit()
    return named and bool(after) and _TIME.match(text[slice(*after[0])]) is not None


def _cue(text: str, start: int, end: int, time: str, web: bool) -> Iterator[_Cue]:
    whole = text[start:end].rstrip()
    marks = [*((one.start(), one.end()) for one in _MARK.finditer(whole)), (len(whole), len(whole))]
    spans, place = [], 0
    for begin, after in marks:
        if begin > place:
            spans.append((start + place, start + begin))
        place = after
    words = [_said(text[slice(*span)], web) for span in spans]
    if not has_words("".join(words)):
        return
    turns = _turns(words)
    yield _Cue(time, tuple(spans), tuple(_flowing(words)), turns)


def _said(raw: str, web: bool) -> str:
    text = re.sub(r"\r\n?", "\n", raw)
    return _ENTITY.sub(lambda one: _ENTITIES[one[1]], text) if web else text


def _turns(words: list[str]) -> tuple[int, ...]:
    counts = [1]
    for line in "".join(words).split("\n")[1:]:
        if _TURN.match(line.lstrip()):
            counts.append(1)
        else:
            counts[-1] += 1
    return tuple(counts)


def _flowing(words: list[str]) -> Iterator[str]:
    """Pieces in which a line goes on behind a space, unless another speaker begins."""
    rest = "".join(words)
    place = 0
    for piece in words:
        place += len(piece)
        first, *lines = piece.split("\n")
        turns = [[first]]
        for number, line in enumerate(lines):
            ahead = line if number + 1 < len(lines) else line + rest[place:]
            if _TURN.match(ahead.lstrip()):
                turns.append([line])
            else:
                turns[-1].append(line)
        yield "\n".join(map(run_on, turns))


def _edits(raw: RawText, cue: _Cue, pieces: tuple[str, ...]) -> Iterator[Edit]:
    web = raw.text.lstrip().startswith("WEBVTT")
    for span, new in zip(cue.spans, _broken(pieces, cue.lines), strict=True):
        if new != _said(raw.text[slice(*span)], web):
            yield *span, _written(new, web).replace("\n", raw.newline)


def _written(text: str, web: bool) -> str:
    """What would end the cue, or be read as a tag, is not written as such."""
    if web:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return text.replace("\xa0", "&nbsp;").replace("\u200e", "&lrm;").replace("\u200f", "&rlm;")
    return text.replace("-->", "→")


def _broken(pieces: tuple[str, ...], lines: tuple[int, ...]) -> list[str]:
    """Pieces whose text stands in the given number of lines for each speaker, as evenly as its words allow."""
    text = re.sub(r"[ \t]*\n\s*", lambda one: "\n" + " " * (len(one[0]) - 1), "".join(pieces))
    turns = text.strip("\n").split("\n")
    counts = lines if len(turns) == len(lines) else (max(sum(lines) - len(turns) + 1, 1), *(1 for _ in turns[1:]))
    breaks: dict[int, int] = {}
    place = len(text) - len(text.lstrip("\n"))
    for turn, count in zip(turns, counts, strict=True):
        breaks |= {place + start: place + end for start, end in parted(turn, count)}
        place += len(turn) + 1
    return _placed(pieces, breaks)


def _placed(pieces: tuple[str, ...], breaks: dict[int, int]) -> list[str]:
    """The pieces with line breaks at places of their joined text; a line never is empty, since that ends a cue."""
    found, place, until = [], 0, 0
    empty = True
    for piece in pieces:
        made = ""
        for letter in piece:
            if place in breaks:
                made, until, empty = made + "\n", breaks[place], True
            if place >= until and not (empty and letter in " \n"):
                made, empty = made + letter, letter == "\n"
            place += 1
        found.append(made)
    return found
