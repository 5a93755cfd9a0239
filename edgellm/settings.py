"""The settings a person can change: a typed schema as data, read from and written to one TOML file.

Each field carries its default, range, description and former names; reading, checking, writing and the reference in
the documentation all come from that. What a setting means is left to the module that uses it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edgellm import files
from edgellm.errors import SettingsError, StorageError

_LARGEST_FILE = 1_000_000
_ADDRESS = ("http://", "https://")


def _setting(
    default: Any,
    description: str,
    *,
    between: tuple[float, float] | tuple[None, None] = (None, None),
    choices: tuple[str, ...] = (),
    starts: tuple[str, ...] = (),
    formerly: tuple[str, ...] = (),
) -> Any:
    rules = {
        "description": description,
        "low": between[0],
        "high": between[1],
        "choices": choices,
        "starts": starts,
        "formerly": formerly,
    }
    return field(default=default, metadata=rules)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its default. Counts are tokens, threads and layers."""

    model: str = _setting("", "The model to use: a name, a path to a .gguf file, or empty for the built-in starter.")
    device: str = _setting(
        "auto",
        "Where the model runs.",
        choices=("auto", "cpu", "gpu", "cuda", "metal", "vulkan"),
        formerly=("backend",),
    )
    context: int = _setting(
        0, "Context window in tokens; 0 chooses by model and memory.", between=(0, 4_194_304), formerly=("n_ctx",)
    )
    threads: int = _setting(
        0, "Processor threads; 0 takes the physical cores.", between=(0, 1024), formerly=("n_threads",)
    )
    gpu_layers: int = _setting(
        -1, "Layers kept on the GPU; -1 takes as many as fit, 0 none.", between=(-1, 4096), formerly=("n_gpu_layers",)
    )
    batch: int = _setting(
        0, "Tokens of the prompt read at a time; 0 chooses by memory.", between=(0, 4096), formerly=("n_batch",)
    )
    kv_type: str = _setting(
        "auto", "Precision of the KV cache; q8_0 takes half the memory.", choices=("auto", "f16", "q8_0")
    )
    temperature: float = _setting(
        0.0, "How freely the next token is drawn; 0 always takes the likeliest.", between=(0.0, 2.0)
    )
    max_tokens: int = _setting(
        0, "Most new tokens in one answer; 0 lets the answer fill the context.", between=(0, 1_048_576)
    )
    remote_address: str = _setting(
        "", "Address of a server that answers when the model is remote or remote:NAME; empty is none.", starts=_ADDRESS
    )
    remote_model: str = _setting("", "The server's model that remote means; empty takes the first it lists.")
    prompt_cache: int = _setting(
        0,
        "Megabytes on the disk for long prompts, so that a document is read faster the next time; 0 keeps nothing.",
        between=(0, 1_000_000),
    )
    offline: bool = _setting(True, "The offline lock: while it is on, only this machine itself can be reached.")
    proxy: str = _setting("", 'Proxy address; empty takes the system\'s, "none" uses none.', starts=("none", *_ADDRESS))
    mirror: str = _setting(
        "", "Address to download models from instead of huggingface.co; empty takes HF_ENDPOINT.", starts=_ADDRESS
    )
    further_mirrors: str = _setting(
        "", "More addresses to try when the first one fails, separated by spaces.", starts=_ADDRESS
    )
    model_folders: str = _setting(
        "", "Folders for models, separated like PATH; the first takes new ones. Empty is the program's own folder."
    )
    download_rate: int = _setting(0, "Most kilobytes per second for downloads; 0 is no limit.", between=(0, 10_000_000))
    downloads_at_once: int = _setting(3, "Files of a model that are fetched at the same time.", between=(1, 16))
    index_on_battery: str = _setting(
        "slow",
        "Reading documents on battery: with rests until it is nearly empty, not at all, or as when plugged in.",
        choices=("slow", "pause", "full"),
    )
    translation_memory: bool = _setting(
        True, "Keep translated paragraphs of documents on this computer, so that none is translated twice."
    )
    offer_model: bool = _setting(True, "Offer a model that fits this computer while only the starter is here.")
    ocr: bool = _setting(True, "Read pages of a PDF that are pictures, by tesseract where it is installed.")
    theme: str = _setting("system", "Colors of the window.", choices=("system", "light", "dark", "contrast"))
    shortcuts: str = _setting("", "Changed keyboard shortcuts, such as new=Ctrl+T; the window's F1 sheet changes them.")
    language: str = _setting(
        "system", "Language of the window, as a code such as en or fr; system follows the desktop."
    )


def _type(spec: dataclasses.Field[Any]) -> Any:
    return type(spec.default)


