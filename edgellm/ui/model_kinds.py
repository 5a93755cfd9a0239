"""What a model is for when it is not for chatting: in words, and by which command it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgellm.tasks.special import NO_CHAT
from edgellm.ui.language import tr

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard

_CHATS = ("chat", "generate")
_READS = ("embed", "rerank")
# How the class in config.json ends -> what such a model is for
_CLASSES = (
    ("ForCausalLM", ("chat",)),
    ("LMHeadModel", ("chat",)),
    ("MTModel", ("translate",)),
    ("ForConditionalGeneration", ("translate", "summarize")),
    ("ForQuestionAnswering", ("answer",)),
    ("ForSequenceClassification", ("classify",)),
    ("Model", ("embed",)),
    ("bert", ("embed",)),  # as a GGUF file calls it
)


def tasks_of(architecture: str) -> tuple[str, ...]:
    """What a model of this architecture is for, where no list of models says it; empty when that is not known."""
    return next((tasks for ending, tasks in _CLASSES if architecture.endswith(ending)), ())


def can_chat(card: ModelCard | None) -> bool:
    """Whether the chat page can use a model; what is not known is given a chance."""
    if card is None or any(task in _CHATS for task in card.tasks):
        return True
    if card.format == "gguf":
        return not card.tasks or not all(task in _READS for task in card.tasks)
    return card.format != "onnx" and not card.tasks


def used_by(name: str, tasks: tuple[str, ...]) -> str:
    """The commands that use such a model, for a person; empty where there is none yet."""
    commands = {"translate": "translate", "summarize": "summarize", "answer": "ask", "classify": "classify"}
    lines = [f"edgellm {commands[task]} --model {name}" for task in tasks if task in commands]
    if not lines and any(task in _READS for task in tasks):
        return "edgellm documents search"
    return "\n".join(lines)


def no_chat(kind: str) -> str:
    """One sentence about a loaded model that does not chat; `kind` is that of `ModelInfo`, empty for one that does."""
    return tr(NO_CHAT.get(kind, ""))
