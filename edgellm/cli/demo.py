"""`edgellm demo`: every task once on bundled text, with what came out, where it ran, why, and how fast.

The texts and, for the built-in model, the answers that are right stand in `assets/demo/demo.toml`.
"""

from __future__ import annotations

import tomllib
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edgellm import paths
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import INTERRUPTED, Session, describe
from edgellm.errors import StorageError
from edgellm.runtimes.base import Finish, Generator
from edgellm.tasks import answer, classify, generate, keysentences, passages, summarize, translate
from edgellm.tasks.languages import english_name
from edgellm.tasks.options import Options
from edgellm.tasks.result import NO_MODEL, without_model
from edgellm.tasks.starter import is_starter


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to show. `expect` are the texts that are right, `contains` the words that must be in it."""

    task: str
    text: str
    question: str = ""
    target: str = ""
    labels: tuple[str, ...] = ()
    count: int = 2
    expect: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()

    def right(self, result: str) -> bool:
        """Whether the result is as expected; true where nothing is."""
        plain = result.strip()
        return (not self.expect or plain in self.expect) and all(word in plain for word in self.contains)


@dataclass(frozen=True, slots=True)
class Shown:
    """What came out: the input and the result as lines for a person, the bare text, and the facts."""

    title: str
    given: str
    text: str
    finish: Finish
    beside: tuple[str, ...] = ()


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add_model_options(parser, sampling=False)


def run(_arguments: Namespace, session: Session) -> int:
    """Run the steps; 0 even where a small model is wrong, because the summary says so."""
    steps = load(paths.assets_dir() / "demo" / "demo.toml")
    stop = Interrupt()
    options, generator = session.options(stop), session.generator()
    known = is_starter(generator.info)
    rows: list[dict[str, Any]] = []
    with stop:
        for number, step in enumerate(steps, 1):
            shown = TASKS[step.task](generator, step, options)
            if stop():
                break
            right = step.right(shown.text) if known or shown.finish.device == NO_MODEL else None
            _print(session, number, shown, right)
            rows.append(_row(session, step, shown, right))
    summary = _summary(rows, len(steps), session)
    session.output.line(summary)
    session.output.document(steps=rows, summary=summary, model=generator.info.name)
    return INTERRUPTED if stop() else 0


def load(path: Path) -> tuple[Step, ...]:
    """Read the steps. Raises `StorageError`."""
    try:
        rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["step"]
        return tuple(Step(**{key: _frozen(value) for key, value in row.items()}) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError("The texts of the demo cannot be read.", "Install EdgeLLM again.") from error


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _generate(generator: Generator, step: Step, options: Options) -> Shown:
    result = generate.generate(generator, step.text, options)
    return Shown("Generate", step.text, result.text, result.finish)


def _chat(generator: Generator, step: Step, options: Options) -> Shown:
    result = generate.generate(generator, step.text, options)
    return Shown("Chat", step.text, result.text, result.finish)


def _summarize(generator: Generator, step: Step, options: Options) -> Shown:
    result = summarize.summarize(generator, step.text, options)
    return Shown("Summarize", step.text, result.text, result.finish, result.notes)


def _key_sentences(_generator: Generator, step: Step, _options: Options) -> Shown:
    found = keysentences.key_sentences(step.text, step.count)
    text = "\n".join(sentence.text for sentence in found)
    return Shown(f"Key sentences, {step.count}", step.text, text, without_model())


def _translate(generator: Generator, step: Step, options: Options) -> Shown:
    result = translate.translate(generator, step.text, step.target, "", options)
    way = [english_name(code) for code in (result.plan.source, *(to for _, to in result.plan.directions))]
    return Shown(f"Translate, {' to '.join(way)}", step.text, result.text, result.finish, result.notes)


def _answer(generator: Generator, step: Step, options: Options) -> Shown:
    result = answer.answer(generator, step.question, step.text, options=options)
    beside = (f"quoted: {result.quote.text}",) if result.quote else ()
    return Shown("Answer", f"{step.text}\n{step.question}", result.text, result.finish, beside + result.notes)


def _passages(_generator: Generator, step: Step, _options: Options) -> Shown:
    found = passages.find(step.question, step.text, step.count)
    text = "\n".join(f"{passage.text} ({passage.start}-{passage.end})" for passage in found)
    return Shown("Passages", f"{step.text}\n{step.question}", text, without_model())


def _classify(generator: Generator, step: Step, options: Options) -> Shown:
    result = classify.classify(generator, step.text, step.labels, options)
    return Shown(f"Classify, {' or '.join(step.labels)}", step.text, result.label, result.finish, result.notes)


TASKS: Mapping[str, Callable[[Generator, Step, Options], Shown]] = MappingProxyType(
    {
        "generate": _generate,
        "summarize": _summarize,
        "translate": _translate,
        "answer": _answer,
        "classify": _classify,
        "chat": _chat,
        "key-sentences": _key_sentences,
        "passages": _passages,
    }
)


def _print(session: Session, number: int, shown: Shown, right: bool | None) -> None:
    line = session.output.line
    line(f"{number}. {shown.title}")
    for label, text in (("in", shown.given), ("out", shown.text)):
        for at, part in enumerate(text.strip().splitlines() or ["(nothing)"]):
            line(f"   {label + ':' if at == 0 else '':<5} {part}")
    for note in shown.beside:
        line(f"         {note}")
    mark = "" if right is None else " - right" if right else " - WRONG"
    line(f"   how:  {describe(shown.finish, session.reason(shown.finish))}{mark}")
    line()


def _row(session: Session, step: Step, shown: Shown, right: bool | None) -> dict[str, Any]:
    return {
        "task": step.task,
        "title": shown.title,
        "input": shown.given,
        "text": shown.text,
        "right": right,
        "device": shown.finish.device,
        "reason": session.reason(shown.finish),
        "notes": list(shown.beside),
        "facts": asdict(shown.finish),
    }


def _summary(rows: list[dict[str, Any]], steps: int, session: Session) -> str:
    tokens = sum(row["facts"]["new_tokens"] for row in rows)
    seconds = sum(row["facts"]["seconds"] for row in rows)
    judged = [row["right"] for row in rows if row["right"] is not None]
    verdict = f", {sum(judged)} of {len(judged)} right" if judged else ""
    stopped = "" if len(rows) == steps else f" of {steps}, then interrupted"
    model = session.generator().info.name
    return f"{len(rows)} steps{stopped} with {model}: {tokens} tokens in {seconds:.1f} s{verdict}."