def _problem(spec: dataclasses.Field[Any], value: Any) -> str:
    """Why `value` cannot be used for `spec`, or an empty text."""
    rules, kind = spec.metadata, _type(spec)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        return f"{spec.name} must be {_kind(spec)}"
    low, high = rules["low"], rules["high"]
    if low is not None and not low <= value <= high:
        return f"{spec.name} must be between {low} and {high}"
    if rules["choices"] and value not in rules["choices"]:
        return f"{spec.name} must be one of {', '.join(rules['choices'])}"
    if rules["starts"] and value and not value.startswith(rules["starts"]):
        return f"{spec.name} must be empty or start with {' or '.join(rules['starts'])}"
    return ""


def _kind(spec: dataclasses.Field[Any]) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
    return kinds[_type(spec)]


def changed(settings: Settings, **values: Any) -> Settings:
    """`settings` with some values replaced. Raises `SettingsError` for an unknown name or a value out of range."""
    known = {spec.name: spec for spec in fields(Settings)}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"There is no setting called {name}.", f"Settings are: {', '.join(known)}.")
        if problem := _problem(known[name], value):
            raise SettingsError(f"The setting {problem}.", known[name].metadata["description"])
    return dataclasses.replace(settings, **values)


def load(path: Path) -> tuple[Settings, str]:
    """Read the settings and one notice (empty when all is well). Never fails.

    A file that cannot be parsed is moved aside and defaults are used; a value that cannot be used gives that
    setting's default, with a copy of the file kept; unknown keys stay in the file and are ignored.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError("too large")
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Settings(), ""
    except OSError as error:
        return Settings(), f"The settings could not be read ({error.strerror}); defaults are used."
    except (ValueError, RecursionError):
        return Settings(), f"The settings file was damaged; defaults are used.{_keep(path, move=True)}"
    return _from_document(document, path)


def _from_document(document: dict[str, Any], path: Path) -> tuple[Settings, str]:
    left, values, problems = dict(document), {}, []
    for spec in fields(Settings):
        names = (spec.name, *spec.metadata["formerly"])
        found = [left.pop(name) for name in names if name in left]
        if not found:
            continue
        if problem := _problem(spec, found[0]):
            problems.append(problem)
        else:
            values[spec.name] = _type(spec)(found[0])
    settings, notices = Settings(**values), []
    if problems:
        notices.append(f"Some settings could not be used: {'; '.join(problems)}. Defaults replace them.")
        notices[-1] += _keep(path, move=False)
        with contextlib.suppress(StorageError):
            save(path, settings)
    if left:
        shown = ", ".join(repr(name[:40]) for name in list(left)[:5])
        notices.append(f"Settings that this version does not know are ignored: {shown}.")
    return settings, " ".join(notices)


def _keep(path: Path, *, move: bool) -> str:
    """Keep the file beside itself; returns the end of the notice."""
    number, backup = 0, path.with_name(path.name + ".backup")
    while backup.exists() and number < 20:
        number += 1
        backup = path.with_name(f"{path.name}.backup{number}")
    try:
        if move:
            os.replace(path, backup)
        else:
            shutil.copyfile(path, backup)
    except OSError:
        return ""
    return f" The old file is kept as {backup.name}."


def save(path: Path, settings: Settings) -> None:
    """Write the settings in one step, keeping comments and unknown keys of the file that is there.

    Only values that differ from their default, or were in the file, are written. Raises `StorageError`.
    """
    import tomlkit  # only writing needs it; the start does without
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, TOMLKitError, RecursionError):
        document = tomlkit.document()
    for spec in fields(Settings):
        for old in spec.metadata["formerly"]:
            document.pop(old, None)
        value = getattr(settings, spec.name)
        if spec.name in document or value != spec.default:
            document[spec.name] = value
    _write(path, tomlkit.dumps(document))


def _write(path: Path, text: str) -> None:
    try:
        files.write(path, text)
    except UnicodeEncodeError as error:
        raise StorageError(
            "The settings could not be saved: a value holds bytes that are no characters.",
            "Give the model file a name of letters and digits.",
        ) from error
    except OSError as error:
        raise StorageError(
            f"The settings could not be saved: {error.strerror}.", "Check the free space and the folder's permissions."
        ) from error


def reference() -> str:
    """The settings as a Markdown table, for the documentation."""
    import tomlkit

    rows = ["| setting | default | values | what it does |", "|---|---|---|---|"]
    for spec in fields(Settings):
        rules = spec.metadata
        if rules["choices"]:
            values = ", ".join(rules["choices"])
        elif rules["low"] is not None:
            values = f"{rules['low']} to {rules['high']}"
        else:
            values = _kind(spec)
        default = str(tomlkit.item(spec.default).as_string())
        rows.append(f"| `{spec.name}` | `{default}` | {values} | {rules['description']} |")
    return "\n".join(rows) + "\n"
