"""Write a sentence the way the starter was taught to read it: capital letter, end mark, quotes and spaces.

Such a small model knows a sentence by its exact form; people type "ou est la gare?" and "wo ist der bahnhof". General
models need none of this.
"""

from __future__ import annotations

import re
import unicodedata

from edgellm.tasks.function_words import QUESTION

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "\u00a0": " ", "\u202f": " "})
_FULL_WIDTH = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})
_ENDS = tuple(".!?。！？…:：;；,，")
_FRENCH_MARK = re.compile(r"\s*([?!;])")
_HAN_SPACE = re.compile("(?<=[\u4e00-\u9fff，。？！])\\s+(?=[\u4e00-\u9fff])")
_FIRST_WORD = re.compile(r"[^\W\d_]+")


def as_taught(sentence: str, language: str) -> str:
    """The sentence in the starter's spelling. `language` is a code; the words stay as they are."""
    text = unicodedata.normalize("NFC", sentence.strip()).translate(_APOSTROPHES)
    if not text:
        return text
    if language == "zh":
        return _chinese(text)
    if not text.endswith((*_ENDS, '"', "»")):
        text += "?" if _asks(text, language) else "."
    if language == "fr":
        text = _FRENCH_MARK.sub(r" \1", text)
    if language == "es":
        text = _opened(text)
    return _capital(text)


def _chinese(text: str) -> str:
    text = _HAN_SPACE.sub("", text.translate(_FULL_WIDTH))
    if text.endswith("."):
        text = text[:-1] + "。"
    if not text.endswith((*_ENDS, "”", "」")):
        text += "？" if any(word in text for word in QUESTION["zh"]) else "。"
    return text


def _asks(text: str, language: str) -> bool:
    first = _FIRST_WORD.search(text)
    return first is not None and first.group().casefold() in QUESTION.get(language, ())


def _opened(text: str) -> str:
    for opening, closing in (("¿", "?"), ("¡", "!")):
        if text.endswith(closing) and opening not in text:
            return opening + text
    return text


def _capital(text: str) -> str:
    """Raise the first letter, behind an opening mark too."""
    first = _FIRST_WORD.search(text)
    if first is None:
        return text
    at = first.start()
    return text[:at] + text[at].upper() + text[at + 1 :]
