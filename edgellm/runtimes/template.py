"""The chat template of a model: messages in, the text of the prompt out, in bounded time and memory.

Templates come inside model files, so they are as hostile as the file is. What one operation may do is bounded by
`sandbox.py`; here the whole rendering gets a thread of its own, a deadline and a memory allowance.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import psutil
from jinja2.exceptions import SecurityError, TemplateError

from edgellm.errors import EdgeError, ModelUnsupported, UsageError
from edgellm.runtimes.base import Message
from edgellm.runtimes.sandbox import RefusedByTemplate, Sandbox

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_LONGEST = 1_000_000
_POLL = 0.02
_MEMORY = 512 << 20
_CHOOSE = "Choose another model, or another file of this one."


class _Stop(BaseException):
    """Thrown into a rendering that has used up its time or memory."""


class ChatTemplate:
    """A compiled chat template. `source` empty means ChatML, the form most small models are trained on."""

    def __init__(self, source: str = "", specials: Mapping[str, str] | None = None, seconds: float = 2.0) -> None:
        """Compile; raises `ModelUnsupported` for a template that cannot be used."""
        self.builtin = not source.strip()
        self._specials = dict(specials or {})
        self._seconds = seconds
        if len(source) > _LONGEST:
            raise ModelUnsupported("The model's chat template is too long.", _CHOOSE)
        text = CHATML if self.builtin else source
        self._template: jinja2.Template = self._bounded(lambda: Sandbox().from_string(text))

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt that ends where the assistant's answer begins.

        Raises `UsageError` when the template refuses the conversation, and `ModelUnsupported` when it fails, takes
        longer than its deadline, or asks for too much memory.
        """
        try:
            return self._render(messages)
        except UsageError:
            if not any(message.role == "system" for message in messages):
                raise
            return self._render(_without_system(messages))

    def _render(self, messages: Sequence[Message]) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        template, specials = self._template, self._specials

        def work() -> str:
            return template.render(messages=turns, add_generation_prompt=True, tools=None, documents=None, **specials)

        text: str = self._bounded(work)
        return text

    def _bounded(self, work: Any) -> Any:
        """What `work` returns, run in a thread that is stopped at the deadline or when memory grows too far."""
        task = _Task(work)
        thread = threading.Thread(target=task.run, name="chat-template", daemon=True)
        end = time.monotonic() + self._seconds
        process = psutil.Process()
        before: int | None = None
        thread.start()
        while not task.done.wait(_POLL):
            memory = process.memory_info().rss
            before = memory if before is None else before
            if time.monotonic() > end or memory - before > _MEMORY:
                task.stop(thread)
                break
        thread.join(_POLL)
        return task.result()


class _Task:
    """One piece of work in another thread, and its outcome."""

    def __init__(self, work: Any) -> None:
        self._work = work
        self._value: Any = None
        self._error: EdgeError | None = _failed("takes too long or asks for too much memory")
        self.done = threading.Event()

    def run(self) -> None:
        """Do the work, in the other thread."""
        try:
            self._try()
        except _Stop:
            pass
        finally:
            self.done.set()

    def _try(self) -> None:
        try:
            self._value = self._work()
            self._error = None
        except RefusedByTemplate as error:
            self._error = UsageError(
                f"The model cannot take this conversation: {error.message}", "Change the messages."
            )
        except (SecurityError, RecursionError, MemoryError, OverflowError) as error:
            self._error = _failed(f"was stopped ({error})")
        except (TemplateError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            self._error = _failed(f"fails ({str(error)[:200]})")

    def stop(self, thread: threading.Thread) -> None:
        """Throw `_Stop` into the thread until it ends; a thread stuck in one native call is left behind."""
        for _ in range(4):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop))
            if self.done.wait(0.5):
                return

    def result(self) -> Any:
        """The value, or the error raised."""
        if self._error is not None:
            raise self._error
        return self._value


def _failed(how: str) -> ModelUnsupported:
    return ModelUnsupported(f"The model's chat template {how}.", _CHOOSE)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The same conversation for a model without a system role: its text opens the first user message."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    for index, message in enumerate(rest):
        if message.role == "user":
            rest[index] = Message("user", f"{system}\n\n{message.content}")
            return rest
    return [Message("user", system), *rest]
