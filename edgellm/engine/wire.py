"""Frozen dataclasses to plain msgpack values and back, strictly by their type hints.

What the messages are is left to `protocol`; this only knows values. Nothing here can run code that came over the pipe.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from edgellm.errors import EngineError

Reader = Callable[[Any], Any]
_PLAIN = (str, int, float, bool, bytes, type(None))


class ProtocolError(EngineError):
    """Bytes on the pipe that are no message of this protocol."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The engine and the program do not understand each other: {what}.", "Start EdgeLLM again.")


def to_plain(value: Any) -> Any:
    """A value made of dictionaries, lists and scalars. What is none of these becomes its text."""
    if type(value) in _PLAIN:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    return str(value)


def from_plain(kind: Any, data: Any) -> Any:
    """`data` as a value of `kind`. Raises `ProtocolError` where it is not exactly that."""
    return _reader(kind)(data)


def _wrong(kind: Any, data: Any) -> ProtocolError:
    return ProtocolError(f"{type(data).__name__} where {getattr(kind, '__name__', kind)} belongs")


@cache
def _reader(kind: Any) -> Reader:
    if kind is Any:
        return _frozen
    if kind is float:
        return _float
    if kind in _PLAIN:
        return _exactly(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _one_of(kind, arguments)
    if origin is tuple and arguments[1:] == (...,):
        return _tuple_of(kind, arguments[0])
    if origin in (Union, types.UnionType):
        return _optional(kind, arguments)
    if origin is Mapping and arguments == (str, Any):
        return _mapping
    if is_dataclass(kind):
        return _dataclass(kind)
    raise TypeError(f"{kind} cannot travel to the engine")


def _frozen(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_frozen(item) for item in data)
    if isinstance(data, dict):
        return _mapping(data)
    if type(data) in _PLAIN:
        return data
    raise _wrong("a plain value", data)


def _mapping(data: Any) -> Mapping[str, Any]:
    if type(data) is not dict or any(type(key) is not str for key in data):
        raise _wrong(Mapping, data)
    return {key: _frozen(item) for key, item in data.items()}


def _float(data: Any) -> float:
    if type(data) not in (float, int):
        raise _wrong(float, data)
    return float(data)


def _exactly(kind: type) -> Reader:
    def read(data: Any) -> Any:
        if type(data) is not kind:
            raise _wrong(kind, data)
        return data

    return read


def _one_of(kind: Any, allowed: tuple[Any, ...]) -> Reader:
    def read(data: Any) -> Any:
        if type(data) is not str or data not in allowed:
            raise _wrong(kind, data)
        return data

    return read


def _tuple_of(kind: Any, item_kind: Any) -> Reader:
    item = _reader(item_kind)

    def read(data: Any) -> Any:
        if type(data) is not list:
            raise _wrong(kind, data)
        return tuple(item(value) for value in data)

    return read


def _optional(kind: Any, arguments: tuple[Any, ...]) -> Reader:
    inner = [argument for argument in arguments if argument is not type(None)]
    if len(inner) != 1 or len(arguments) != 2:
        raise TypeError(f"{kind} cannot travel to the engine")
    some = _reader(inner[0])
    return lambda data: None if data is None else some(data)


def _dataclass(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {item.name: _reader(hints[item.name]) for item in fields(kind)}

    def read(data: Any) -> Any:
        if type(data) is not dict or data.keys() != readers.keys():
            raise _wrong(kind, data)
        return kind(**{name: readers[name](value) for name, value in data.items()})

    return read
