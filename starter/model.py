"""The starter as a torch module: a small llama decoder with tied embeddings.

Matrices of all layers are stacked in one parameter per kind, so that the optimizer works on batches of them: `qkv`
[layers, 3, width, width], `out` [layers, width, width], `gates` [layers, 2, inner, width] (gate and up) and `down`
[layers, inner, width] (transposed).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """The size of a model; `inner` is the width of the feed-forward layer."""

    vocabulary: int
    width: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 768
    context: int = 1024
    rope_base: float = 10000.0
    epsilon: float = 1e-5


class Starter(nn.Module):
    """Hidden states for token ids; `logits` reads the chosen ones."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, layers, inner = shape.width, shape.layers, shape.inner
        self.embedding = nn.Parameter(torch.randn(shape.vocabulary, width) * 0.02)
        self.qkv = nn.Parameter(torch.randn(layers, 3, width, width) * width**-0.5)
        self.out = nn.Parameter(torch.randn(layers, width, width) * width**-0.5 * 0.2 / math.sqrt(layers))
        self.gates = nn.Parameter(torch.randn(layers, 2, inner, width) * width**-0.5)
        self.down = nn.Parameter(torch.randn(layers, inner, width) * width**-0.5 * 0.2 / math.sqrt(layers))
        self.norms = nn.Parameter(torch.ones(2 * layers + 1, width))
        half = width // shape.heads // 2
        rates = shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)
        angles = torch.outer(torch.arange(shape.context, dtype=torch.float32), rates)
        mask = torch.full((shape.context, shape.context), float("-inf")).triu(1)
        self.register_buffer("mask", mask, persistent=False)
        self.register_buffer("cos", torch.cat((angles.cos(), angles.cos()), -1), persistent=False)
        self.register_buffer("sin", torch.cat((-angles.sin(), angles.sin()), -1), persistent=False)

    def _norm(self, x: Tensor, index: int) -> Tensor:
        return F.rms_norm(x, (self.shape.width,), self.norms[index], self.shape.epsilon)

    def _rotate(self, x: Tensor) -> Tensor:
        """Rotary positions over halves; x is [batch, heads, length, size]."""
        length = x.shape[2]
        cos, sin = self.get_buffer("cos")[:length].to(x.dtype), self.get_buffer("sin")[:length].to(x.dtype)
        return x * cos + x.roll(x.shape[-1] // 2, -1) * sin

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Causal attention written out: for these short lengths twice as fast on a CPU as the fused kernel."""
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        shares = (scores + self.get_buffer("mask")[: q.shape[2], : q.shape[2]]).softmax(-1)
        return torch.matmul(shares.to(v.dtype), v)

    def forward(self, tokens: Tensor) -> Tensor:
        """Hidden states [batch, length, width] of `tokens` [batch, length]."""
        shape = self.shape
        batch, length = tokens.shape
        width, heads = shape.width, shape.heads
        x = F.embedding(tokens, self.embedding)
        weights = zip(self.qkv.unbind(), self.out.unbind(), self.gates.unbind(), self.down.unbind(), strict=True)
        for layer, (inputs, out, gates, down) in enumerate(weights):
            h = self._norm(x, 2 * layer)
            qkv = F.linear(h, inputs.reshape(3 * width, width))
            q, k, v = qkv.view(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            mixed = self._attend(self._rotate(q), self._rotate(k), v)
            mixed = mixed.transpose(1, 2).reshape(batch, length, width)
            x = x + F.linear(mixed, out)
            h = self._norm(x, 2 * layer + 1)
            gate, up = F.linear(h, gates.reshape(2 * shape.inner, width)).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down.t())
        return self._norm(x, 2 * shape.layers)

    def matrices(self) -> list[nn.Parameter]:
        """The stacked matrices, which Muon trains."""
        return [self.qkv, self.out, self.gates, self.down]

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary."""
        return F.linear(hidden, self.embedding)

    def loss(self, tokens: Tensor, positions: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Weighted mean loss at flat `positions`; `targets` and `weights` belong to them."""
        hidden = self.forward(tokens).reshape(-1, self.shape.width)[positions]
        losses = F.cross_entropy(self.logits(hidden).float(), targets, reduction="none")
        return (losses * weights).sum() / weights.sum()
