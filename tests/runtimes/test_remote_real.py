"""A server of another project, on loopback: the one inside llama-cpp-python, with the model that ships."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm import paths
from edgellm.errors import ContextOverflow, ModelNotFound, NetworkError
from edgellm.models.token import Tokens
from edgellm.runtimes.base import Chunk, Finish, Message, Sampling
from edgellm.runtimes.remote import KEYS
from edgellm.tasks import generate, summarize
from tests.remote_bench import ask, loaded, paths_in, request, take

CHILD = Path(__file__).parents[1] / "llama_server_child.py"
KEY = "sk-of-this-test"
CONTEXT = 256
SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "word": {"enum": ["red", "blue"]}},
    "required": ["ok", "word"],
}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. It asks for a key, as the model's template comes from the GGUF file."""
    folder, port = tmp_path_factory.mktemp("server"), _free_port()
    command = [sys.executable, str(CHILD), "--model", str(paths.starter_model()), "--model_alias", "starter"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", str(CONTEXT), "--n_threads", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--api_key", KEY],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "EDGELLM_HOME": str(folder)},
        )
        try:
            _await(process, port, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(autouse=True)
def key(tmp_path: Path, server: str) -> None:
    """The key of the server, in a file: there is no keyring in a test."""
    from keyring.backends import fail

    Tokens(paths_in(tmp_path), fail.Keyring(), KEYS).save(server, KEY)  # type: ignore[no-untyped-call]


def test_it_lists_its_model_and_counts_its_tokens(server: str, tmp_path: Path) -> None:
    runtime = loaded(server, tmp_path)
    assert runtime.info.name == "starter"
    assert 3 <= runtime.count((Message("user", "Where is the station?"),)) <= 20
    assert not [note for note in runtime.notes if "estimated" in note]
    with pytest.raises(ModelNotFound, match=r"It has: starter\."):
        loaded(server, tmp_path, "other")


def test_it_answers_in_pieces_and_the_same_each_time(server: str, tmp_path: Path) -> None:
    runtime = loaded(server, tmp_path)
    pieces, finish, error = take(runtime.generate(request("Hello")))
    assert error is None
    assert len(pieces) > 3, "the text came in one piece"
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.device) == ("stop", "remote: 127.0.0.1")
    assert finish.new_tokens == len(pieces)
    again, _, _ = take(runtime.generate(request("Hello")))
    assert again == pieces


def test_seeds(server: str, tmp_path: Path) -> None:
    runtime = loaded(server, tmp_path)
    free = Sampling(2.0, top_p=1.0, top_k=0, min_p=0.0)
    drawn = [ask(runtime, sampling=replace(free, seed=seed), max_tokens=20)[0] for seed in (5, 5, 6, 7, 8)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_limits_and_stop_strings(server: str, tmp_path: Path) -> None:
    runtime = loaded(server, tmp_path)
    whole = ask(runtime)[0]
    text, finish, _ = ask(runtime, max_tokens=3)
    assert whole.startswith(text)
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.truncated, finish.new_tokens) == ("length", True, 3)
    stop = whole[5:8]
    assert ask(runtime, stop=(stop,))[0] == whole[: whole.index(stop)]


def test_an_answer_that_satisfies_a_schema(server: str, tmp_path: Path) -> None:
    text, finish, error = ask(loaded(server, tmp_path), "A color.", schema=json.dumps(SCHEMA), max_tokens=100)
    assert error is None
    assert isinstance(finish, Finish)
    if not finish.truncated:
        assert set(json.loads(text)) == {"ok", "word"}


def test_a_text_that_is_too_long(server: str, tmp_path: Path) -> None:
    runtime = loaded(server, tmp_path)
    error = ask(runtime, "hello " * 400)[2]
    assert isinstance(error, ContextOverflow)
    assert error.context == CONTEXT
    assert error.prompt_tokens > 400
    assert runtime.info.context == CONTEXT
    assert ask(runtime)[2] is None, "the server still answers"


def test_cancel_stops_it(server: str, tmp_path: Path) -> None:
    runtime, stop = loaded(server, tmp_path), threading.Event()
    events = runtime.generate(request("Hello"), stop.is_set)
    assert isinstance(next(events), Chunk)
    stop.set()
    ordered = time.monotonic()
    *_, last = events
    took = time.monotonic() - ordered
    assert isinstance(last, Finish)
    print(f"canceled {took:.2f} s after the order")
    assert last.reason in ("cancelled", "stop")
    assert took < 3
    assert ask(runtime)[2] is None


def test_a_wrong_key(server: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"does not accept the key .* \(status 401\)"):
        _with_key(server, tmp_path, "sk-wrong")
    with pytest.raises(NetworkError, match=r"answers only to those with a key \(status 401\)"):
        loaded(server, tmp_path / "elsewhere")


def _with_key(server: str, folder: Path, key: str) -> None:
    from keyring.backends import fail

    ring = fail.Keyring()  # type: ignore[no-untyped-call]
    Tokens(paths_in(folder), ring, KEYS).save(server, key)
    loaded(server, folder, ring=ring)


def test_tasks_run_on_it(server: str, tmp_path: Path) -> None:
    """A task knows nothing of servers."""
    runtime = loaded(server, tmp_path)
    assert generate.generate(runtime, "Hello").text == ask(runtime, "Hello")[0]
    result = summarize.summarize(runtime, "The shop is open. The shop sells bread and milk.")
    assert result.text
    assert result.finish.device == "remote: 127.0.0.1"
