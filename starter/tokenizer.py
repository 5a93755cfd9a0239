"""The byte-level BPE tokenizer: trained so that every form the grammar knows is one token, and the chat template.

Chinese is learned from the grammar's words, since it writes no spaces. Digits stand alone. The split is the one that
llama.cpp calls "smollm".
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from edgellm.runtimes.base import Message
from starter.examples.mix import SHARES, examples
from starter.grammar.chinese import WORDS
from starter.grammar.meanings import Meanings
from starter.words import Lexicon

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = (PAD, START, END)
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def render(messages: tuple[Message, ...]) -> str:
    """The prompt text that `TEMPLATE` makes of `messages`."""
    turns = "".join(f"{START}{message.role}\n{message.content}{END}\n" for message in messages)
    return f"{turns}{START}assistant\n"


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


def _is_chinese(text: str) -> bool:
    return any("\u3000" <= character <= "\u9fff" or character in "，。？！" for character in text)


def count_words(lexicon: Lexicon, seed: int, size: int) -> Counter[str]:
    """Words with a leading space where the text has one, over `size` examples and as many Chinese sentences."""
    rng = random.Random(seed)
    splitter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    counts: Counter[str] = Counter()
    source = examples(lexicon, rng, SHARES)
    for _ in range(size):
        example = next(source)
        for text in (*(message.content for message in example.messages), example.answer):
            for part in text.split("\n"):
                if not _is_chinese(part):
                    for _, (start, end) in splitter.pre_tokenize_str(part):
                        counts[part[start:end]] += 1
    meanings = Meanings(lexicon, rng)
    for _ in range(size):
        meaning = meanings.draw()
        counts.update(word for word in WORDS[meaning.kind](meaning) if word)
    return counts


def train(lexicon: Lexicon, vocabulary: int, seed: int = 0, size: int = 120_000) -> Tokenizer:
    """A tokenizer of `vocabulary` tokens at most; counts are flattened so that rare forms become tokens as well."""
    counts = count_words(lexicon, seed, size)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = (word for word, count in sorted(counts.items()) for _ in range(min(60, 2 + int(count**0.5))))
    tokenizer.train_from_iterator(words, trainer)
    return tokenizer


def load(path: Path) -> Tokenizer:
    """The tokenizer saved in `path`."""
    return Tokenizer.from_file(str(path))
