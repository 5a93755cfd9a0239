"""The catalog: which models the program offers, from `models.toml` and from the person's own file of the same form.

What a document may hold is checked by `catalog_schema`. Downloading is left to `downloads`, what fits this machine to
`runtimes/advice`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edgellm.errors import ModelNotFound
from edgellm.models import catalog_schema
from edgellm.paths import Paths, catalog_file

_LARGEST_FILE = 4 << 20
_MOST_TOLD = 3
_NOT_WRITTEN = ("files", "own", "builtin")


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file of a model. `path` is relative to the model's folder; `sha256` or `git_oid` is empty when unknown."""

    path: str
    size: int | None
    sha256: str = ""
    git_oid: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model before it is here.

    `context` is in tokens, 0 when unknown; `memory` the gigabytes of the smallest machine it is meant for, 0 when
    unknown. `recommended` holds `task:class` marks such as `chat:8gb`. An empty text means unknown.
    """

    name: str
    title: str
    summary: str
    files: tuple[CardFile, ...]
    repo: str = ""
    revision: str = ""
    format: str = "gguf"
    quantization: str = ""
    parameters: str = ""
    license: str = ""
    license_note: str = ""
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    context: int = 0
    memory: int = 0
    architecture: str = ""
    distilled_from: str = ""
    recommended: tuple[str, ...] = ()
    template: str = ""
    notes: str = ""
    confirmed: str = "high"
    builtin: bool = False
    own: bool = False

    @property
    def size(self) -> int | None:
        """Bytes of all files together; None while the size of one is unknown."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def license_line(self) -> str:
        """The license as it is shown before a download, without a dot at its end."""
        if self.license and not self.license_note:
            return self.license
        note = self.license_note or "Read the repository's card before use."
        return f"{self.license or 'unknown'}. {note.rstrip('.')}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """All cards, the program's first, and one notice about the person's own file (empty when all is well)."""

    cards: tuple[ModelCard, ...]
    notice: str = ""

    def get(self, name: str) -> ModelCard:
        """The card called `name`, in any case. Raises `ModelNotFound` with the nearest names."""
        wanted = name.strip().lower()
        by_name = {card.name: card for card in self.cards}
        if wanted in by_name:
            return by_name[wanted]
        near = difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.5)
        near = near or sorted(known for known in by_name if wanted and wanted in known)[:3]
        hint = f"Did you mean {' or '.join(near)}?" if near else "To see all of them, run: edgellm models list"
        raise ModelNotFound(f"There is no model {name.strip()[:100]!r} in the catalog.", hint)

    def find(self, text: str) -> tuple[ModelCard, ...]:
        """The cards that hold every word of `text`, those that hold it in their name first. All, for an empty text."""
        words = text.lower().split()
        found = [card for card in self.cards if all(word in _haystack(card) for word in words)]
        return tuple(sorted(found, key=lambda card: sum(word not in card.name for word in words)))


def load(paths: Paths, program: Path | None = None) -> Catalog:
    """The program's catalog, extended by the person's own. Whatever is wrong with their file is one notice.

    A card of theirs replaces one of the program with the same name. `program` stands in for the shipped file.
    """
    shipped = _read(program or catalog_file())
    cards = {card.name: card for card in map(card_of, shipped["model"])}
    builtin = frozenset(card.name for card in cards.values() if card.builtin)
    own, notice = _own_cards(paths.catalog, builtin)
    return Catalog(tuple({**cards, **{card.name: card for card in own}}.values()), notice)


def shipped_hash() -> str:
    """The sha256 of the built-in model's file, as the program's catalog pins it."""
    (entry,) = (entry for entry in _read(catalog_file())["model"] if entry.get("builtin"))
    return str(entry["file"][0]["sha256"])


def problems(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with a parsed catalog: sentences that name the entry and the field; empty when nothing is."""
    return catalog_schema.problems(document)


def card_of(entry: Mapping[str, Any], own: bool = False) -> ModelCard:
    """The card of one checked `[[model]]` table."""
    values = {key: _frozen(value) for key, value in entry.items() if key != "file"}
    files = tuple(CardFile(**{"size": None, **file}) for file in entry["file"])
    return ModelCard(**{**values, "files": files, "own": own})


def entry_of(card: ModelCard) -> dict[str, Any]:
    """A card as a `[[model]]` table: without what is empty, or only says where the card came from."""
    values = {spec.name: getattr(card, spec.name) for spec in fields(card) if spec.name not in _NOT_WRITTEN}
    kept = {name: value for name, value in values.items() if value or name == "tasks"}  # a table without is none
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    return {**plain, "file": [{name: value for name, value in asdict(file).items() if value} for file in card.files]}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _haystack(card: ModelCard) -> str:
    parts = (card.name, card.title, card.summary, card.repo, card.license, card.format, card.quantization)
    return " ".join((*parts, card.distilled_from, *card.tasks, *card.languages)).lower()


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST_FILE:
        raise ValueError("it is too large")
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _own_cards(path: Path, builtin: frozenset[str]) -> tuple[list[ModelCard], str]:
    """The usable cards of the person's own file, and a notice that names what is left out.

    `builtin` are the names of models that ship with the program; theirs cannot stand in for those.
    """
    try:
        document = _read(path)
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"Your own catalog {path.name} could not be read ({error.strerror}), so only the program's is used."
    except (ValueError, RecursionError) as error:
        why = " ".join(str(error).split())[:120] or "it is nested too deeply"
        return [], f"Your own catalog {path.name} is not valid TOML ({why}), so only the program's is used."
    wrong = catalog_schema.by_entry(document, builtin)
    entries = document.get("model", [])
    if not isinstance(entries, list):
        entries = []
    cards = [card_of(entry, own=True) for number, entry in enumerate(entries) if number not in wrong]
    told = [sentence for sentences in wrong.values() for sentence in sentences]
    if not told:
        return cards, ""
    more = f" And {len(told) - _MOST_TOLD} more." if len(told) > _MOST_TOLD else ""
    return cards, f"Parts of your own catalog {path.name} were left out: {' '.join(told[:_MOST_TOLD])}{more}"
