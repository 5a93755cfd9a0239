"""Questions over a passage: mostly one sentence, as the task hands over what it retrieved, some with up to four."""

from __future__ import annotations

from edgellm.tasks.answer import NOT_SAID, messages
from starter.examples.example import Example, Source, english
from starter.examples.questions import open_question, questions, tellable

LENGTHS = (1, 2, 3, 4)
LENGTH_WEIGHTS = (62, 24, 9, 5)
OPEN_SHARE = 0.4


def answering(source: Source, answerable: bool | None = None, length: int = 0) -> Example:
    """One example; the key is passage and question together."""
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
            if text in known:
                continue
        return Example(job, messages(text, passage), answer, f"{passage} {text}", (answer,))
