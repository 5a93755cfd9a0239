"""Translation examples: eight directions between English and the other four, of one sentence, sometimes two."""

from __future__ import annotations

from edgellm.tasks.translate import LANGUAGES as NAMES
from edgellm.tasks.translate import messages
from starter.examples.example import Example, Source
from starter.grammar import realize

DIRECTIONS = tuple(pair for other in ("fr", "de", "es", "zh") for pair in (("en", other), (other, "en")))
FROM_ENGLISH = 1.6  # from English is harder: gender, case and agreement must be found
TWO_SENTENCES = 0.06


def translation(source: Source, held: bool = False, direction: tuple[str, str] | None = None) -> Example:
    """One example; every sentence comes from the asked-for side of the split."""
    rng = source.rng
    first, second = direction or rng.choices(DIRECTIONS, [FROM_ENGLISH if a == "en" else 1.0 for a, _ in DIRECTIONS])[0]
    count = 2 if direction is None and rng.random() < TWO_SENTENCES else 1
    meanings = [source.meanings.split(held) for _ in range(count)]
    texts = {
        language: ("" if language == "zh" else " ").join(realize(meaning, language) for meaning in meanings)
        for language in (first, second)
    }
    key = " ".join(realize(meaning, "en") for meaning in meanings)
    prompt = messages(texts[first], NAMES[first], NAMES[second])
    return Example(f"translate {first}-{second}", prompt, texts[second], key)
