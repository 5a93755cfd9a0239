"""Questions over a passage: mostly one sentence, as the task hands over what it retrieved, some with up to four.

The task asks the model only where a sentence holds most of the question's words, so most questions without an answer
here do too: a part that is not told, or one word that is another.
"""

from __future__ import annotations

import re

from edgellm.tasks.answer import NOT_SAID, messages
from starter.examples.example import Example, Source, english
from starter.examples.questions import open_question, questions, tellable

WORD = re.compile(r"[a-z]+")
LENGTHS = (1, 2, 3, 4)
LENGTH_WEIGHTS = (76, 18, 4, 2)
OPEN_SHARE = 0.3
NEAR_SHARE = 0.85
ASKING = frozenset(
    [
        "who",
        "what",
        "where",
        "when",
        "how",
        "much",
        "day",
        "time",
        "does",
        "did",
        "will",
        "is",
        "are",
        "the",
        "a",
        "an",
        "to",
        "in",
        "on",
        "at",
        "by",
        "of",
        "s",
        "my",
        "our",
    ]
)


def coverage(question: str, passage: str) -> float:
    """Share of the question's content words, cut to four letters, that the passage holds."""
    asked = {word[:4] for word in WORD.findall(question.lower()) if word not in ASKING}
    told = {word[:4] for word in WORD.findall(passage.lower())}
    return len(asked & told) / max(len(asked), 1)


def answering(source: Source, answerable: bool | None = None, length: int = 0, near: bool = False) -> Example:
    """One example; the key is passage and question together. `near` wants open questions close to the passage."""
    rng, meanings = source.rng, source.meanings
    while True:
        size = length or rng.choices(LENGTHS, LENGTH_WEIGHTS)[0]
        told = [tellable(meanings) for _ in range(size)]
        if size > 1 and rng.random() < 0.5:  # a distractor of the same construction
            told[1] = tellable(meanings, told[0].kind)
            rng.shuffle(told)
        main = rng.choice(told)
        known: dict[str, set[str]] = {}
        for meaning in told:
            for question in questions(meaning):
                known.setdefault(question.text, set()).add(question.answer)
        passage = " ".join(english(meaning) for meaning in told)
        if answerable if answerable is not None else rng.random() >= OPEN_SHARE:
            chosen = rng.choice(questions(main))
            if len(known[chosen.text]) > 1:
                continue
            text, answer, job = chosen.text, chosen.answer, "answer said"
        else:
            text, answer, job = open_question(main, meanings), NOT_SAID, "answer open"
            if near and size == 1 and rng.random() < NEAR_SHARE and coverage(text, passage) <= 0.5:
                continue
            if text in known:
                continue
        return Example(job, messages(text, passage), answer, f"{passage} {text}", (answer,))
