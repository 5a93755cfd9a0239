"""The peer openvino-genai for `benchmarks.runtimes`: its pipeline, which turns the GGUF into a graph of its own."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from benchmarks.peer_loop import Clock, Order, Run, serve


def load(order: Order) -> tuple[str, Run]:
    """A pipeline on the CPU. It has no setting for the context, and keeps its own 8-bit KV cache."""
    import openvino_genai

    properties = {"INFERENCE_NUM_THREADS": order["threads"], **order.get("properties", {})}
    pipeline = openvino_genai.LLMPipeline(order["model"], "CPU", **properties)

    class Streamer(openvino_genai.StreamerBase):  # type: ignore[misc]
        """Told of each token; one that takes text would hold some back."""

        def __init__(self, clock: Clock) -> None:
            super().__init__()
            self._clock = clock

        def write(self, _tokens: Any) -> Any:
            """One token is here."""
            self._clock.tick()
            return openvino_genai.StreamingStatus.RUNNING

        def end(self) -> None:
            """Nothing is held back."""

    def run(prompt: str, new: int, clock: Clock) -> tuple[int, int]:
        """A greedy completion of the text as it is, without a chat template around it."""
        got = pipeline.generate(
            [prompt],
            max_new_tokens=new,
            ignore_eos=True,
            do_sample=False,
            apply_chat_template=False,
            streamer=Streamer(clock),
        )
        return got.perf_metrics.get_num_input_tokens(), len(clock.times)

    return version("openvino-genai"), run


if __name__ == "__main__":
    serve(load)
