"""Answers held to a JSON schema: always JSON, always of that schema, never endless."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edgellm.errors import ResponseFormatError
from edgellm.runtimes.base import Chunk, Finish, Message, Placement, Request, Sampling
from edgellm.runtimes.json_schema import plain_schema
from edgellm.runtimes.llama import LlamaRuntime
from tests import tiny_gguf


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaRuntime]:
    path = tiny_gguf.make(tmp_path_factory.mktemp("models") / "random.gguf")
    loaded = LlamaRuntime.load(path, Placement(context=1024, threads=1, cpu_variant="haswell"))
    yield loaded
    loaded.close()


def answer(runtime: LlamaRuntime, schema: Any, seed: int, prefix: str = "") -> tuple[str, Finish]:
    sampling = Sampling(temperature=1.0 if seed else 0.0, seed=seed, top_k=0, top_p=1.0, min_p=0.0)
    text = schema if isinstance(schema, str) else json.dumps(schema)
    request = Request((Message("user", "x"),), sampling, max_tokens=300, schema=text, prefix=prefix)
    *chunks, finish = runtime.generate(request)
    assert isinstance(finish, Finish)
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk)), finish


def fits(text: str, least: int, most: int) -> bool:
    """Random bytes may spell one character in a form that Python reads as several broken ones."""
    return len(re.sub("\ufffd+", "?", text)) <= most and len(text) >= least


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


STRING, INTEGER = {"type": "string", "maxLength": 5}, {"type": "integer"}
CASES: list[tuple[Any, Callable[[Any], bool]]] = [
    (obj(a=INTEGER, b={"enum": ["x", "y"]}), lambda v: type(v["a"]) is int and v["b"] in "xy" and len(v) == 2),
    ({**obj(a=INTEGER), "additionalProperties": True}, lambda v: set(v) == {"a"}),
    ({**obj(a=INTEGER, b=INTEGER), "required": ["b"]}, lambda v: {"b"} <= set(v) <= {"a", "b"}),
    ({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4}, lambda v: 2 <= len(v) <= 4),
    ({"type": "array", "minItems": 1, "maxItems": 1}, lambda v: len(v) == 1),
    ({"type": ["integer", "null"]}, lambda v: v is None or type(v) is int),
    ({"type": ["string", "null"], "maxLength": 2}, lambda v: v is None or fits(v, 0, 2)),
    ({"anyOf": [{"const": 'é\n"\\'}, {"const": 7}]}, lambda v: v in ('é\n"\\', 7)),
    (obj(**{'é\n"q\\': {"type": "null"}}), lambda v: v == {'é\n"q\\': None}),
    ({"type": "string", "minLength": 3, "maxLength": 6}, lambda v: fits(v, 3, 6)),
    ({"type": "string", "pattern": "^(ab|c){2}[0-9]{1,3}$"}, lambda v: bool(re.fullmatch("(ab|c){2}[0-9]{1,3}", v))),
    ({"type": "string", "pattern": "^...$"}, lambda v: fits(v, 3, 3)),
    (
        {"type": "string", "pattern": "^[^a-z]{2}\\d\\w$"},
        lambda v: bool(re.fullmatch("[^a-z]{2,}[0-9][A-Za-z0-9_]", v)),
    ),
    ({"type": "string", "format": "date"}, lambda v: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", v))),
    ({"type": "string", "maxLength": 12, "format": "email"}, lambda v: fits(v, 0, 12)),
    (
        {"allOf": [{"$ref": "#/$defs/string"}], "$defs": {"string": obj(string=STRING)}},
        lambda v: fits(v["string"], 0, 5),
    ),
    (
        {
            "$ref": "#/$defs/N",
            "$defs": {"N": obj(v={"const": 1}, n={"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]})},
        },
        lambda v: v["v"] == 1 and set(v) == {"v", "n"},
    ),
    ({"type": "array", "prefixItems": [INTEGER, {"type": "boolean"}]}, lambda v: [type(x) for x in v] == [int, bool]),
    (
        {"title": "T", "type": "object", "additionalProperties": INTEGER},
        lambda v: all(type(x) is int for x in v.values()),
    ),
    ({"description": "anything"}, lambda v: isinstance(v, dict)),
]


@pytest.mark.parametrize(("schema", "right"), CASES, ids=range(len(CASES)))
def test_answers_satisfy_the_schema(runtime: LlamaRuntime, schema: Any, right: Callable[[Any], bool]) -> None:
    whole = 0
    for seed in range(12):
        text, finish = answer(runtime, schema, seed)
        assert finish.truncated == (finish.reason == "length")
        if not finish.truncated:
            whole += 1
            assert right(json.loads(text)), text
    assert whole >= 3


def test_strings_are_never_broken_json(runtime: LlamaRuntime) -> None:
    for seed in range(30):
        text, finish = answer(runtime, {"type": "string"}, seed)
        if finish.reason == "stop":
            json.loads(text)
        elif "\\" not in text[-6:]:
            json.loads(text + '"')


def test_the_beginning_that_is_given_counts(runtime: LlamaRuntime) -> None:
    text, finish = answer(runtime, obj(a=INTEGER), 3, prefix='{"a": 4')
    assert finish.reason == "stop"
    assert str(json.loads('{"a": 4' + text)["a"]).startswith("4")
    with pytest.raises(ResponseFormatError):
        answer(runtime, obj(a=INTEGER), 3, prefix="Sure! ")


BAD: list[Any] = [
    "{", "[1]", "null", "3", '{"type": "object"', "x" * 200_000, "[" * 50_000,
    {"type": "integer", "minimum": 3},
    {"not": {"type": "string"}},
    {"type": "tea"},
    {"type": []},
    {"enum": []},
    {"$ref": "#/nowhere"},
    {"$ref": "#/$defs/nowhere"},
    {"$ref": "https://example.com/schema.json"},
    {"$ref": "#"},
    {"type": "object", "properties": [1]},
    {"type": "object", "properties": {"a": 3}},
    {"type": "object", "required": ["a"]},
    {"type": "array", "items": {"type": "string"}, "maxItems": 10**9},
    {"type": "array", "minItems": 3, "maxItems": 2},
    {"type": "string", "minLength": -1},
    {"type": "string", "maxLength": 2.5},
    {"type": "string", "pattern": "^(a$"},
    {"type": "string", "pattern": "^a{99999}$"},
    {"type": "string", "pattern": "^[ -~]$"},
    {"type": "string", "pattern": "^(?=a)b$"},
    {"type": "string", "pattern": "^\\s$"},
    {"type": "string", "pattern": "no anchors"},
    {"type": "string", "pattern": 3},
    {"properties": {"a": {"type": "string"}}, "anyOf": [{"type": "null"}]},
    {"allOf": [{"type": "object"}, {"type": "object"}]},
    {"$defs": [1], "type": "object"},
]  # fmt: skip


@pytest.mark.parametrize("schema", BAD, ids=range(len(BAD)))
def test_schemas_that_cannot_be_held_are_refused(runtime: LlamaRuntime, schema: Any) -> None:
    with pytest.raises(ResponseFormatError) as caught:
        answer(runtime, schema, 0)
    assert caught.value.hint


def test_nesting_has_a_bound() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        schema = {"type": "array", "items": schema}
    with pytest.raises(ResponseFormatError, match="deep"):
        plain_schema(json.dumps(schema))
