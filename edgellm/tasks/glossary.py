"""A glossary: terms with the words that a translation must use for them, and names that stay as they are.

Read from CSV or TSV with the columns source, target, source language, target language; the last two may be left out or
empty, and an empty target means: do not translate. Whole words are matched, the longest term first.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import StorageError, UsageError
from edgellm.tasks.languages import code_of
from edgellm.tasks.protect import Stretch

_LARGEST = 8 << 20
_SHOWN = 5
_COLUMNS = 4
_HEADERS = frozenset({"source", "term", "from"})
# A letter that belongs to a word with spaces around it: in Chinese, Japanese and Thai words touch each other.
_WORD = "[^\\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"


@dataclass(frozen=True, slots=True)
class Term:
    """A term and its translation (empty: it stays). `origin` and `into` are codes; empty ones mean any language."""

    source: str
    target: str = ""
    origin: str = ""
    into: str = ""


@dataclass(frozen=True, slots=True)
class Glossary:
    """Terms that are matched in texts."""

    terms: tuple[Term, ...] = ()

    def stretches(self, text: str, source: str, target: str) -> tuple[Stretch, ...]:
        """Where the terms for these languages are in the text, and what the translation must hold there."""
        folded = text.casefold()
        chosen = [
            term
            for term in self.terms
            if term.origin in ("", source)
            and term.into in ("", target)
            and term.source.split()[0].casefold() in folded  # a long glossary has few terms of any one text
        ]
        exact = {_key(term.source): term for term in chosen if _is_exact(term.source)}
        loose = {_key(term.source).casefold(): term for term in chosen if not _is_exact(term.source)}
        found: list[Stretch] = []
        for table, flags in ((exact, 0), (loose, re.IGNORECASE)):
            if not table:
                continue
            longest = sorted(table, key=len, reverse=True)
            for match in re.finditer("|".join(map(_pattern, longest)), text, flags):
                word = match.group()
                term = table.get(_key(word) if table is exact else _key(word).casefold())
                if term is not None:
                    found.append(Stretch(match.start(), match.end(), _said(term, word), "term"))
        return tuple(found)

    @property
    def fingerprint(self) -> str:
        """The same for the same terms: a translation made with others is not used again."""
        rows = sorted((term.source, term.target, term.origin, term.into) for term in self.terms)
        return hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()[:16] if rows else ""


def kept(words: str) -> tuple[Term, ...]:
    """The terms of a list with commas between them, none of which is translated."""
    return tuple(Term(word.strip()) for word in words.split(",") if word.strip())


def read(path: Path) -> tuple[Term, ...]:
    """The terms of a CSV or TSV file. Raises `StorageError`, and `UsageError` that names the bad lines."""
    text = _text(path)
    first = text.partition("\n")[0]
    delimiter = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    terms, problems = [], []
    seen: dict[tuple[str, str, str], str] = {}
    try:
        for cells in rows:
            if not any(cell.strip() for cell in cells) or (rows.line_num == 1 and _is_header(cells)):
                continue
            try:
                term = _term(cells)
            except UsageError as error:
                problems.append(f"line {rows.line_num}: {error.message}")
                continue
            before = seen.setdefault((term.source, term.origin, term.into), term.target)
            if before != term.target:
                problems.append(f"line {rows.line_num}: {term.source} has another translation above.")
            terms.append(term)
    except csv.Error as error:
        problems.append(f"line {rows.line_num}: {error}.")
    if problems:
        more = f" {len(problems) - _SHOWN} more lines are wrong." if len(problems) > _SHOWN else ""
        raise UsageError(
            f"The glossary {path.name} cannot be used: {' '.join(problems[:_SHOWN])}{more}",
            "Each line is: source,target or source,target,source language,target language.",
        )
    if not terms:
        raise UsageError(f"The glossary {path.name} holds no terms.", "Each line is: source,target.")
    return tuple(terms)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise StorageError(f"There is no glossary {path}.", "Check the spelling and the folder.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"The glossary {path} cannot be read: {reason}.", "Check its permissions.") from error
    if len(data) > _LARGEST:
        raise StorageError(f"The glossary {path.name} is larger than {_LARGEST >> 20} MB.", "Take a smaller one.")
    try:
        return (
            data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
            .lstrip("\ufeff")
            .replace("\0", "")
        )
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise StorageError(
            f"The glossary {path.name} is not UTF-8 (line {line}).", "Save it again as CSV in UTF-8."
        ) from error


def _is_header(cells: Sequence[str]) -> bool:
    return cells[0].strip().casefold() in _HEADERS and len(cells) > 1 and "target" in cells[1].casefold()


def _term(cells: Sequence[str]) -> Term:
    source, target, origin, into = (*(cell.strip() for cell in cells[:_COLUMNS]), "", "", "")[:_COLUMNS]
    if any(cell.strip() for cell in cells[_COLUMNS:]):
        raise UsageError(f"it has {len(cells)} columns.")
    if not source:
        raise UsageError("it has no term to translate.")
    return Term(source, target, code_of(origin) if origin else "", code_of(into) if into else "")


def _key(text: str) -> str:
    return " ".join(text.split())


def _is_exact(source: str) -> bool:
    """Whether the case of a term matters: it has capitals itself, as names do."""
    return source != source.lower()


def _pattern(term: str) -> str:
    inner = r"\s+".join(map(re.escape, term.split(" ")))
    before = f"(?<!{_WORD})" if re.match(_WORD, term[0]) else ""
    after = f"(?!{_WORD})" if re.match(_WORD, term[-1]) else ""
    return f"{before}{inner}{after}"


def _said(term: Term, word: str) -> str:
    """The translation of a term in the case of the word that was found; a term that stays is that word."""
    if not term.target:
        return word
    if word == _key(term.source) or term.target != term.target.lower():
        return term.target
    if len(word) > 1 and word.isupper():
        return term.target.upper()
    if word[0].isupper() and not term.source[0].isupper():
        return term.target[0].upper() + term.target[1:]
    return term.target
