"""A model on a server as a generator: what is sent, what comes, what it says of itself, and how it counts."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import ModelNotFound, NetworkError, ResponseFormatError, SettingsError
from edgellm.runtimes.base import Generator, Message, Runtime, Sampling
from edgellm.runtimes.remote_address import Address, is_remote, model_of
from tests.loopback_chat import DONE, Asked, ChatServer, answer, event, listing, raw, status
from tests.remote_bench import QUICK, ask, loaded, paths_in, request, take

SCHEMA = json.dumps({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})


def test_an_answer_streams_and_ends_in_its_facts(tmp_path: Path) -> None:
    with ChatServer(answer("Hel", "lo", " 你", "好", counts=(21, 5, 16))) as server:
        runtime = loaded(server.address, tmp_path)
        assert isinstance(runtime, Generator)
        assert isinstance(runtime, Runtime)
        pieces, finish, error = take(runtime.generate(request("Say hello.")))
    assert (pieces, error) == (["Hel", "lo", " 你", "好"], None)
    assert finish is not None
    assert (finish.reason, finish.truncated, finish.device) == ("stop", False, "remote: 127.0.0.1")
    assert (finish.prompt_tokens, finish.cached_tokens, finish.new_tokens) == (21, 16, 5)
    assert 0 < finish.prefill_seconds <= finish.seconds
    assert server.chats[0].body == {
        "model": "small",
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
    }


def test_everything_that_was_asked_for_is_sent(tmp_path: Path) -> None:
    sampling = Sampling(temperature=0.7, seed=11, repeat_penalty=1.1, frequency_penalty=0.2, presence_penalty=0.3)
    with ChatServer(answer("x")) as server:
        runtime = loaded(server.address, tmp_path)
        ask(runtime, sampling=sampling, max_tokens=9, stop=tuple("abcdef"), prefix="So", schema='{"type": "string"}')
        sent = server.chats[0].body
    assert {
        "seed": 11,
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.95,
        "top_k": 40,
        "min_p": 0.05,
    }.items() <= sent.items()
    assert (sent["repeat_penalty"], sent["repetition_penalty"]) == (1.1, 1.1)
    assert (sent["frequency_penalty"], sent["presence_penalty"]) == (0.2, 0.3)
    assert sent["stop"] == ["a", "b", "c", "d"], "some servers refuse more than four"
    assert sent["messages"][-1] == {"role": "assistant", "content": "So"}
    assert sent["continue_final_message"] is True
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "string"}


def test_halves_of_characters_in_the_prompt_do_not_stop_it(tmp_path: Path) -> None:
    with ChatServer(answer("x")) as server:
        assert ask(loaded(server.address, tmp_path), "a\ud83d b", stop=("\ude00",))[2] is None
        assert server.chats[0].body["messages"][0]["content"] == "a� b"


def test_a_stop_string_over_several_pieces_ends_the_text(tmp_path: Path) -> None:
    gone = raw(event("one E"), event("N"), event("D two"), linger=True)
    with ChatServer(gone) as server:
        text, finish, error = ask(loaded(server.address, tmp_path), stop=("never", "a", "b", "c", "END"))
        assert (text, error) == ("one ", None)
        assert finish is not None
        assert (finish.reason, finish.new_tokens) == ("stop", 3)
        assert server.chats[0].gone.wait(5), "the server was left writing"


def test_what_was_held_back_for_a_stop_string_comes_at_the_end(tmp_path: Path) -> None:
    with ChatServer(answer("one EN")) as server:
        assert ask(loaded(server.address, tmp_path), stop=("END",))[0] == "one EN"


def test_the_limit_of_tokens_is_said(tmp_path: Path) -> None:
    with ChatServer(answer("one", " two", reason="length")) as server:
        _, finish, _ = ask(loaded(server.address, tmp_path), max_tokens=2)
    assert finish is not None
    assert (finish.reason, finish.truncated, finish.new_tokens) == ("length", True, 2)


def test_thinking_is_no_part_of_the_answer(tmp_path: Path) -> None:
    thoughts = event(delta={"reasoning_content": "hm"}), event(delta={"reasoning": "hm"})
    with ChatServer(raw(*thoughts, event("Yes"), event(reason="stop"), DONE)) as server:
        text, finish, _ = ask(loaded(server.address, tmp_path))
    assert text == "Yes"
    assert finish is not None
    assert finish.new_tokens == 3


def test_a_server_that_cannot_stream_answers_at_once(tmp_path: Path) -> None:
    whole = {"choices": [{"message": {"content": "All."}, "finish_reason": "stop"}], "usage": {"completion_tokens": 2}}
    with ChatServer(status(200, whole)) as server:
        text, finish, error = ask(loaded(server.address, tmp_path))
    assert (text, error) == ("All.", None)
    assert finish is not None
    assert finish.new_tokens == 2


def test_a_stream_that_ends_before_it_begins_is_asked_again_without_streaming(tmp_path: Path) -> None:
    whole = {"choices": [{"message": {"content": "All."}, "finish_reason": "stop"}]}
    with ChatServer(raw(), status(200, whole)) as server:
        assert ask(loaded(server.address, tmp_path))[0] == "All."
        assert [chat.body["stream"] for chat in server.chats] == [True, False]
        assert "stream_options" not in server.chats[1].body


def test_the_counts_may_be_missing_and_so_may_the_last_word(tmp_path: Path) -> None:
    for ends in ((), (2.0,)):  # the connection ends, or stays silent for longer than is waited
        with ChatServer(raw(event("one"), event(reason="stop"), *ends)) as server:
            text, finish, error = ask(loaded(server.address, tmp_path), "x" * 400)
        assert (text, error) == ("one", None)
        assert finish is not None
        assert (finish.new_tokens, finish.prompt_tokens) == (1, 105)


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        ({"error": {"message": "Unrecognized request argument supplied: top_k"}}, {"top_k"}),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"]}]}, {"stream_options"}),
        ({"message": "min_p and seed are not supported"}, {"min_p", "seed"}),
    ],
)
def test_a_field_that_the_server_does_not_know_is_left_out(tmp_path: Path, refused: Any, left: set[str]) -> None:
    with ChatServer(status(422, refused), answer("x")) as server:
        assert ask(loaded(server.address, tmp_path), sampling=Sampling(0.7, seed=1))[0] == "x"
        first, second = (set(chat.body) for chat in server.chats)
    assert first - second == left


def test_the_newer_name_of_the_limit_is_used_where_it_is_asked_for(tmp_path: Path) -> None:
    refused = {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}
    with ChatServer(status(400, refused), answer("x")) as server:
        assert ask(loaded(server.address, tmp_path), max_tokens=5)[0] == "x"
        assert server.chats[1].body["max_completion_tokens"] == 5


def test_a_refusal_that_never_ends_ends(tmp_path: Path) -> None:
    refused = {"error": {"message": "top_k min_p top_p seed stop stream_options response_format max_completion_tokens"}}
    with ChatServer(status(400, refused)) as server:
        _, _, error = ask(loaded(server.address, tmp_path), sampling=Sampling(0.7), max_tokens=5, schema=SCHEMA)
        assert error is not None
        assert len(server.chats) < 8


def test_an_answer_that_satisfies_its_schema(tmp_path: Path) -> None:
    with ChatServer(answer('{"a"', ": 1}")) as server:
        assert ask(loaded(server.address, tmp_path), schema=SCHEMA)[::2] == ('{"a": 1}', None)


@pytest.mark.parametrize(
    ("text", "why"),
    [("no", "it is not JSON"), ("{}", r"\$\.a is missing"), ('{"a": "1"}', r"\$\.a is not of type integer")],
)
def test_an_answer_that_does_not_satisfy_its_schema_says_so(tmp_path: Path, text: str, why: str) -> None:
    with ChatServer(answer(text)) as server:
        shown, finish, error = ask(loaded(server.address, tmp_path), schema=SCHEMA)
    assert (shown, finish) == (text, None)
    assert isinstance(error, ResponseFormatError)
    with pytest.raises(ResponseFormatError, match=f"does not satisfy the JSON schema: {why}"):
        raise error


def test_half_an_answer_is_not_held_against_its_schema(tmp_path: Path) -> None:
    with ChatServer(answer('{"a"', reason="length")) as server:
        assert ask(loaded(server.address, tmp_path), schema=SCHEMA)[2] is None


def test_a_schema_goes_in_the_older_form_where_the_newer_is_refused(tmp_path: Path) -> None:
    refused = {"error": {"message": "body.response_format.type: Input should be 'text' or 'json_object'"}}
    with ChatServer(status(500, refused), answer('{"a": 1}')) as server:
        assert ask(loaded(server.address, tmp_path), schema=SCHEMA)[2] is None
        assert server.chats[1].body["response_format"]["type"] == "json_object"
        assert server.chats[1].body["response_format"]["schema"]["required"] == ["a"]


def test_a_schema_that_cannot_be_checked_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with ChatServer(answer("{}")) as server:
        _, _, error = ask(loaded(server.address, tmp_path), schema='{"not": {}}')
        assert isinstance(error, ResponseFormatError)
        assert server.chats == []


def test_models_are_listed_and_chosen_by_name(tmp_path: Path) -> None:
    models = ["small", "Org/Big-7B", "llama3:latest", {"id": "x\u202ey"}, {"id": 3}, {"id": ""}, {"id": "z" * 999}, 7]
    with ChatServer(answer("x"), models=models) as server:
        first = loaded(server.address, tmp_path)
        assert first.info.name == "small"
        assert first.notes[0] == "127.0.0.1 has 3 models; small is the first of them."
        assert loaded(server.address, tmp_path, "org/big-7b").info.name == "Org/Big-7B"
        assert loaded(server.address, tmp_path, "llama3").info.name == "llama3:latest"
        with pytest.raises(ModelNotFound, match=r"no model 'nope'\. It has: small, Org/Big-7B, llama3:latest\."):
            loaded(server.address, tmp_path, "nope")


@pytest.mark.parametrize(
    ("entry", "setting", "window"),
    [
        ({"max_model_len": 32768}, 0, 32768),
        ({"meta": {"n_ctx_train": 40960, "n_params": 7}}, 0, 40960),
        ({"max_model_len": 32768}, 4096, 4096),
        ({"max_model_len": "9"}, 2048, 2048),
        ({}, 0, 8192),
    ],
)
def test_the_context_is_what_the_server_says(tmp_path: Path, entry: Any, setting: int, window: int) -> None:
    with ChatServer(answer("x"), models=[{"id": "small", **entry}]) as server:
        runtime = loaded(server.address, tmp_path, context=setting)
    assert runtime.info.context == window
    assumed = "127.0.0.1 does not say how long its context is; 8192 tokens are assumed."
    assert (assumed in runtime.notes) == (window == 8192)


def test_a_server_that_lists_nothing_is_asked_by_name(tmp_path: Path) -> None:
    with ChatServer(answer("x"), models=status(404, {"error": "no such path"})) as server:
        assert ask(loaded(server.address, tmp_path, "large"))[0] == "x"
        assert server.chats[0].body["model"] == "large"
        with pytest.raises(NetworkError, match="There is no chat at this address"):
            loaded(server.address, tmp_path)
    with (
        ChatServer(answer("x"), models=listing([])) as server,
        pytest.raises(NetworkError, match="has no model loaded"),
    ):
        loaded(server.address, tmp_path)


def test_tokens_are_counted_by_a_server_on_this_computer(tmp_path: Path) -> None:
    talk = (Message("system", "Be brief."), Message("user", "one two three"))
    vllm = {"/tokenize": status(200, {"count": 17, "max_model_len": 4096, "tokens": []})}
    llama = {"/tokenize": status(200, {"tokens": [1] * 23}), "/apply-template": status(200, {"prompt": "<user>"})}
    python = {"/extras/tokenize/count": status(200, {"count": 5})}
    for others, count in ((vllm, 17), (llama, 23), (python, 13)):
        with ChatServer(answer("x"), others=others) as server:
            runtime = loaded(server.address, tmp_path)
            assert runtime.count(talk) == count
            assert not [note for note in runtime.notes if "estimated" in note]
        assert runtime.count(talk) == 16, "the server is gone: an estimate"


def test_a_server_that_is_late_with_a_count_is_not_waited_for(tmp_path: Path) -> None:
    asked: list[float] = []

    def count(one: Asked) -> None:
        asked.append(time.monotonic())
        if len(asked) == 2:
            one.linger()
        status(200, {"count": 9})(one)

    talk = (Message("user", "one two"),)
    with ChatServer(answer("x"), others={"/tokenize": count}) as server:
        runtime = loaded(server.address, tmp_path, limits=replace(QUICK, count=0.3, busy=0.5))
        started = time.monotonic()
        assert [runtime.count(talk) for _ in range(50)] == [7] * 50, "late once: estimates"
        assert time.monotonic() - started < 0.5 + 3
        assert len(asked) == 2, "it was asked again while it was busy"
        time.sleep(0.6)
        assert runtime.count(talk) == 9
        assert len(asked) == 3


def test_tokens_are_estimated_otherwise_and_better_after_an_answer(tmp_path: Path) -> None:
    text = "word " * 100
    with ChatServer(answer("x", counts=(250, 1, 0))) as server:
        runtime = loaded(server.address, tmp_path)
        assert "Tokens of a prompt are estimated from its length, about four letters each." in runtime.notes
        assert runtime.count((Message("user", text),)) == 130
        ask(runtime, text)
        assert runtime.count((Message("user", text),)) == 255


def test_a_server_elsewhere_is_never_asked_to_count(tmp_path: Path) -> None:
    """What is still being typed stays here."""
    from edgellm.runtimes import remote_count
    from edgellm.runtimes.remote import server_of
    from edgellm.settings import Settings

    values = Settings(remote_address="http://192.0.2.7:8000", offline=False)
    server = server_of(lambda: values, paths_in(tmp_path))
    assert remote_count.exact(server, "small", lambda: False) is None
    assert not paths_in(tmp_path).ledger.exists()


def test_addresses_in_several_forms() -> None:
    for text in ("http://box:8080", "http://box:8080/", "http://box:8080/v1/", "http://box:8080/v1/chat/completions"):
        assert (Address.of(text).base, Address.of(text).root) == ("http://box:8080/v1", "http://box:8080")
    assert Address.of("https://h/api/v1").root == "https://h/api"
    assert Address.of("https://h/v1beta/openai").base == "https://h/v1beta/openai"
    assert Address.of("http://[::1]:80").local
    assert Address.of("http://localhost").reason == "Runs on another program on this computer."
    assert Address.of("http://box").reason == "Runs on box: what you write leaves this machine."


@pytest.mark.parametrize(
    "text",
    ["", "box:8080", "ftp://box", "http://", "http://a b", "http://box:99999", "http://u:p@box", "http://box?k=1",
     "http://box/#x", "http://[", "http://box\\@evil", "http://bo\nx"],
)  # fmt: skip
def test_what_is_no_address_is_a_sentence(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Address.of(text)
    assert caught.value.hint
    assert "p@box" not in str(caught.value)


def test_names_of_remote_models() -> None:
    assert [is_remote(name) for name in ("remote", " remote:a", "remotes", "x", "", "a/remote")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert [model_of(name) for name in ("remote", "remote:", "remote:org/m:7b")] == ["", "", "org/m:7b"]
