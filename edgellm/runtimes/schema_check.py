"""Whether a JSON text satisfies a plain schema, for answers that no grammar has guaranteed.

The plain form of `json_schema` has so few keywords that all of them are here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_DEEPEST = 64
_FORMATS = MappingProxyType(
    {
        "date": r"\d{4}-\d\d-\d\d",
        "time": r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?",
        "date-time": r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?",
        "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    }
)
_Check = Callable[[Mapping[str, Any], Any, Mapping[str, Any], str, int], str]


def problem(text: str, plain: Mapping[str, Any]) -> str:
    """Why the text does not satisfy the schema, such as `$.name is missing`; empty when it does."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return "it is not JSON"
    return _value(plain, value, plain, "$", 0)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _value(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], at: str, depth: int) -> str:
    if depth > _DEEPEST:
        return f"{at} is nested too deeply"
    if "$ref" in schema:
        _, group, name = schema["$ref"].split("/")
        target = root.get(group, {}).get(name)
        return _value(target, value, root, at, depth + 1) if target is not None else f"{at} has no schema"
    if "const" in schema:
        return "" if _same(schema["const"], value) else f"{at} is not the one value that is allowed"
    if "enum" in schema:
        return "" if any(_same(one, value) for one in schema["enum"]) else f"{at} is none of the values allowed"
    if "anyOf" in schema:
        found = [_value(part, value, root, at, depth + 1) for part in schema["anyOf"]]
        return "" if "" in found else found[0]
    kind = schema["type"]
    if not _is(kind, value):
        return f"{at} is not of type {kind}"
    check = _CHECKS.get(kind)
    return check(schema, value, root, at, depth) if check else ""


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _is(kind: str, value: Any) -> bool:
    if kind == "integer":
        return type(value) is int or (type(value) is float and value.is_integer())
    if kind == "number":
        return type(value) in (int, float)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, kinds[kind])


def _object(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], at: str, depth: int) -> str:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            return f"{at}.{name} is missing"
    for name, part in value.items():
        rule = known.get(name, more)
        if rule is False:
            return f"{at} has {name[:40]!r}, which is not in the schema"
        if rule is not True and (found := _value(rule, part, root, f"{at}.{name[:40]}", depth + 1)):
            return found
    return ""


def _array(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], at: str, depth: int) -> str:
    if "prefixItems" in schema:
        rules = schema["prefixItems"]
        if len(value) != len(rules):
            return f"{at} does not have {len(rules)} items"
    else:
        if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
            return f"{at} has {len(value)} items"
        rules = [schema["items"]] * len(value)
    parts = enumerate(zip(rules, value, strict=True))
    found = (_value(rule, part, root, f"{at}[{index}]", depth + 1) for index, (rule, part) in parts)
    return next((one for one in found if one), "")


def _string(schema: Mapping[str, Any], value: Any, _root: Mapping[str, Any], at: str, _depth: int) -> str:
    if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
        return f"{at} has {len(value)} characters"
    pattern = schema.get("pattern") or _FORMATS.get(schema.get("format", ""))
    if pattern and not re.fullmatch(pattern, value):
        return f"{at} does not match its pattern"
    return ""


_CHECKS: Mapping[str, _Check] = MappingProxyType({"object": _object, "array": _array, "string": _string})
