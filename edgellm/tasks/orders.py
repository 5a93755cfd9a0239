"""Whether a sentence of a document speaks to a model instead of to a reader, so that the person can be told.

Such a sentence is quoted like any other and never followed; but an answer that rests on it may be what it asked for.
These are the usual forms only, in five languages: finding none proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NOTE = "A sentence shown here gives orders to a language model; do not rely on what it says."
_FORMS = (
    r"\b(?:ignore|disregard|forget|override)\b[^.!?]{0,40}\b(?:instructions?|prompts?|rules|orders)\b",
    r"(?:^|[.:;!?\n]\s*|\band\s+|\bmust\s+|\bshould\s+|\balways\s+|\bonly\s+)"
    r"(?:reply|respond|answer)\b[^.!?]{0,40}\b(?:with|by saying)\b",
    r"\byou (?:must|should|have to|will) (?:only |always |now )*(?:say|reply|respond|answer|output|print)\b",
    r"(?:^|\n)\s*(?:system|assistant)\s*(?:prompt|message)?\s*[:：]",
    r"\bignore[zr]?\b[^.!?]{0,40}\b(?:consignes|instructions|règles)\b",
    r"\b(?:ignorier|missacht|vergiss)\w*\b[^.!?]{0,40}\b(?:anweisung|instruktion|vorgabe|regel)\w*",
    r"\b(?:ignor|olvid)\w+\b[^.!?]{0,40}\b(?:instrucciones|órdenes|reglas)\b",
    r"(?:忽略|无视|忘记|不要理会)[^。！？]{0,20}(?:指令|指示|提示|说明|规则)",
)
_ORDER = re.compile("|".join(_FORMS), re.IGNORECASE)


def gives(texts: Iterable[str]) -> bool:
    """Whether one of them does."""
    return any(_ORDER.search(_narrow(text)) for text in texts)


def _narrow(text: str) -> str:
    """The text with no more than one blank anywhere: the forms take time that grows with the cube of a gap."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
