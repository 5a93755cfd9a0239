"""The peer xllamacpp for `benchmarks.runtimes`: llama.cpp's own server, called in its process without HTTP."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from benchmarks.peer_loop import Clock, Order, Run, serve


def load(order: Order) -> tuple[str, Run]:
    """A server with one slot, for one answer at a time as on the other sides; everything else as it comes."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.n_ctx = order["context"]
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
    server = xllamacpp.Server(params)

    def run(prompt: str, new: int, clock: Clock) -> tuple[int, int]:
        """A streamed completion. The last piece has no text and brings the counts."""
        usage: dict[str, Any] = {}

        def piece(got: dict[str, Any]) -> None:
            if "error" in got:
                raise RuntimeError(str(got["error"]))
            if "usage" in got:
                usage.update(got["usage"])
            else:
                clock.tick()

        wish = {"prompt": prompt, "max_tokens": new, "temperature": 0, "stream": True}
        server.handle_completions(wish, piece)
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        if cached > 16:
            raise RuntimeError(f"not comparable: {cached} tokens of the prompt were remembered")
        return usage["prompt_tokens"], usage["completion_tokens"]

    return version("xllamacpp"), run


if __name__ == "__main__":
    serve(load)
