"""How translations are shown: as HTML and text, with the places of their sentences. Pure functions; no widgets."""

from __future__ import annotations

import csv
import io
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain

from edgellm.tasks.languages import english_name
from edgellm.tasks.warning_groups import Group, grouped
from edgellm.ui.language import told, tr
from edgellm.ui.translate_rows import FileRow
from edgellm.ui.translate_work import Four, Languages, Translated

_CONTROL = {code: " " for code in chain(range(9), range(11, 32), (127,))} | {0x2028: "\n", 0x2029: "\n", 0x0B: "\n"}
_WORDS = 12
_WARNINGS = 300  # kinds of one file that are shown; all warnings are copied and saved


class Offsets:
    """Qt counts UTF-16 units, the program characters: from one to the other for one text."""

    def __init__(self, text: str) -> None:
        self._wide = [at for at, letter in enumerate(text) if letter > "\uffff"]
        self._units = [at + number for number, at in enumerate(self._wide)]

    def units(self, at: int) -> int:
        """Where Qt has the character at `at`."""
        return at + bisect_left(self._wide, at)

    def characters(self, unit: int) -> int:
        """Which character stands where Qt counts `unit`."""
        return unit - bisect_left(self._units, unit)


@dataclass(frozen=True, slots=True)
class Sides:
    """Which sentences belong together, to be found from either side."""

    pairs: tuple[Four, ...] = ()

    def at_source(self, at: int) -> Four | None:
        """The pair whose sentence holds this character of the text."""
        number = bisect_right(self.pairs, at, key=lambda pair: pair[0]) - 1
        return self.pairs[number] if number >= 0 and at <= self.pairs[number][1] else None

    def at_target(self, at: int) -> Four | None:
        """The pair whose sentence holds this character of the translation."""
        number = bisect_right(self.pairs, at, key=lambda pair: pair[2]) - 1
        return self.pairs[number] if number >= 0 and at <= self.pairs[number][3] else None


def plain(result: str) -> str:
    """The translation with a character for each of its own, all of which can be shown."""
    return result.translate(_CONTROL)


def as_html(result: str) -> str:
    """The translation as HTML whose text has a character for each of its own."""
    shown = plain(result)
    rest = shown.lstrip("\n")
    first = "<br/>" * (len(shown) - len(rest))  # a line break that begins a paragraph is not shown otherwise
    return f"<p style='white-space: pre-wrap; margin: 0; line-height: 100%'>{first}{escape(rest)}</p>" if result else ""


def language_name(code: str) -> str:
    """The name of a language in the language of the window."""
    return tr(english_name(code))


def detected(languages: Languages) -> str:
    """What the choice of the source says once the language was found."""
    said = tr("{language}, detected") if languages.sure else tr("{language}, perhaps")
    return said.format(language=language_name(languages.source))


def line(languages: Languages) -> str:
    """The two languages in a line."""
    said = tr("{source} to {target}")
    return said.format(source=language_name(languages.source), target=language_name(languages.target))


def notes(made: Translated) -> tuple[str, ...]:
    """What the person should know of a translation."""
    found = [*doubts(made.languages)]
    if made.unknown:
        more = len(made.unknown) - _WORDS
        words = ", ".join(made.unknown[:_WORDS]) + (f" (+{more})" if more > 0 else "")
        found.append(tr("The model was not taught these words, so they may be wrong: {words}").format(words=words))
    return (*found, *map(told, made.notes))


def doubts(languages: Languages) -> tuple[str, ...]:
    """What is doubtful about the languages."""
    name = language_name(languages.source)
    if languages.source == languages.target:
        return (tr("This is {language} already; it is left as it is.").format(language=name),)
    if not languages.sure and not languages.given:
        return (tr("This may not be {language}: choose its language above.").format(language=name),)
    return ()


def table(made: Translated) -> str:
    """Each sentence with its translation, as CSV."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow((made.languages.source, made.languages.target))
    for a, b, c, d in made.pairs:
        writer.writerow((" ".join(made.text[a:b].split()), " ".join(made.result[c:d].split())))
    return file.getvalue()


def _group(group: Group) -> str:
    """Warnings of one kind, and where."""
    if not group.places:
        return told(group.kind)
    where = ", ".join(map(told, group.places))
    more = " " + tr("and {n} more").format(n=f"{group.more:,}") if group.more else ""
    return f"{where}{more}: {told(group.kind)}"


def report(rows: Sequence[FileRow]) -> tuple[str, str]:
    """What came of the files, as HTML and as text."""
    html, text = list[str](), list[str]()
    for row in rows:
        if row.state == "waiting":
            continue
        title = f"{row.path.name} → {row.out.name}" if row.state == "done" and row.out else row.path.name
        said = line(row.languages) if row.languages is not None else ""
        lines = [" · ".join(filter(None, (told(row.line) or row.words, said)))]
        lines += doubts(row.languages) if row.languages is not None else ()
        html.append(f"<h4>{escape(title)}</h4>" + "".join(f"<p>{escape(one)}</p>" for one in lines))
        warnings = [told(one) for one in row.warnings]
        if warnings:
            groups = grouped(row.warnings)
            shown = "".join(f"<li>{escape(_group(one))}</li>" for one in groups[:_WARNINGS])
            html.append(f"<ul>{shown}</ul>")
            if len(groups) > _WARNINGS or any(one.places for one in groups):
                said = tr("{n} warnings in all; copy or save the list to have each.").format(n=f"{len(warnings):,}")
                html.append(f"<p class='faint'>{escape(said)}</p>")
        text.append("\n".join([title, *lines, *(f"- {one}" for one in warnings)]))
    return "".join(html), "\n\n".join(text)
