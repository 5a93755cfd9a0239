"""Which languages are written from right to left."""

from __future__ import annotations

_RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he iw ks nqo ps sd syr ug ur yi".split())
_EAST_ASIAN = frozenset(("ja", "ko", "zh"))


def base(language: str) -> str:
    """The language of a tag such as `pt-BR` or `zh_CN`, in lower case."""
    return language.lower().replace("_", "-").partition("-")[0]


def right_to_left(language: str) -> bool:
    """Whether texts in a language begin at the right; no for an empty one."""
    return base(language) in _RIGHT_TO_LEFT


def east_asian(language: str) -> bool:
    """Whether it is written with the wide letters of Chinese, Japanese or Korean, which can also run downward."""
    return base(language) in _EAST_ASIAN
