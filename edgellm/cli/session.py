"""What a command works with: the output, the services of `App`, and the engine with its model loaded.

Everything is made when it is first asked for, so that a command that needs no model starts none.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgellm import log
from edgellm.cli.model_options import overrides
from edgellm.cli.output import Output
from edgellm.errors import EngineError, ModelError, ModelTooLarge
from edgellm.runtimes.base import Cancelled, Choice, Chunk, Event, Finish, Generator
from edgellm.tasks.options import Options
from edgellm.tasks.result import NO_MODEL, without_model
from edgellm.tasks.starter import NOTE_STARTER, is_starter

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.engine.switch import Switch
    from edgellm.tasks.pivot import Pivot

INTERRUPTED = 130


class Session:
    """One run of one command. Use as a context: leaving it ends the engine."""

    def __init__(self, output: Output, arguments: Namespace) -> None:
        self.output = output
        self._arguments = arguments
        self._app: App | None = None
        self._engine: Switch | None = None
        self._pivot: Pivot | None = None
        self._translates: tuple[Path, ...] = ()  # what was chosen for a translation last

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._app is not None:
            self._app.close()

    @property
    def app(self) -> App:
        """The services, with the options of the command in place of the settings."""
        if self._app is None:
            values = overrides(self._arguments)
            from edgellm.app import App

            self._app = App.create(values)
            log.setup(self._app.paths, name="cli")
            self.output.note(self._app.notice)
        return self._app

    def generator(self, task: str = "", source: str = "", target: str = "") -> Switch:
        """The engine with the model loaded. Says once when that is the built-in one.

        Where no model is set or named, an installed one that suits `task` is taken, and a note says so.
        """
        if self._engine is None:
            app = self.app
            engine = app.engine()
            if not (task and not app.settings.model and self._by_itself(engine, app.model_for(task, source, target))):
                self._load(engine, app.model_path(app.settings.model))
            self._engine = engine
            if is_starter(engine.info):
                self.output.note(NOTE_STARTER)
        return self._engine

    def translator(self, source: str, target: str) -> Generator:
        """A generator for a translation between languages (codes): as `generator`, or two models through English.

        Asked for other languages, it takes the models for those; what it gave before is not to be used any more.
        """
        if self.app.settings.model:
            return self.generator("translate", source, target)
        choice = self.app.models_for(source, target)
        if self._engine is not None and choice.value == self._translates:
            return self._pivot or self._engine
        if self._pivot is not None:
            self.app.second_engine().unload()
        self._engine, self._pivot, self._translates = None, None, choice.value
        if len(choice.value) > 1:
            from edgellm.runtimes.route import PIVOT
            from edgellm.tasks.pivot import Pivot

            first, second = self.app.engine(), self.app.second_engine()
            try:
                first.load(choice.value[0])
                second.load(choice.value[1])
                self._pivot = Pivot(first, second, PIVOT)
            except (ModelError, EngineError) as error:
                second.unload()
                names = " and ".join(path.name for path in choice.value)
                self.output.note(f"{names} could not be used. {error.message}")
            else:
                self._engine = first
                self.output.note(choice.reason)
                return self._pivot
        return self.generator("translate", source, target)

    def _by_itself(self, engine: Switch, choice: Choice[Path]) -> bool:
        """Load what was chosen for a task; False, and a note, when it cannot be."""
        try:
            engine.load(choice.value)
        except (ModelError, EngineError) as error:
            if not choice.reason:
                raise
            self.output.note(f"{choice.value.stem} could not be used, so the built-in model answers. {error.message}")
            return False
        self.output.note(choice.reason)
        return True

    def _load(self, engine: Switch, path: Path) -> None:
        named = getattr(self._arguments, "model", None) is not None
        anyway = getattr(self._arguments, "anyway", False)
        try:
            engine.load(path, asked=named, anyway=anyway)
        except ModelTooLarge as error:
            if anyway:
                raise
            raise ModelTooLarge(error.message, f"{error.hint} Add --anyway to load it all the same.") from error

    def options(self, cancelled: Cancelled) -> Options:
        """What the task is asked for."""
        from edgellm.cli.model_options import task_options

        return task_options(self._arguments, self.app.settings, cancelled)

    def stream(self, events: Iterable[Event]) -> tuple[str, Finish]:
        """Print chunks as they come; returns the text and the facts."""
        parts: list[str] = []
        finish = without_model()
        for event in events:
            if isinstance(event, Chunk):
                parts.append(event.text)
                self.output.chunk(event.text)
            else:
                finish = event
        self.output.end()
        return "".join(parts), finish

    def conclude(self, text: str, finish: Finish, notes: Iterable[str] = (), **extra: Any) -> int:
        """Notes, the line of facts or the JSON object, and the exit status."""
        for note in notes:
            self.output.note(note)
        if finish.truncated:
            self.output.note("The text was cut at the limit of tokens; raise --max-tokens or --context.")
        self.output.facts(describe(finish, self.reason(finish)))
        self.output.document(
            text=text,
            **extra,
            model=self._pivot.info.name if self._pivot else self._engine.info.name if self._engine else "",
            device=finish.device,
            reason=self.reason(finish),
            facts=asdict(finish),
        )
        return INTERRUPTED if finish.reason == "cancelled" else 0

    def reason(self, finish: Finish) -> str:
        """Why it ran where it ran."""
        if finish.device == NO_MODEL or self._engine is None:
            return "no model was needed"
        return self._engine.status().reason


def describe(finish: Finish, reason: str) -> str:
    """The facts of an answer in a line."""
    if finish.device == NO_MODEL:
        return reason
    count = f"{finish.new_tokens} token{'' if finish.new_tokens == 1 else 's'}"
    speed = f", {finish.tokens_per_second:.0f} tokens/s" if finish.tokens_per_second else ""
    return f"{count} in {finish.seconds:.2f} s{speed}, on {finish.device}. {reason}".rstrip()
