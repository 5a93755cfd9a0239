"""How models that were made for one job are asked: translation and summary models, readers of labels and of spans.

A chat model gets an instruction; these get the bare text, with the languages beside it. Which model is which says
`ModelInfo.kind`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from edgellm.errors import UsageError
from edgellm.runtimes.base import Generator, Message, ModelInfo, Reader, Reading, Request, Scores, Span
from edgellm.tasks.languages import english_name
from edgellm.tasks.options import Options

_INSTRUCTED = ("t5", "mt5")  # these were trained with the task written before the text
_PAIR = 2
_ANY = ("mul", "many", "multilingual")
THROUGH = "through"  # in `ModelInfo.metadata`, where two models translate through the language of this code
# The kinds of `ModelInfo` that hold no conversation, each with the sentence for a person who wants one.
NO_CHAT: Mapping[str, str] = MappingProxyType(
    {
        "seq2seq": "This model turns one text into another, such as a translation; it cannot chat.",
        "embed": "This model compares texts by their meaning; it cannot chat.",
        "rerank": "This model ranks passages; it cannot chat.",
        "classify": "This model gives labels to texts; it cannot chat.",
        "span": "This model finds answers in a text; it cannot chat.",
    }
)


def is_seq2seq(info: ModelInfo) -> bool:
    """Whether the model turns one text into another, without a conversation."""
    return info.kind == "seq2seq"


def device(info: ModelInfo) -> str:
    """Where a model that writes nothing runs, for a person."""
    return str(info.metadata.get("device", "CPU"))


def translation(info: ModelInfo, text: str, source: str, target: str, options: Options) -> Request:
    """The request of a translation by such a model; languages are codes."""
    if info.architecture in _INSTRUCTED:
        text = f"translate {english_name(source)} to {english_name(target)}: {text}"
    return replace(replace(options, system="").request((Message("user", text),)), source=source, target=target)


def summary(info: ModelInfo, text: str, options: Options) -> Request:
    """The request of a summary by such a model."""
    prefix = "summarize: " if info.architecture in _INSTRUCTED else ""
    return replace(options, system="").request((Message("user", prefix + text),))


def through(info: ModelInfo) -> str:
    """The code of the language that two models translate through; empty for any other model."""
    return str(info.metadata.get(THROUGH, ""))


def check_pair(info: ModelInfo, source: str, target: str) -> None:
    """Raise `UsageError` when a model for one pair of languages is asked for another."""
    known, between = info.languages, through(info)
    if len(known) != _PAIR or not (between or info.architecture == "marian"):
        return
    first, second = known
    if between:
        source, target = first if source == between else source, second if target == between else target
    if first in (source, *_ANY) and second in (target, *_ANY):
        return
    if first in _ANY:
        raise UsageError(
            f"{info.name} translates to {english_name(second)} only.",
            f"For {english_name(target)} run: edgellm models recommend --task translate",
        )
    raise UsageError(
        f"{info.name} translates from {english_name(first)} to {english_name(second)} only.",
        f"For {english_name(source)} to {english_name(target)} run: edgellm models recommend --task translate",
    )


def labels_by(generator: Generator | Reader, text: str, labels: tuple[str, ...]) -> Scores | None:
    """Scores of the labels by a classification model; None when the model is not one."""
    if generator.info.kind != "classify" or not isinstance(generator, Reader):
        return None
    return generator.read(Reading("classify", text, labels)).scores


def span_by(generator: Generator | Reader, question: str, passage: str) -> Span | None:
    """The stretch that answers, by a model that finds spans; None when the model is not one."""
    if generator.info.kind != "span" or not isinstance(generator, Reader):
        return None
    return generator.read(Reading("span", question, (passage,))).span
