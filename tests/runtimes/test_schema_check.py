"""Answers held against plain schemas: right ones pass, each kind of wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgellm.runtimes.json_schema import plain_schema
from edgellm.runtimes.schema_check import problem

TREE = {"$defs": {"n": {"type": "object", "properties": {"c": {"type": "array", "items": {"$ref": "#/$defs/n"}}}}},
        "$ref": "#/$defs/n"}  # fmt: skip
CASES: list[tuple[Any, list[Any], list[tuple[Any, str]]]] = [
    ({"type": "integer"}, [1, -3, 2.0], [(1.5, "$ is not of type integer"), (True, "integer"), ("1", "integer")]),
    ({"type": "number"}, [1, 1.5], [(False, "number"), (None, "number")]),
    ({"type": ["string", "null"]}, ["a", None], [(1, "$ is not of type string")]),
    ({"type": "boolean"}, [True], [(1, "boolean")]),
    ({"enum": ["a", 1, None]}, ["a", 1, None], [("b", "none of the values"), (True, "none"), (1.0, "none")]),
    ({"const": {"a": [1]}}, [{"a": [1]}], [({"a": [2]}, "not the one value")]),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ["", None], [([], "$ is not of type string")]),
    ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "你好吗"], [("a", "1 characters"), ("abcd", "4 char")]),
    ({"type": "string", "pattern": "^[a-c]+$"}, ["abc"], [("abcd", "does not match"), ("", "match"), ("a\n", "match")]),
    ({"type": "string", "format": "date"}, ["2024-02-30"], [("yesterday", "does not match")]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}, [[1], [1, 2]],
     [([], "$ has 0 items"), ([1, 2, 3], "$ has 3 items"), ([1, "2"], "$[1] is not of type integer")]),
    ({"prefixItems": [{"type": "string"}, {"type": "integer"}]}, [["a", 1]],
     [(["a"], "$ does not have 2 items"), (["a", "b"], "$[1] is not")]),
    ({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"]}, [{"a": ""}],
     [({}, "$.a is missing"), ({"a": "", "c": 1}, "$ has 'c'"), ({"a": "", "b": "x"}, "$.b is not of type integer")]),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"x": 1}], [({"x": "y"}, "$.x is not of")]),
    (TREE, [{}, {"c": [{}, {"c": []}]}], [({"c": [{"c": 1}]}, "$.c[0].c is not of type array")]),
    (True, [{}, {"a": [1]}], [([], "$ is not of type object")]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "right", "wrong"), CASES)
def test_right_and_wrong_answers(schema: Any, right: list[Any], wrong: list[tuple[Any, str]]) -> None:
    plain = plain_schema(json.dumps(schema))
    assert [problem(json.dumps(value), plain) for value in right] == [""] * len(right)
    for value, why in wrong:
        assert why in problem(json.dumps(value), plain)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "[" * 100_000, "1 2", "```json\n{}\n```"])
def test_what_is_no_json(text: str) -> None:
    assert problem(text, plain_schema("{}")) == "it is not JSON"


def test_references_without_an_end_end() -> None:
    plain = plain_schema('{"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}')
    assert problem("1", plain) == "$ is nested too deeply"
    deep = json.dumps({"c": []})
    for _ in range(100):
        deep = f'{{"c": [{deep}]}}'
    assert "too deeply" in problem(deep, plain_schema(json.dumps(TREE)))
