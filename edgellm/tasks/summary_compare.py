"""A comparison of files: by their sentences, or by the points that a model writes of each where it can.

`compare.py` says which statements are alike; this reads the files for it, and every face of the program shows it in
its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgellm.documents.document import Document
from edgellm.runtimes.base import Finish, Generator
from edgellm.tasks import compare, kept, summary
from edgellm.tasks.compare import Comparison, Statement
from edgellm.tasks.function_words import likely
from edgellm.tasks.kept import Kept, Remembered
from edgellm.tasks.options import Options
from edgellm.tasks.outline import Outline
from edgellm.tasks.result import combined, without_model
from edgellm.tasks.starter import is_starter
from edgellm.tasks.summary_events import Summary, SummaryEvent
from edgellm.tasks.summary_styles import Asked


@dataclass(frozen=True, slots=True)
class Reading:
    """What happened while file `number` was read by a model."""

    number: int
    event: SummaryEvent


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison, what it took, and what a person should know.

    `notes` are those of reading, each with the number of its file. `languages` are the codes of those that the files
    are in, where there are several and nobody asked for one. `by_words`: sentences were compared without a model;
    `small`: because the model is too small to read for this.
    """

    result: Comparison
    finish: Finish
    notes: tuple[tuple[int, str], ...] = ()
    languages: tuple[str, ...] = ()
    by_words: bool = False
    small: bool = False


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where what was read is kept until the comparison is finished; `fresh` forgets what an earlier run has kept."""

    folder: Path
    fresh: bool = False


def names(documents: Sequence[Document], unnamed: str = "") -> tuple[str, ...]:
    """What the files are called; equal names are told apart by a number."""
    found: list[str] = []
    for number, document in enumerate(documents, 1):
        name = document.path.name or unnamed
        found.append(f"{name} [{number}]" if name in [one.path.name for one in documents[: number - 1]] else name)
    return tuple(found)


def run(
    generator: Generator | None, outlines: Sequence[Outline], asked: Asked, keeping: Keeping, options: Options
) -> Iterator[Reading | Compared]:
    """Yield what happens while a model reads, and at last one `Compared`; without a generator nothing is read.

    A canceled run ends in a comparison of what is there, whose finish says so; the next one goes on from there.
    Raises what `summary.run` raises.
    """
    languages = tuple(sorted({code for outline in outlines if (code := likely(outline.text))}))
    mixed = languages if len(languages) > 1 and not asked.language else ()
    most = compare.SHOWN[asked.length]
    if generator is None or is_starter(generator.info):
        result = compare.compare(compare.statements(outlines), len(outlines), most)
        yield Compared(result, without_model(), (), mixed, True, generator is not None)
        return
    wanted = replace(asked, style="bullets", length="long")
    held = _held(generator, outlines, wanted, keeping, options)
    asking = Remembered(generator, held)
    done: list[tuple[int, Summary]] = []
    for number, outline in enumerate(outlines):
        if not outline.text.strip() or options.cancelled():
            continue
        for event in summary.run(asking, outline, wanted, None, options):
            yield Reading(number, event)
            done += [(number, event)] if isinstance(event, Summary) else []
    found = [Statement(item.text, at, item.place, item.written) for at, one in done for item in one.items]
    notes = tuple((number, note) for number, one in done for note in one.notes)
    finish = combined([one.finish for _, one in done])
    if options.cancelled():
        finish = replace(finish, reason="cancelled")
    else:
        held.clear()
    yield Compared(compare.compare(found, len(outlines), most), finish, notes, mixed)


def _held(generator: Generator, outlines: Sequence[Outline], wanted: Asked, keeping: Keeping, options: Options) -> Kept:
    texts = "\0".join(outline.text for outline in outlines)
    asking = (wanted, options.sampling, options.max_tokens, options.system)
    held = Kept(keeping.folder, kept.name(texts, generator.info, asking))
    if keeping.fresh:
        held.clear()
    return held
