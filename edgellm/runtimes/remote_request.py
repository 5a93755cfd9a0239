"""A request in the form of the OpenAI API, and how it is changed for a server that does not know all of it.

Not every server knows every field: one that names a field in its refusal is asked again without it.
"""

from __future__ import annotations

import re
from typing import Any

from edgellm.runtimes.base import Message, Request
from edgellm.runtimes.json_schema import plain_schema
from edgellm.runtimes.remote_events import whole

Body = dict[str, Any]
_MOST_STOPS = 4  # some refuse more; what they do not look for is looked for here
# What an answer can do without, or nearly: each server knows some of them.
_OPTIONAL = (
    "top_k", "min_p", "repeat_penalty", "repetition_penalty", "frequency_penalty", "presence_penalty", "top_p",
    "temperature", "seed", "stream_options", "stop", "add_generation_prompt", "continue_final_message",
)  # fmt: skip


def body_of(request: Request, model: str) -> Body:
    """What is sent for a request. Raises `ResponseFormatError` for a schema that cannot be checked here."""
    sampling = request.sampling
    body: Body = {
        "model": model,
        "messages": messages_of(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
    }
    if sampling.temperature > 0:
        body |= {"top_p": sampling.top_p, "top_k": sampling.top_k, "min_p": sampling.min_p}
    if sampling.repeat_penalty != 1.0:  # one name in llama-server and Ollama, another in vLLM
        body |= {"repeat_penalty": sampling.repeat_penalty, "repetition_penalty": sampling.repeat_penalty}
    for name in ("frequency_penalty", "presence_penalty"):
        if value := getattr(sampling, name):
            body[name] = value
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if request.max_tokens is not None:
        body["max_tokens"] = request.max_tokens
    if stops := [whole(stop) for stop in request.stop if stop][:_MOST_STOPS]:
        body["stop"] = stops
    if request.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": _named(request.schema)}
    if request.prefix:
        body["messages"].append({"role": "assistant", "content": whole(request.prefix)})
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    return body


def messages_of(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Messages in the form of the API."""
    return [{"role": message.role, "content": whole(message.content)} for message in messages]


def at_once(body: Body) -> Body:
    """The same request for an answer in one piece."""
    return {**{key: value for key, value in body.items() if key != "stream_options"}, "stream": False}


def without(body: Body, complaint: str) -> Body | None:
    """The request without what the refusal names; None when it names nothing that can be left out."""
    form = body.get("response_format")
    if form and form["type"] == "json_schema" and _names(complaint, ("response_format", "json_schema")):
        older = {"type": "json_object", "schema": form["json_schema"]["schema"]}  # llama.cpp's servers, by Python
        return {**body, "response_format": older}
    if "max_tokens" in body and _names(complaint, ("max_completion_tokens",)):
        left = {key: value for key, value in body.items() if key != "max_tokens"}
        return {**left, "max_completion_tokens": body["max_tokens"]}
    named = [name for name in _OPTIONAL if name in body and _names(complaint, (name,))]
    return {key: value for key, value in body.items() if key not in named} if named else None


def _named(schema: str) -> dict[str, Any]:
    return {"name": "answer", "strict": True, "schema": plain_schema(schema)}


def _names(complaint: str, names: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<!\w){name}(?!\w)", complaint) for name in names)
