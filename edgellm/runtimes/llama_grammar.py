"""JSON schema to a grammar that llama.cpp can follow, through llama-cpp-python's converter.

The converter passes over keywords that it does not know, and builds texts as long as a schema asks for. So a schema
is looked through first: what could not be guaranteed is refused, and every number has a bound.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from edgellm.errors import ResponseFormatError

_LONGEST = 100_000
_DEEPEST = 64
_MOST_REPEATS = 1_000
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
_CANNOT = frozenset({
    "not", "if", "then", "else", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "uniqueItems", "contains", "minContains", "maxContains", "patternProperties", "propertyNames", "minProperties",
    "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems",
})  # fmt: skip
_SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions")
_SINGLE = ("items", "additionalProperties")
_HINT = "Use type, properties, required, items, enum, const, anyOf, pattern, minLength and the like."


def grammar_of(schema: str) -> str:
    """The GBNF grammar of a JSON schema given as text. Raises `ResponseFormatError`."""
    if len(schema) > _LONGEST:
        raise ResponseFormatError("The JSON schema is too long.", f"Keep it under {_LONGEST:,} characters.")
    try:
        parsed = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise ResponseFormatError(f"The JSON schema is not JSON: {error}.", "Check its quotes and brackets.") from error
    if not isinstance(parsed, dict):
        raise ResponseFormatError("The JSON schema is not an object.", _HINT)
    for part in _parts(parsed, 0):
        _check(part)
    converter = importlib.import_module("llama_cpp.llama_grammar")
    try:
        grammar: str = converter.json_schema_to_gbnf(schema)
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = str(error)[:200] or type(error).__name__
        raise ResponseFormatError(f"The JSON schema cannot be used: {reason}.", _HINT) from error
    return grammar


def _parts(schema: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """A schema and every schema inside it."""
    if not isinstance(schema, dict):
        return
    if depth > _DEEPEST:
        raise ResponseFormatError("The JSON schema is nested too deeply.", f"Keep it under {_DEEPEST} levels.")
    yield schema
    inner: list[Any] = [schema.get(key) for key in _SINGLE]
    for key in _SEVERAL:
        value = schema.get(key)
        inner.extend(value if isinstance(value, list) else ())
    for key in _NAMED:
        value = schema.get(key)
        inner.extend(value.values() if isinstance(value, dict) else ())
    for part in inner:
        yield from _parts(part, depth + 1)


def _check(schema: Mapping[str, Any]) -> None:
    refused = sorted(_CANNOT & set(schema))
    if refused:
        raise ResponseFormatError(f"The JSON schema uses {refused[0]}, which cannot be enforced.", _HINT)
    for key in _COUNTS & set(schema):
        value = schema[key]
        if type(value) is not int or not 0 <= value <= _MOST_REPEATS:
            raise ResponseFormatError(f"The JSON schema's {key} must be between 0 and {_MOST_REPEATS}.", _HINT)
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (len(pattern) > 500 or any(len(run) > 3 for run in _digits(pattern))):
        raise ResponseFormatError("A pattern in the JSON schema is too long.", _HINT)


def _digits(text: str) -> list[str]:
    """The runs of digits in a text."""
    return "".join(char if char.isdigit() else " " for char in text).split()
