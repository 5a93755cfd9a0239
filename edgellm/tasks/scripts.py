"""Which writing system a text is in, as far as the tasks must know: Chinese characters, scripts without spaces, widths.

Language is left to `detect.py`.
"""

from __future__ import annotations

import re

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_SOUTHEAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

HAN_RUN = re.compile(f"[{_HAN}]+")
UNSPACED_RUN = re.compile(f"[{_HAN}{_KANA}{_HANGUL}{_SOUTHEAST}]+")
_OTHER_THAN_HAN = re.compile(f"[{_KANA}{_HANGUL}]")
_LETTER = re.compile(r"[^\W\d_]")


def han_share(text: str) -> float:
    """Share of Han characters among the letters; 0 for text with kana or hangul, which is not Chinese."""
    letters = len(_LETTER.findall(text))
    if not letters or _OTHER_THAN_HAN.search(text):
        return 0.0
    return sum(len(run) for run in HAN_RUN.findall(text)) / letters


def has_letters(text: str) -> bool:
    """Whether there is anything to read at all."""
    return _LETTER.search(text) is not None


def cells(text: str) -> int:
    """Width of a text on a page: characters of unspaced scripts count twice."""
    return len(text) + sum(len(run) for run in UNSPACED_RUN.findall(text))
