"""Words in pictures of pages, by tesseract where it is installed. Rendering a page is left to its format.

The program runs in a process of its own for each page, without a shell, with a limit of time; its memory is limited as
that of the process that reads files is. It needs no network, and nothing here keeps it from one. Nothing here is needed
to read a document that brings its text.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RESOLUTION = 300  # dots per inch that tesseract was trained for
MOST_PIXELS = 30_000_000
_LONGEST_PAGE = 60.0
_LONGEST_QUESTION = 15.0
_LANGUAGES_AT_ONCE = 3
_ENGLISH = "eng"
# What tesseract calls the languages of a system; other data is used when little is installed.
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "de": "deu",
        "en": "eng",
        "es": "spa",
        "fr": "fra",
        "it": "ita",
        "ja": "jpn",
        "ko": "kor",
        "nl": "nld",
        "pl": "pol",
        "pt": "por",
        "ru": "rus",
        "zh": "chi_sim",
    }
)
_PASSED = ("PATH", "LANG", "LC_", "LD_LIBRARY", "DYLD_", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TESSDATA_PREFIX")
_VERSION = re.compile(r"tesseract v?(\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The program, its version, and the languages it will look for."""

    program: str
    version: str
    languages: tuple[str, ...]

    def __str__(self) -> str:
        return f"tesseract {self.version}, {'+'.join(self.languages)}"

    def read(self, picture: bytes, resolution: int, seconds: float) -> str | None:
        """The words in a picture (a format that it knows, such as PGM); None when it took too long or failed."""
        order = ["-", "-", "-l", "+".join(self.languages), "--dpi", str(resolution)]
        done = _run(self.program, order, picture, min(seconds, _LONGEST_PAGE))
        return None if done is None else done.decode("utf-8", "replace").replace("\f", "")


class Budget:
    """The time that all pages of a file may take together: seconds of the processor, and of the clock, which go by
    faster where other programs are at work. Where a system does not tell the former, the latter decide."""

    def __init__(self, processor: float, clock: float) -> None:
        self._used_up = _processor() + processor
        self._until = time.monotonic() + clock

    @property
    def left(self) -> float:
        """Seconds."""
        return min(self._used_up - _processor(), self._until - time.monotonic())


def _processor() -> float:
    """Seconds that this process and the programs it has run took of the processor."""
    return sum(os.times()[:4])


def find() -> Tesseract | None:
    """The tesseract of this computer; None when there is none, or none with a language."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    said, listed = (_run(program, [order], b"", _LONGEST_QUESTION) for order in ("--version", "--list-langs"))
    version = _VERSION.search((said or b"").decode("utf-8", "replace"))
    installed = tuple((listed or b"").decode("utf-8", "replace").split("\n")[1:])
    languages = chosen(installed, os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    return Tesseract(program, version.group(1), languages) if version and languages else None


def chosen(installed: tuple[str, ...], system: str) -> tuple[str, ...]:
    """The languages to look for: all when they are few, else the system's, English and the first of the rest.

    Each one more costs time, and lets it take a word for one of another language.
    """
    usable = sorted({name.strip() for name in installed} - {"", "osd", "equ", "snum"})
    first = [_NAMES.get(system[:2].lower(), _ENGLISH), _ENGLISH]
    return tuple(sorted(usable, key=lambda name: (first.index(name) if name in first else 2, name)))[
        :_LANGUAGES_AT_ONCE
    ]


def _run(program: str, order: list[str], given: bytes, seconds: float) -> bytes | None:
    """What it wrote; None when it took too long, failed, or cannot be started."""
    environment = {name: value for name, value in os.environ.items() if name.upper().startswith(_PASSED)}
    try:
        done = subprocess.run(
            [program, *order],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=max(seconds, 0.1),
            env={**environment, "OMP_THREAD_LIMIT": "1"},  # its threads cost more than they bring
            cwd=tempfile.gettempdir(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
