"""Labels with what they mean, and sets of them: three that ship with the program, and the person's own in a TOML file.

In the file a table is a set, and each of its lines a label with its description (or an empty text):

    [letters]
    complaint = "Something was broken, late or wrong."
    praise = ""
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edgellm import files
from edgellm.errors import SettingsError, StorageError, UsageError

MOST = 100  # labels of a set
LONGEST = 100  # letters of a label
LONGEST_DESCRIPTION = 500
_LARGEST_FILE = 1_000_000
_NAME = re.compile(r"[\w][\w .-]{0,59}")
_EXAMPLE = "For example: --labels positive,negative"


@dataclass(frozen=True, slots=True)
class Label:
    """A label as the model answers it; `description` tells the model what belongs under it, or is empty."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels under a name. `own` says that the person made it, or changed one that ships."""

    name: str
    labels: tuple[Label, ...]
    own: bool = False


SHIPPED: Mapping[str, LabelSet] = MappingProxyType(
    {
        "sentiment": LabelSet(
            "sentiment",
            (
                Label("positive", "The writer is pleased or speaks well of something."),
                Label("negative", "The writer is displeased, complains or speaks badly of something."),
                Label("neutral", "The writer reports without a judgment, or praise and complaint are in balance."),
            ),
        ),
        "urgency": LabelSet(
            "urgency",
            (
                Label("urgent", "Somebody must act today, or harm is done."),
                Label("not urgent", "It can wait, or nobody has to do anything."),
            ),
        ),
        "intent": LabelSet(
            "intent",
            (
                Label("question", "The writer wants to know something."),
                Label("request", "The writer wants somebody to do something."),
                Label("complaint", "The writer says that something is wrong."),
                Label("praise", "The writer says that something is good."),
                Label("information", "The writer tells something and expects nothing."),
            ),
        ),
    }
)


def checked(labels: Iterable[Label | str]) -> tuple[Label, ...]:
    """Labels without spaces around them, empty ones and exact repetitions.

    Raises `UsageError` for fewer than two different ones, for too many or too long ones, and for two that differ in
    nothing but their case.
    """
    found: dict[str, Label] = {}
    for each in labels:
        label = Label(each) if isinstance(each, str) else each
        name = " ".join(unicodedata.normalize("NFC", label.name).split())
        if not name or name in found:
            continue
        twin = next((other for other in found if other.casefold() == name.casefold()), None)
        if twin is not None:
            raise UsageError(f"The labels {twin} and {name} differ only in their case.", "Leave one of them out.")
        _check_one(name, label.description)
        found[name] = Label(name, " ".join(label.description.split()))
    if len(found) < 2:
        raise UsageError("There must be at least two different labels.", _EXAMPLE)
    if len(found) > MOST:
        raise UsageError(f"There are {len(found)} labels, and {MOST} is the most.", "Merge those that are alike.")
    return tuple(found.values())


def _check_one(name: str, description: str) -> None:
    if len(name) > LONGEST:
        raise UsageError(f"The label {name[:30]}... is longer than {LONGEST} letters.", "Say it in a few words.")
    if not name.isprintable():
        raise UsageError("A label holds a character that cannot be shown.", "Use letters, digits and spaces.")
    if len(description) > LONGEST_DESCRIPTION:
        raise UsageError(
            f"The description of {name} is longer than {LONGEST_DESCRIPTION} letters.", "Say it in a sentence."
        )


def strict(labels: Sequence[Label]) -> tuple[Label, ...]:
    """`checked` for a set that is to be kept: repetitions and empty labels are said instead of being left out."""
    names = [" ".join(label.name.split()) for label in labels]
    if any(not name for name in names):
        raise UsageError("One of the labels is empty.", "Check the commas, and the names before each =.")
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise UsageError(f"The label {twice} is there twice.", "Leave one of them out.")
    return checked(labels)


class LabelSets:
    """The sets that ship, and those in the person's `file`. A set of their own takes the place of one that ships."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> tuple[LabelSet, ...]:
        """Every set; the person's own first. Raises `SettingsError` when the file is damaged."""
        own = self._own()
        return (*own.values(), *(each for name, each in SHIPPED.items() if name not in own))

    def get(self, name: str) -> LabelSet:
        """The set with a name. Raises `UsageError` when there is none."""
        sets = {each.name: each for each in self.all()}
        if name not in sets:
            raise UsageError(f"There is no label set {name}.", f"There are: {', '.join(sets)}. Run: edgellm labels")
        return sets[name]

    def save(self, name: str, labels: Sequence[Label], replace: bool = False) -> LabelSet:
        """Keep a set. Raises `UsageError` for a bad one, and for a name that is taken unless `replace` is set."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a label set.", "Use letters, digits, spaces, dots and -, at most 60."
            )
        made = LabelSet(name, strict(labels), own=True)
        if name in self._own() and not replace:
            raise UsageError(f"There is a label set {name} already.", "Add --force to replace it.")
        table = {label.name: label.description for label in made.labels}
        self._change(lambda document: document.update({name: table}))
        return made

    def remove(self, name: str) -> None:
        """Forget one of the person's own sets. Raises `UsageError` when it is none of them."""
        if name not in self._own():
            if name in SHIPPED:
                raise UsageError(f"{name} ships with EdgeLLM and stays.", "Only sets of your own can be removed.")
            raise UsageError(f"There is no label set {name}.", "Run: edgellm labels")
        self._change(lambda document: document.pop(name))

    def _own(self) -> dict[str, LabelSet]:
        sets = {}
        for name, table in tomllib.loads(self._text()).items() if self._readable() else ():
            sets[name] = _set(name, table, self._file.name)
        return sets

    def _readable(self) -> bool:
        try:
            tomllib.loads(self._text())
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise SettingsError(
                f"{self._file.name} cannot be read: {error}.", "Correct it, or rename it to begin anew."
            ) from error
        return True

    def _text(self) -> str:
        try:
            with self._file.open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
            if len(data) > _LARGEST_FILE:
                raise SettingsError(f"{self._file.name} is too large.", "Rename it to begin anew.")
            return data.decode("utf-8-sig")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self._file.name} cannot be read.", "Check that it is UTF-8 text.") from error

    def _change(self, change: Callable[[Any], object]) -> None:
        import tomlkit  # only writing needs it; comments of the person's stay

        document = tomlkit.parse(self._text())
        change(document)
        try:
            files.write(self._file, tomlkit.dumps(document))
        except (OSError, UnicodeEncodeError) as error:
            raise StorageError(f"{self._file.name} cannot be written.", "Check the disk and its free space.") from error


def _set(name: str, table: Any, file: str) -> LabelSet:
    if not isinstance(table, dict) or any(not isinstance(text, str) for text in table.values()):
        raise SettingsError(f"{name} in {file} is no set of labels.", 'A set is [name], a label is: label = "meaning"')
    try:
        return LabelSet(name, strict([Label(label, text) for label, text in table.items()]), own=True)
    except UsageError as error:
        raise SettingsError(f"The set {name} in {file}: {error.message}", error.hint) from error
