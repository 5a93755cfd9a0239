"""The other side of `benchmarks.generate`: llama-cpp-python's own class, in a process of its own.

Reads one JSON order a line from standard input, writes one JSON answer a line. The library's environment is left as
its users have it: no setting of OpenMP.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from typing import Any


def load(order: dict[str, Any]) -> Any:
    """A `Llama` with the CPU library that EdgeLLM chose; a plain build needs none."""
    import llama_cpp
    from llama_cpp import llama_cpp as low

    if order["library"]:
        low._lib.ggml_backend_load.restype = ctypes.c_void_p
        low._lib.ggml_backend_load.argtypes = [ctypes.c_char_p]
        if not low._lib.ggml_backend_load(order["library"].encode()):
            raise RuntimeError("the CPU library does not load")
    threads = order["threads"]
    return llama_cpp.Llama(
        order["model"], n_ctx=order["context"], n_threads=threads, n_threads_batch=threads, verbose=False
    )


def run(llama: Any, order: dict[str, Any]) -> dict[str, Any]:
    """One greedy completion: times of the first and the last piece, and token counts."""
    started = time.perf_counter()
    first = last = 0.0
    reason = None
    stream = llama.create_completion(order["prompt"], max_tokens=order["new"], temperature=0.0, stream=True)
    for piece in stream:
        last = time.perf_counter()
        first = first or last
        reason = piece["choices"][0]["finish_reason"]
    if reason != "length":
        raise RuntimeError(f"the answer ended early: {reason}")
    prompt = len(llama.tokenize(order["prompt"].encode(), add_bos=False, special=True))
    return {"first": first - started, "decode": last - first, "new": order["new"], "prompt": prompt}


def main() -> None:
    """Serve orders until standard input ends."""
    llama = None
    for line in sys.stdin:
        order = json.loads(line)
        if llama is None:
            llama = load(order)
            answer: dict[str, Any] = {"ready": True}
        else:
            answer = run(llama, order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
