"""The encoding of a text that does not declare it and is not UTF-8: a guess that holds for short texts too."""

from __future__ import annotations

import re

_JAPANESE = frozenset(("cp932", "shift_jis", "shift_jis_2004", "shift_jisx0213", "euc_jp"))
_KOREAN = frozenset(("cp949", "euc_kr"))
_ENOUGH = 8  # letters beyond ASCII: of fewer, one Chinese encoding looks like the other
_LONG = 1024  # bytes
_HAN = re.compile("[\u4e00-\u9fff]")
_HIGH = re.compile(rb"[\x80-\xff]")
_PAIR = re.compile(rb"[\xa1-\xfe]{2}")
_KANA = re.compile("[\u3041-\u30fe]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_LETTER = re.compile(r"[^\W\d_]")
_INSIDE = re.compile("(?<=[^\\W\\d_])[\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7](?=[^\\W\\d_])")


def guess(data: bytes) -> str:
    """The name of the likeliest encoding; empty where the bytes are no text.

    Statistics of letters (charset-normalizer) are right for a page, and often wrong for a line: there Windows-1252 is
    taken for whatever reads as Western, and GB 18030 for whatever reads as Chinese.
    """
    import charset_normalizer

    best = charset_normalizer.from_bytes(data).best()
    found = best.encoding if best else ""
    text = _text(data, found)
    foreign = sum(not sign.isascii() for sign in text)
    if foreign >= _ENOUGH and _eastern(text, found):
        return found
    if _pairs(data) and _chinese(_text(data, "gb18030")):
        return "gb18030"
    return "cp1252" if foreign < 4 * _ENOUGH and _western(_text(data, "cp1252")) else found


def _text(data: bytes, encoding: str) -> str:
    """The text, without the letter that the end of a long sample may cut. Empty where it is not of this encoding."""
    for cut in range(4 if len(data) > _LONG else 1) if encoding else ():
        try:
            return data[: len(data) - cut].decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return ""


def _eastern(text: str, encoding: str) -> bool:
    """Whether a text has what the language of its encoding has: kana; syllables, and no Chinese signs among them."""
    if encoding in _KOREAN:
        return _HANGUL.search(text) is not None and not _HAN.search(text)
    return encoding == "big5" or (encoding in _JAPANESE and _KANA.search(text) is not None)


def _pairs(data: bytes) -> bool:
    """Whether bytes beyond ASCII come in twos, as in common Chinese signs; those of a Western word come alone."""
    return len(_PAIR.findall(data)) * 2 >= 0.8 * len(_HIGH.findall(data))


def _chinese(text: str) -> bool:
    foreign = sum(not sign.isascii() for sign in text)
    return foreign > 0 and len(_HAN.findall(text)) >= 0.6 * foreign


def _western(text: str) -> bool:
    """Whether it reads as a Western language: letters beyond ASCII are the fewer, and no sign stands inside a word."""
    letters = _LETTER.findall(text)
    return bool(text) and sum(not sign.isascii() for sign in letters) * 2 < len(letters) and not _INSIDE.search(text)
