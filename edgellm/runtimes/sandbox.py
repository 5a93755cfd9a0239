"""A Jinja environment for chat templates that come inside downloaded files.

Jinja's own sandbox keeps a template away from Python's internals, but lets it use any amount of time and memory. Here
every operation that can make something large out of something small is checked before it runs. The deadline, and
a watch over the memory of the process, are left to `template.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST = 8_000_000
"""Characters or items that one value in a template may have."""

_MOST_BITS = 4_096
_WIDE_FORMAT = re.compile(r"\*|\d{4}|\{[^}]*\{")
_METHODS = frozenset((
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "partition", "rpartition", "startswith", "endswith",
    "lower", "upper", "title", "capitalize", "casefold", "swapcase", "find", "rfind", "index", "rindex", "count",
    "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower", "isnumeric", "isdecimal", "istitle",
    "isidentifier", "removeprefix", "removesuffix", "replace", "join", "format", "get", "items", "keys", "values",
    "copy",
))  # fmt: skip
_FILTERS = (
    "abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby",
    "int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "safe",
    "select", "selectattr", "sort", "string", "title", "trim", "unique", "upper", "wordcount",
)  # fmt: skip


class RefusedByTemplate(TemplateError):
    """The template itself says that it cannot write this conversation."""


def _check(size: int) -> None:
    if size > MOST:
        raise SecurityError("a value grows too large")


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def joined(parts: Iterable[Any]) -> str:
    """Texts put together, as long as the result is not too large."""
    kept: list[str] = []
    total = 0
    for part in parts:
        text = str(part)
        total += len(text)
        _check(total)
        kept.append(text)
    return "".join(kept)


def _replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = str(text), str(old), str(new)
    found = text.count(old) if count < 0 else min(text.count(old), count)
    _check(len(text) + found * len(new))
    replaced: str = text.replace(old, new, count)
    return replaced


def _join(separator: str, items: Iterable[Any]) -> str:
    parts = [str(item) for item in islice(items, MOST)]
    _check(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _indent(text: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    space = width if isinstance(width, str) else " " * min(int(width), 64)
    lines = str(text).split("\n")
    _check(len(text) + len(space) * len(lines))
    body = [space + line if line or blank else line for line in lines[1:]]
    return "\n".join([space + lines[0] if first else lines[0], *body])


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    if isinstance(indent, int):
        indent = min(indent, 16)
    elif indent is not None:
        indent = str(indent)[:16]
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _sum(items: Iterable[Any], attribute: str | None = None, start: float = 0) -> Any:
    values = [item[attribute] for item in items] if attribute else list(items)
    if not all(isinstance(value, int | float) for value in [start, *values]):
        raise SecurityError("only numbers can be summed")
    return sum(values, start)


def _round(value: float, precision: int = 0) -> float:
    return round(value, min(max(precision, -15), 15))


def _strftime_now(pattern: str) -> str:
    if len(pattern) > 200 or re.search(r"%[^a-zA-Z%]*\d", pattern):
        raise SecurityError("a date has too wide a form")
    return datetime.now().strftime(pattern)


def _raise_exception(message: str) -> str:
    raise RefusedByTemplate(str(message)[:300])


class _Generator(CodeGenerator):
    """Sends `a ~ b` through `joined`; everything else compiles as in Jinja."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.concat((")
        for arg in node.nodes:
            self.visit(arg, frame)
            self.write(", ")
        self.write("))")


class _Generation(Extension):
    """`{% generation %}` marks the assistant's words for training; here only its content counts."""

    tags = {"generation"}  # noqa: RUF012 - the base class declares it as a plain set

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The content of the block, as if it stood there without the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment in which a chat template is compiled and rendered."""

    code_generator_class = _Generator
    concat = staticmethod(joined)
    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
        filters: dict[str, Callable[..., Any]] = {name: self.filters[name] for name in _FILTERS}
        filters.update(
            replace=_replace,
            join=lambda items, separator="", attribute=None: _join(
                str(separator), (item[attribute] for item in items) if attribute else items
            ),
            indent=_indent,
            tojson=_tojson,
            sum=_sum,
            round=_round,
        )
        self.filters = filters
        self.globals = {name: self.globals[name] for name in ("range", "dict", "namespace", "joiner", "cycler")}
        self.globals.update(raise_exception=_raise_exception, strftime_now=_strftime_now)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`, unless its result would be huge."""
        if isinstance(left, int) and isinstance(right, int):
            if operator == "**" and right > 0 and left.bit_length() * right > _MOST_BITS:
                raise SecurityError("a number grows too large")
            if operator == "*" and left.bit_length() + right.bit_length() > _MOST_BITS:
                raise SecurityError("a number grows too large")
        elif operator == "+":
            _check(_size(left) + _size(right))
        elif operator == "*":
            _check(
                max(
                    _size(left) * right if isinstance(right, int) else 0,
                    _size(right) * left if isinstance(left, int) else 0,
                )
            )
        elif operator == "%" and isinstance(left, str):
            _refuse_wide(left)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, one of the globals, or a harmless method of a text, a list or a mapping."""
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str | list | tuple | dict):
            if name not in _METHODS:
                raise SecurityError(f"{name} cannot be used in a chat template")
            if name == "replace":
                return _replace(owner, *args, **kwargs)
            if name == "join":
                return _join(str(owner), *args, **kwargs)
        elif name == "format" and hasattr(__obj, "__wrapped__"):
            _refuse_wide(str(__obj.__wrapped__.__self__))
        return super().call(__context, __obj, *args, **kwargs)


def _refuse_wide(pattern: str) -> None:
    if _WIDE_FORMAT.search(pattern):
        raise SecurityError("a text is padded too widely")
