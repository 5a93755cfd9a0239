"""Muon (Jordan et al., 2024) for the stacked matrices and AdamW for the rest, with bfloat16 Newton-Schulz steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(update: Tensor, steps: int = 5) -> Tensor:
    """The nearest orthogonal matrices to a batch [n, rows, columns], by Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    x: Tensor = update.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.transpose(-1, -2).contiguous() if tall else x
    x = x / (x.float().norm(dim=(-2, -1), keepdim=True).bfloat16() + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(-1, -2)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.transpose(-1, -2) if tall else x


class Optimizer:
    """Two optimizers behind one step; `scale` is the schedule's factor on both learning rates."""

    def __init__(self, matrices: list[nn.Parameter], rest: list[nn.Parameter], muon: float, adam: float) -> None:
        self.matrices = matrices
        self.momentum = [torch.zeros_like(matrix) for matrix in matrices]
        self.muon, self.adam_rate = muon, adam
        self.adam = torch.optim.AdamW(rest, lr=adam, betas=(0.9, 0.95), weight_decay=0.0)

    @torch.no_grad()
    def step(self, scale: float, momentum: float = 0.95) -> None:
        """Apply the gradients and clear them."""
        for group in self.adam.param_groups:
            group["lr"] = self.adam_rate * scale
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        for matrix, buffer in zip(self.matrices, self.momentum, strict=True):
            if matrix.grad is None:
                continue
            buffer.lerp_(matrix.grad, 1 - momentum)
            nesterov = matrix.grad.lerp(buffer, momentum)
            flat = nesterov.reshape(-1, *nesterov.shape[-2:])
            update = orthogonal(flat).reshape(matrix.shape)
            rate = self.muon * scale * max(1.0, matrix.shape[-2] / matrix.shape[-1]) ** 0.5
            matrix.mul_(1 - 0.02 * self.muon * scale)
            matrix.add_(update.to(matrix.dtype), alpha=-rate)
            matrix.grad = None

    def state_dict(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for buffer, saved in zip(self.momentum, state["momentum"], strict=True):
            buffer.copy_(saved)
        self.adam.load_state_dict(state["adam"])
