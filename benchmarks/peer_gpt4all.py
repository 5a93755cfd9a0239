"""The peer gpt4all for `benchmarks.runtimes`: its Python class, on the CPU, with the largest batch that it takes."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from benchmarks.peer_loop import Clock, Order, Run, serve

# Its default of 8 would make the prompt several times slower.
_BATCH = 128


def load(order: Order) -> tuple[str, Run]:
    """A `GPT4All` that fetches nothing."""
    from gpt4all import GPT4All

    path = Path(order["model"])
    peer = GPT4All(
        path.name,
        model_path=str(path.parent),
        allow_download=False,
        n_threads=order["threads"],
        device="cpu",
        n_ctx=order["context"],
    )

    def run(prompt: str, new: int, clock: Clock) -> tuple[int, int]:
        """A greedy completion. The prompt is plain text to it: its control tokens are read letter by letter."""

        def piece(_token: int, _text: str) -> bool:
            clock.tick()
            return True

        peer.generate(prompt, max_tokens=new, temp=0, top_k=1, repeat_penalty=1.0, n_batch=_BATCH, callback=piece)
        return peer.model.context.n_past - len(clock.times), len(clock.times)

    return version("gpt4all"), run


if __name__ == "__main__":
    serve(load)
