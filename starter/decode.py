"""Greedy decoding in torch, the reference that the converted file must equal."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer

from edgellm.runtimes.base import Message
from starter.model import Starter
from starter.tokenizer import END, render


@torch.no_grad()
def greedy(model: Starter, tokenizer: Tokenizer, messages: tuple[Message, ...], limit: int = 120) -> str:
    """The most likely answer, in full precision."""
    ids = tokenizer.encode(render(messages)).ids
    end, start = tokenizer.token_to_id(END), len(ids)
    while len(ids) - start < limit:
        best = int(model.logits(model(torch.tensor([ids]))[0, -1]).argmax())
        if best == end:
            break
        ids.append(best)
    return str(tokenizer.decode(ids[start:], skip_special_tokens=False))
