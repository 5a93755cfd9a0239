"""What a task hands back when nobody streams: the text, the facts of the last event, and notes for the person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edgellm.runtimes.base import Chunk, Event, Finish

NO_MODEL = "none"


@dataclass(frozen=True, slots=True)
class Result:
    """A finished task. `notes` are sentences the person should see beside the text."""

    text: str
    finish: Finish
    notes: tuple[str, ...] = ()


def collect(events: Iterable[Event]) -> tuple[str, Finish]:
    """Join the chunks of a stream; returns the text and its `Finish`."""
    parts: list[str] = []
    finish = without_model()
    for event in events:
        if isinstance(event, Chunk):
            parts.append(event.text)
        else:
            finish = event
    return "".join(parts), finish


def without_model() -> Finish:
    """The facts of a text that no model was asked for."""
    return Finish("stop", 0, 0, 0, 0.0, 0.0, NO_MODEL, 0, False)


def combined(parts: Sequence[Finish]) -> Finish:
    """The facts of several generations as of one: counts and seconds add up, speed is over all new tokens."""
    if not parts:
        return without_model()
    if len(parts) == 1:
        return parts[0]
    tokens = sum(part.new_tokens for part in parts)
    decoding = sum(part.new_tokens / part.tokens_per_second for part in parts if part.tokens_per_second > 0)
    return replace(
        parts[-1],
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        cached_tokens=sum(part.cached_tokens for part in parts),
        new_tokens=tokens,
        seconds=sum(part.seconds for part in parts),
        tokens_per_second=tokens / decoding if decoding else 0.0,
        peak_memory=max(part.peak_memory for part in parts),
        truncated=any(part.truncated for part in parts),
        prefill_seconds=parts[0].prefill_seconds,
    )
