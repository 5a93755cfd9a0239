"""Brings a JSON schema into the plain form whose every demand a grammar can guarantee, or refuses it.

Writing the grammar is left to `llama_grammar.py`. What is narrowed here (no additional properties beside named ones,
objects where anything goes) still satisfies the schema; what would be passed over silently is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from edgellm.errors import ResponseFormatError

_LONGEST = 100_000
_DEEPEST = 64
_MOST_REPEATS = 1_000
_NOTES = frozenset({
    "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
    "$schema", "$id", "$comment", "$anchor",
})  # fmt: skip
_DEFINITIONS = ("$defs", "definitions")
_KEYWORDS: dict[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems"}),
    "string": frozenset({"pattern", "minLength", "maxLength", "format"}),
    "number": frozenset({"format"}),
    "integer": frozenset({"format"}),
    "boolean": frozenset(),
    "null": frozenset(),
}
_FORMATS = frozenset({"date", "time", "date-time", "uuid"})
_HINT = "Use type, properties, required, items, enum, const, anyOf, $ref, pattern, minLength and the like."
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]", re.DOTALL)
_INSIDE = {"d": "0-9", "w": "A-Za-z0-9_"}


def plain_schema(text: str) -> dict[str, Any]:
    """The schema in plain form. Raises `ResponseFormatError` for one that cannot be guaranteed."""
    if len(text) > _LONGEST:
        raise refused("is too long")
    try:
        parsed = json.loads(text)
        if parsed is True:
            parsed = {}
        if not isinstance(parsed, dict):
            raise refused("is not an object")
        plain = _plain(parsed, 0)
        for key in _DEFINITIONS:
            definitions = parsed.get(key, {})
            if not isinstance(definitions, dict):
                raise refused(f"has a {key} that is no object")
            if definitions:
                plain[key] = {name: _plain(part, 1) for name, part in definitions.items()}
    except (ValueError, RecursionError) as error:
        raise refused(f"is not JSON: {str(error)[:200]}") from error
    return plain


def refused(what: str) -> ResponseFormatError:
    """The error for a schema that `what`."""
    return ResponseFormatError(f"The JSON schema {what}.", _HINT)


def _plain(schema: Any, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise refused("is nested too deeply")
    if schema is True:
        return {"type": "object"}
    if not isinstance(schema, dict):
        raise refused("has a part that is no schema")
    core = {key: value for key, value in schema.items() if key not in _NOTES and key not in _DEFINITIONS}
    for key in ("$ref", "const", "enum", "anyOf", "oneOf", "allOf"):
        if key in core:
            return _whole(key, core, depth)
    kind = core.get("type")
    if isinstance(kind, list):
        return {"anyOf": [_plain({**_fitting(core, str(one)), "type": one}, depth + 1) for one in kind]}
    kind = kind or _guess(core)
    if kind not in _KEYWORDS:
        raise refused(f"asks for the unknown type {kind}")
    strange = sorted(set(core) - _KEYWORDS[kind] - {"type"})
    if strange:
        raise refused(f"uses {strange[0]} for type {kind}, which cannot be guaranteed")
    builders = {"object": _object, "array": _array, "string": _string}
    return builders[kind](core, depth) if kind in builders else {"type": kind}


def _whole(key: str, core: dict[str, Any], depth: int) -> dict[str, Any]:
    """A schema that one keyword decides."""
    value = core[key]
    others = sorted(set(core) - {key} - ({"type"} if key in ("const", "enum") else set()))
    if others:
        raise refused(f"uses {others[0]} beside {key}, which cannot be guaranteed")
    if key == "$ref":
        if not isinstance(value, str) or not re.fullmatch(r"#/(\$defs|definitions)/[^/#%~]+", value):
            raise refused("refers to something outside its $defs")
        return {"$ref": value}
    if key == "const":
        return {"const": value}
    if not isinstance(value, list) or not value:
        raise refused(f"has an empty {key}")
    if key == "enum":
        return {"enum": value}
    parts = [_plain(part, depth + 1) for part in value]
    if key == "allOf":
        if len(parts) > 1:
            raise refused("uses allOf, which cannot be guaranteed")
        return parts[0]
    return {"anyOf": parts}


def _fitting(core: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Of keywords for several types, those that concern `kind`."""
    every = frozenset[str]().union(*_KEYWORDS.values())
    own = _KEYWORDS.get(kind, frozenset())
    return {key: value for key, value in core.items() if key in own or key not in every}


