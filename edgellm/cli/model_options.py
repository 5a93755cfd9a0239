"""The options of every command that asks a model, and what they mean for the settings and for a task."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

from edgellm.cli.parser import Parser, typed, whole_number
from edgellm.errors import SettingsError, UsageError
from edgellm.runtimes.base import Cancelled, Sampling
from edgellm.settings import Settings, changed
from edgellm.tasks.options import Options

_SETTINGS = ("model", "device", "context", "threads", "gpu_layers", "batch", "kv_type", "temperature", "max_tokens")
_SEEDS = 1 << 32


def add_model_options(parser: Parser, *, sampling: bool = True, schema: bool = False) -> None:
    """Add the options; `sampling` those of drawing tokens, `schema` the JSON schema of the answer."""
    rules = {spec.name: spec.metadata for spec in fields(Settings)}
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help=rules["model"]["description"])
    group.add_argument("--device", choices=rules["device"]["choices"], help=rules["device"]["description"])
    group.add_argument("--context", type=int, metavar="N", help=rules["context"]["description"])
    group.add_argument("--threads", type=int, metavar="N", help=rules["threads"]["description"])
    group.add_argument("--gpu-layers", type=int, metavar="N", help=rules["gpu_layers"]["description"])
    group.add_argument("--batch", type=int, metavar="N", help=rules["batch"]["description"])
    group.add_argument("--kv-type", choices=rules["kv_type"]["choices"], help=rules["kv_type"]["description"])
    group.add_argument("--anyway", action="store_true", help="Load a model even if it is larger than the memory.")
    if sampling:
        group = parser.add_argument_group("sampling")
        group.add_argument("--temperature", type=float, metavar="T", help=rules["temperature"]["description"])
        group.add_argument("--max-tokens", type=int, metavar="N", help=rules["max_tokens"]["description"])
        group.add_argument("--seed", type=whole_number(0), metavar="N", help="Draw the same tokens every time.")
        group.add_argument(
            "--stop", type=typed, action="append", default=[], metavar="TEXT", help="End before this text."
        )
        group.add_argument(
            "--system", type=typed, default="", metavar="TEXT", help="A system prompt before the task's own."
        )
    if schema:
        group.add_argument("--schema", type=Path, metavar="FILE", help="A JSON schema that the answer must satisfy.")
    add_output_options(parser, answers=True)


def add_output_options(parser: Parser, *, answers: bool = False) -> None:
    """Add `--json` and `--quiet`; `answers` for a command whose result is a model's text."""
    group = parser.add_argument_group("output")
    json_help = "with the result and its facts" if answers else "instead of lines for reading"
    quiet_help = "Print no notes beside the result." if answers else "Print no notes and no progress."
    group.add_argument("--json", action="store_true", help=f"Print one JSON object {json_help}.")
    group.add_argument("--quiet", action="store_true", help=quiet_help)


def add_online_option(parser: Parser) -> None:
    """Add `--online`, for a command that needs another computer."""
    group = parser.add_argument_group("network")
    group.add_argument(
        "--online", action="store_true", help="Allow connections for this command, although the offline lock is on."
    )


def overrides(arguments: Namespace) -> dict[str, Any]:
    """The settings that the options replace. Raises `UsageError` for a value out of range."""
    given = {name: getattr(arguments, name, None) for name in _SETTINGS}
    given["offline"] = False if getattr(arguments, "online", False) else None
    values = {name: value for name, value in given.items() if value is not None}
    try:
        changed(Settings(), **values)
    except SettingsError as error:
        raise UsageError(error.message, error.hint) from error
    return values


def task_options(arguments: Namespace, settings: Settings, cancelled: Cancelled) -> Options:
    """What the task is asked for. Raises `UsageError` for a schema file that cannot be read."""
    seed = getattr(arguments, "seed", None)
    return Options(
        sampling=Sampling(temperature=settings.temperature, seed=None if seed is None else seed % _SEEDS),
        max_tokens=settings.max_tokens or None,
        stop=tuple(text for text in getattr(arguments, "stop", []) if text),
        schema=_schema(getattr(arguments, "schema", None)),
        system=getattr(arguments, "system", ""),
        cancelled=cancelled,
    )


def _schema(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
        json.loads(text)
    except OSError as error:
        raise UsageError(f"The schema {path.name} cannot be read: {error.strerror}.", "Check its path.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The schema {path.name} is not JSON.", "Write it as a JSON schema.") from error
    return text
