"""How an answer was made, in words: speed in words per second, time, device. Leaves showing it to the widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgellm.runtimes import words
from edgellm.ui.language import told, tr

SHORTEST = 4


def words_per_second(made: Mapping[str, Any], text: str) -> float:
    """Decode speed in words: tokens per second scaled by the words that the tokens became. 0 when unknown.

    An answer of a few tokens is over too soon for its speed to mean anything.
    """
    tokens = float(made.get("new_tokens", 0) or 0)
    return float(made.get("tokens_per_second", 0) or 0) * words.count(text) / tokens if tokens >= SHORTEST else 0.0


def rate(value: float) -> str:
    """A speed for reading: one decimal below ten."""
    shown = f"{value:.1f}" if value < 10 else f"{value:,.0f}"
    return tr("{n} words/s").format(n=shown)


def seconds(value: float) -> str:
    """A short time for reading."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def size(amount: float) -> str:
    """Bytes for reading."""
    if 0 < amount < 1e6:
        return f"{max(amount / 1e3, 1):.0f} kB"
    if amount < 1e9:
        return f"{amount / 1e6:.0f} MB"
    return f"{amount / 1e9:.1f} GB"


def line(made: Mapping[str, Any], text: str) -> str:
    """One line below an answer."""
    if "new_tokens" not in made:
        return ""
    parts = []
    speed = words_per_second(made, text)
    if speed:
        parts.append(rate(speed))
    parts.append(seconds(float(made.get("seconds", 0))))
    if made.get("device"):
        device = str(made["device"])
        parts.append(device.upper() if device.isalpha() and device.islower() else told(device))
    return " · ".join(parts)


def details(made: Mapping[str, Any]) -> str:
    """Everything that is known, for the tooltip."""
    if "new_tokens" not in made:
        return ""
    rows = [
        tr("Prompt: {n} tokens, {cached} of them reused").format(
            n=made.get("prompt_tokens", 0), cached=made.get("cached_tokens", 0)
        ),
        tr("Answer: {n} tokens at {rate:.0f} tokens/s").format(
            n=made["new_tokens"], rate=float(made.get("tokens_per_second", 0))
        ),
        tr("First token after {time}").format(time=seconds(float(made.get("prefill_seconds", 0)))),
        tr("Peak memory of the engine: {size}").format(size=size(float(made.get("peak_memory", 0)))),
    ]
    return "\n".join(rows)
