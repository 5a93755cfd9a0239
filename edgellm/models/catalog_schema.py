"""What a catalog may hold: one visible table of fields, and sentences for what breaks it.

Entries come as parsed TOML, and a person's own may be hostile: names, hashes and addresses pass `names` first.
Turning entries into cards is left to `catalog`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from edgellm.errors import UntrustedName
from edgellm.models import names

VERSION = 1
FORMATS = ("gguf", "onnx", "safetensors")
TASKS = ("chat", "generate", "summarize", "translate", "answer", "classify", "embed", "rerank")
CONFIRMED = ("high", "medium")
MEMORY = (0, 4, 8, 16, 32, 64, 128)
WHOLE_DOCUMENT = -1
"""The key of `by_entry` for what is wrong with the document itself."""

_LARGEST = 1 << 44
_MOST_FILES = 2_000
_MOST_ENTRIES = 5_000
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
_RECOMMENDED = re.compile(rf"({'|'.join((*TASKS, 'gpu'))}):(\d{{1,3}}gb(-[a-z-]{{2,20}})?|[a-z]{{2,3}}-[a-z]{{2,3}})")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of an entry: the type of its value, and a check that gives what it must be (empty when it is)."""

    kind: type
    check: Callable[[Any], str]
    required: bool = False


def is_repo(text: str) -> bool:
    """Whether `text` is a repository's `owner/name`."""
    return bool(_REPO.fullmatch(text)) and ".." not in text


