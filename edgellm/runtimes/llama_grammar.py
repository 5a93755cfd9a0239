"""A plain JSON schema to a grammar that llama.cpp can follow, through llama-cpp-python's converter.

Three faults of the converter are mended on the way: control characters inside strings and unescaped backslashes in
constants, both of which are no JSON, and references that clash with its own rules of the same name.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

from edgellm.runtimes.json_schema import plain_schema, refused

_ONE = r"[ !#-\[\]-~\x80-\uD7FF\uE000-\U0010FFFF]"
_CHAR = _ONE + r' | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])'
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_LONGEST = 2_000_000


def grammar_of(schema: str) -> str:
    """The GBNF grammar of a JSON schema given as text. Raises `ResponseFormatError`."""
    plain = plain_schema(schema)
    module = importlib.import_module("llama_cpp.llama_grammar")
    converter = _converter(module)
    try:
        converter._refs = {
            f"#/{key}/{name}": part for key in ("$defs", "definitions") for name, part in plain.pop(key, {}).items()
        }
        converter.visit(plain, "")
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise refused(f"cannot be used ({str(error)[:200] or type(error).__name__})") from error
    if "char" in converter._rules:
        converter._rules["char"] = _CHAR
    if "dot" in converter._rules:
        converter._rules["dot"] = _ONE
    grammar: str = converter.format_grammar()
    if len(grammar) > _LONGEST:
        raise refused("makes too large a grammar")
    return grammar


def _converter(module: Any) -> Any:
    class Converter(module.SchemaConverter):  # type: ignore[misc]
        def _format_literal(self, literal: str) -> str:
            text = json.dumps(json.loads(literal), ensure_ascii=False)
            return f'"{text.translate(_ESCAPES)}"'

        def _resolve_ref(self, ref: str) -> str:
            names = sorted(self._refs)
            name = f"ref-{names.index(ref)}"
            if name not in self._rules and ref not in self._refs_being_resolved:
                self._refs_being_resolved.add(ref)
                name = self.visit(self._refs[ref], name)
                self._refs_being_resolved.remove(ref)
            return name

    return Converter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
