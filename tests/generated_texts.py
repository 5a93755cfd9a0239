"""What the generated documents say, and a translation of it that a test can foretell letter by letter."""

from __future__ import annotations

import random
import re

WORDS = (
    "harvest plum Größe naïve 收获 今年很好 果樹園 سنة جيدة שלום Ελλάδα Москва a I don't e-mail x² fi Ⅳ 𝔘 कि "
    "~ 12 3.5 km — "
    "{name} %s %(count)d ${price} {{title}} https://example.org/a?b=1&c=2 R&D 5<6 \"so\" 'as' &amp; &nbsp"
).split()
# What a translator leaves alone.
_HOLDERS = re.compile(r"\{\{.*?\}\}|\$?\{[^{}]*\}|%\(\w+\)d|%s|https?://\S+")
# What no translator may get to see: the generators put it where code, fields and formulas are.
KEPT = re.compile("§[^§]*§")
MARK = "¨<&"


def words(chance: random.Random, most: int = 8) -> str:
    """Some words in several scripts, with signs that formats must escape. At least one has a letter."""
    found = [chance.choice(WORDS) for _ in range(chance.randint(1, most))]
    return " ".join((*found, "orchard"))


def kept(chance: random.Random) -> str:
    """Words that must stay, wherever they are put."""
    return f"§kept {chance.randint(0, 99)} words§"


def asked(text: str) -> str:
    """The translation: a mark after each letter, but for placeholders and addresses. It holds for parts as for all."""
    return _marked(text, _HOLDERS)


def expected(text: str) -> str:
    """What is to be in the new file where `text` was in the old one."""
    return _marked(text, re.compile(f"{_HOLDERS.pattern}|{KEPT.pattern}"))


def holders(text: str) -> list[str]:
    """The placeholders and addresses in a text."""
    return _HOLDERS.findall(text)


def _marked(text: str, left: re.Pattern[str]) -> str:
    parts, place = [], 0
    for found in (*left.finditer(text), None):
        part = text[place : found.start() if found else None]
        parts.append("".join(one + MARK if one.isalpha() else one for one in part))
        parts.append(found[0] if found else "")
        place = found.end() if found else place
    return "".join(parts)