def _guess(core: Mapping[str, Any]) -> str:
    """The type that the keywords of a schema without one speak of; an object when there is none."""
    return next((kind for kind, own in _KEYWORDS.items() if (own - {"format"}) & set(core)), "object")


def _object(core: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties, required = core.get("properties", {}), core.get("required", [])
    more = core.get("additionalProperties", True)
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise refused("has properties or required of the wrong form")
    missing = [name for name in required if name not in properties]
    if missing:
        raise refused(f"requires {missing[0]!s:.40}, which is not among its properties")
    if len(properties) > 200:
        raise refused("has more than 200 properties in one object")
    if properties or more is False:
        parts = {name: _plain(part, depth + 1) for name, part in properties.items()}
        return {"type": "object", "properties": parts, "required": required, "additionalProperties": False}
    if isinstance(more, dict):
        return {"type": "object", "additionalProperties": _plain(more, depth + 1)}
    return {"type": "object"}


def _array(core: Mapping[str, Any], depth: int) -> dict[str, Any]:
    counts = _counts(core, "minItems", "maxItems")
    prefix = core.get("prefixItems", core["items"] if isinstance(core.get("items"), list) else None)
    if prefix is not None:
        extra = isinstance(core.get("items"), dict | bool) and core.get("items") is not False
        if not isinstance(prefix, list) or not prefix or extra or counts.get("minItems", 0) > len(prefix):
            raise refused("has prefixItems that cannot be guaranteed")
        if counts.get("maxItems", len(prefix)) < len(prefix):
            raise refused("has prefixItems that cannot be guaranteed")
        return {"type": "array", "prefixItems": [_plain(part, depth + 1) for part in prefix]}
    return {"type": "array", "items": _plain(core.get("items", True), depth + 1), **counts}


def _string(core: Mapping[str, Any], depth: int) -> dict[str, Any]:
    counts = _counts(core, "minLength", "maxLength")
    if "pattern" in core:
        if counts:
            raise refused("uses pattern beside minLength or maxLength, which cannot be guaranteed")
        return {"type": "string", "pattern": _pattern(core["pattern"])}
    known = core.get("format") if core.get("format") in _FORMATS else None
    if known and counts:
        raise refused("uses format beside minLength or maxLength, which cannot be guaranteed")
    return {"type": "string", **({"format": known} if known else counts)}


def _counts(core: Mapping[str, Any], *names: str) -> dict[str, int]:
    counts = {name: core[name] for name in names if name in core}
    for name, value in counts.items():
        if type(value) is not int or not 0 <= value <= _MOST_REPEATS:
            raise refused(f"has a {name} that is not between 0 and {_MOST_REPEATS}")
    if len(counts) == 2 and counts[names[0]] > counts[names[1]]:
        raise refused(f"has a {names[0]} above its {names[1]}")
    return counts


def _pattern(pattern: Any) -> str:
    """A regular expression of which no match needs escaping inside a JSON string."""
    if not isinstance(pattern, str) or len(pattern) > 500 or re.search(r"\d{4}", pattern):
        raise refused("has a pattern that is too long")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise refused("has a pattern that does not begin with ^ and end with $")
    if '"' in pattern or any(char < " " for char in pattern) or re.search(r"\(\?|[*+?}][?+]", pattern):
        raise refused("has a pattern with quotes, control characters or lookaround")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise refused(f"has a pattern that is not right ({error})") from error
    pattern = _CLASS.sub(_safe_class, pattern)

    def outside(match: re.Match[str]) -> str:
        char = match[1]
        if char in _INSIDE:
            return f"[{_INSIDE[char]}]"
        if char.isalnum() or char == "\\":
            raise refused(f"has a pattern with \\{char}, which cannot be guaranteed")
        return match[0]

    parts = re.split(r"(\[(?:\\.|[^\]\\])+\])", pattern)
    return "".join(part if index % 2 else _ESCAPED.sub(outside, part) for index, part in enumerate(parts))


def _safe_class(match: re.Match[str]) -> str:
    """A character class without the quote, the backslash and control characters."""
    negated, body = match[1], _ESCAPED.sub(lambda escape: _INSIDE.get(escape[1], escape[0]), match[2])
    if re.search(r"\\[A-Za-z0-9\\]", body):
        raise refused("has a pattern with an escape that cannot be guaranteed")
    if negated:
        return f'[^"\\\\\\x00-\\x1F\\x7F{body}]'
    for first, last in re.findall(r"([^\\])-([^\\])", body):
        if any(first <= char <= last for char in '"\\') or first < " ":
            raise refused(f"has a pattern with the range {first}-{last}, which holds a quote or a backslash")
    return f"[{body}]"