def problems(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Every sentence of `by_entry`, in order."""
    return tuple(sentence for sentences in by_entry(document).values() for sentence in sentences)


def by_entry(document: Mapping[str, Any], builtin: frozenset[str] | None = None) -> dict[int, tuple[str, ...]]:
    """What is wrong, by the entry's number (`WHOLE_DOCUMENT` for the document): sentences with its name and field.

    For a person's own document `builtin` names the models that ship with the program; it cannot hold any.
    """
    wrong: dict[int, tuple[str, ...]] = {}
    if problem := _document_problem(document):
        wrong[WHOLE_DOCUMENT] = (problem,)
    entries = document.get("model")
    if not isinstance(entries, list):
        return wrong
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        label, found = _label(entry, number), [*_entry_problems(entry)]
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            found += [f"name {names.shown(name)} is there twice"] if name in seen else []
            seen.add(name)
        if builtin is not None and (name in builtin or (isinstance(entry, dict) and entry.get("builtin"))):
            found.append("name and builtin of a model that ships with the program are its own")
        if found:
            wrong[number] = tuple(f"{label}: {problem}." for problem in found)
    return wrong


def _document_problem(document: Mapping[str, Any]) -> str:
    unknown = [names.shown(key) for key in document if key not in ("schema", "model")]
    if unknown:
        return f"The catalog has an unknown field {', '.join(unknown[:3])}."
    if document.get("schema") != VERSION or type(document.get("schema")) is not int:
        return f"The catalog must say schema = {VERSION}."
    entries = document.get("model")
    if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES:
        return f"The catalog must be a list of [[model]] tables, at most {_MOST_ENTRIES}."
    return ""


def _label(entry: Any, number: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"Model {names.shown(name)}" if isinstance(name, str) and name else f"Model number {number + 1}"


def _entry_problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["it is not a table"]
    found = _field_problems(entry, _FIELDS)
    if not found and "builtin" not in entry and not entry.get("repo"):
        urls = [file.get("url") for file in entry["file"]]
        found += [] if all(urls) else ["it needs a repo, or a url for each file"]
    return found


def _field_problems(table: Mapping[str, Any], fields: Mapping[str, _Field]) -> list[str]:
    found = [f"there is no field {names.shown(key)}" for key in table if key not in fields]
    for key, field in fields.items():
        if key not in table:
            found += [f"{key} is missing"] if field.required else []
        elif type(table[key]) is not field.kind:
            found.append(f"{key} must be {_KINDS[field.kind]}")
        elif problem := field.check(table[key]):
            found.append(f"{key} {problem}")
    return found


def _files(value: list[Any]) -> str:
    if not 0 < len(value) <= _MOST_FILES or not all(isinstance(file, dict) for file in value):
        return "must be one or more tables with a path"
    found = [problem for file in value for problem in _field_problems(file, _FILE_FIELDS)]
    if found:
        return found[0]
    return _trusted(lambda: names.check_distinct(file["path"] for file in value))


def _trusted(check: Callable[[], object]) -> str:
    """The complaint of a check in `names`, as the end of a sentence."""
    try:
        check()
    except UntrustedName as error:
        return f"cannot be used ({error.message.rstrip('.')})"
    return ""


def _text(longest: int, empty: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        fine = (empty or value.strip()) and len(value) <= longest and value.isprintable()
        return "" if fine else f"must be one line of at most {longest} characters"

    return check


def _listed(allowed: Callable[[str], bool], what: str) -> Callable[[list[Any]], str]:
    def check(value: list[Any]) -> str:
        bad = [item for item in value if not isinstance(item, str) or not allowed(item)]
        if bad:
            return f"holds {names.shown(bad[0])}, which is not {what}"
        return "" if len(set(value)) == len(value) <= 300 else "holds a value twice"

    return check


def _among(allowed: tuple[Any, ...]) -> Callable[[Any], str]:
    return lambda value: "" if value in allowed else f"must be one of {', '.join(map(str, allowed))}"


def _between(low: int, high: int) -> Callable[[int], str]:
    return lambda value: "" if low <= value <= high else f"must be between {low} and {high}"


def _hash(digits: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        return (
            ""
            if len(value) == digits and not _trusted(lambda: names.check_hash(value))
            else f"is no {digits}-digit hash"
        )

    return check


def is_address(value: str) -> bool:
    """Whether a file may be fetched from this address: https without a name or password in it."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    plain = value.isascii() and value.isprintable() and " " not in value and "\\" not in value and len(value) <= 2_000
    return plain and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and port != 0


_KINDS: Mapping[type, str] = {
    str: "a text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
}
_FILE_FIELDS: Mapping[str, _Field] = {
    "path": _Field(str, lambda value: _trusted(lambda: names.check_relative(value)), required=True),
    "size": _Field(int, _between(1, _LARGEST)),
    "sha256": _Field(str, _hash(64)),
    "git_oid": _Field(str, _hash(40)),
    "url": _Field(str, lambda value: "" if is_address(value) else "must be an https address"),
}
_FIELDS: Mapping[str, _Field] = {
    "name": _Field(str, lambda value: _trusted(lambda: names.check_name(value)), required=True),
    "title": _Field(str, _text(80), required=True),
    "summary": _Field(str, _text(300), required=True),
    "file": _Field(list, _files, required=True),
    "repo": _Field(str, lambda value: "" if is_repo(value) else "must be a repository such as owner/name"),
    "revision": _Field(str, _hash(40)),
    "format": _Field(str, _among(FORMATS), required=True),
    "quantization": _Field(str, _text(60)),
    "parameters": _Field(str, _text(60)),
    "license": _Field(str, _text(60)),
    "license_note": _Field(str, _text(300)),
    "tasks": _Field(list, _listed(lambda item: item in TASKS, "a task"), required=True),
    "languages": _Field(list, _listed(lambda item: bool(_LANGUAGE.fullmatch(item)), "a language tag")),
    "context": _Field(int, _between(1, 1 << 26)),
    "memory": _Field(int, _among(MEMORY)),
    "architecture": _Field(str, lambda value: "" if _ARCHITECTURE.fullmatch(value) else "is no architecture's name"),
    "distilled_from": _Field(str, _text(80)),
    "recommended": _Field(list, _listed(lambda item: bool(_RECOMMENDED.fullmatch(item)), "like chat:8gb")),
    "template": _Field(str, _text(400)),
    "notes": _Field(str, _text(600)),
    "confirmed": _Field(str, _among(CONFIRMED)),
    "builtin": _Field(bool, lambda value: ""),
}
