"""How many tokens a translation may have, so that a model that never stops costs one paragraph and not the rest.

A byte of UTF-8 per token is about four times what a text has in a European language or in Chinese, and costs no
question to the model. Some tokenizers need several tokens for one letter of a rare script: what was cut gets more once.
"""

from __future__ import annotations

from dataclasses import replace

from edgellm.runtimes.base import Finish
from edgellm.tasks.options import Options

_TIGHT, _WIDE = (1, 64), (3, 128)  # tokens for each byte of the text, and a margin


def within(options: Options, text: str, wide: bool = False) -> Options:
    """The options with a limit for the translation of `text`, or with the person's own where that is lower."""
    each, margin = _WIDE if wide else _TIGHT
    limit = each * len(text.encode("utf-8", "replace")) + margin
    return replace(options, max_tokens=limit if options.max_tokens is None else min(limit, options.max_tokens))


def is_last(options: Options, finish: Finish) -> bool:
    """Whether nothing more is to be tried: the text is whole, or reached the limit that the person set."""
    reached = options.max_tokens is not None and finish.new_tokens >= options.max_tokens
    return not finish.truncated or reached
