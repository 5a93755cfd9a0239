"""Adding cards to the person's own catalog, keeping every entry and comment that is there. Reading is `catalog`'s."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable

from edgellm import files
from edgellm.errors import StorageError
from edgellm.models import catalog, catalog_schema
from edgellm.models.catalog import ModelCard, entry_of
from edgellm.paths import Paths


def remember(paths: Paths, cards: Iterable[ModelCard]) -> tuple[str, ...]:
    """Write cards into the person's own catalog; the names of those that are new there.

    A name that this catalog or the program's has is left as it is, and a card that the schema refuses is passed over.
    Raises `StorageError`; the file is then as it was.
    """
    document = _read(paths)
    known = {card.name for card in catalog.load(paths).cards} | set(_names(document.get("model", ())))
    fresh = {card.name: card for card in cards if card.name not in known and _is_valid(card)}
    if not fresh:
        return ()
    if "model" not in document:
        document["model"] = tomlkit.aot()
    for card in fresh.values():
        document["model"].append(_table(card, inline=isinstance(document["model"], Array)))
    _write(paths, tomlkit.dumps(document))
    return tuple(fresh)


def _is_valid(card: ModelCard) -> bool:
    return not card.builtin and not catalog.problems({"schema": catalog_schema.VERSION, "model": [entry_of(card)]})


def _names(entries: Any) -> list[Any]:
    return [entry.get("name") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _read(paths: Paths) -> tomlkit.TOMLDocument:
    try:
        document = tomlkit.parse(paths.catalog.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        document = tomlkit.document()
        document.add(tomlkit.comment("Models of your own, in the form of the catalog that comes with the program."))
        document.add("schema", tomlkit.item(catalog_schema.VERSION))
        return document
    except OSError as error:
        raise _failure(paths, error.strerror or "it cannot be opened") from error
    except (ValueError, TOMLKitError, RecursionError) as error:
        raise _failure(paths, "it is not valid TOML") from error
    if document.get("schema") != catalog_schema.VERSION or not isinstance(document.get("model", []), list):
        raise _failure(paths, "it is none, or of another version")
    return document


def _table(card: ModelCard, inline: bool) -> Any:
    """An entry; its files stand each in a line."""
    table = tomlkit.inline_table() if inline else tomlkit.table()
    entry = entry_of(card)
    table.update({name: value for name, value in entry.items() if name != "file"})
    listed = tomlkit.array()
    for file in entry["file"]:
        listed.append(_inline(file))
    listed.multiline(not inline and len(card.files) > 1)
    table["file"] = listed
    return table


def _inline(values: dict[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _write(paths: Paths, text: str) -> None:
    """Write it in one step, where a link leads if it is one. What could not be read again is not written."""
    try:
        tomllib.loads(text)
        files.write(Path(os.path.realpath(paths.catalog)), text)
    except OSError as error:
        raise _failure(paths, error.strerror or "it cannot be written") from error
    except ValueError as error:
        raise _failure(paths, "it is laid out in a way that cannot be added to") from error


def _failure(paths: Paths, why: str) -> StorageError:
    return StorageError(
        f"Your own catalog {paths.catalog.name} was not changed: {why}.", f"Look at it: {paths.catalog}"
    )
