"""The remote engine and the switch: what the faces see of a model on a server, and of changing between the two."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_bench import Bench, ask, split

from edgellm.engine.remote_engine import RemoteEngine
from edgellm.engine.switch import Switch
from edgellm.errors import EdgeError, EngineError, ModelNotFound, OfflineError, SettingsError, UsageError
from edgellm.runtimes.base import Chunk, Finish, Message, Reading
from edgellm.settings import Settings, changed
from tests.loopback_chat import ChatServer, answer, event, raw
from tests.remote_bench import QUICK, paths_in

REMOTE = Path("remote")


class Person:
    """Somebody who changes the settings."""

    def __init__(self, **values: object) -> None:
        self.settings = changed(Settings(), **values)

    def __call__(self) -> Settings:
        return self.settings

    def change(self, **values: object) -> None:
        self.settings = changed(self.settings, **values)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(answer("Hello", " there"), models=["small", "large"]) as server:
        yield server


@pytest.fixture
def person(server: ChatServer) -> Person:
    return Person(remote_address=server.address)


@pytest.fixture
def engine(person: Person, tmp_path: Path) -> Iterator[RemoteEngine]:
    engine = RemoteEngine(paths_in(tmp_path), person, QUICK)
    yield engine
    engine.close()


def test_a_face_sees_what_it_sees_of_an_engine(engine: RemoteEngine, server: ChatServer) -> None:
    assert engine.status().state == "empty"
    with pytest.raises(UsageError, match="No model is loaded"):
        assert engine.info
    info = engine.load(REMOTE, asked=True)
    assert (info.name, engine.info) == ("small", info)
    status = engine.status()
    assert (status.state, status.model, status.device) == ("ready", "small", "Remote")
    assert status.reason == "Runs on another program on this computer."
    assert status.pid is None
    assert status.placement is not None
    assert (status.placement.runtime, status.placement.context) == ("remote", 8192)
    assert "8192 tokens are assumed" in " ".join(status.steps)
    events = engine.generate(ask("Hi"))
    assert next(events) == Chunk("Hello")
    assert engine.status().state == "generating"
    rest = list(events)
    assert isinstance(rest[-1], Finish)
    assert rest[-1].device == "remote: 127.0.0.1"
    assert engine.status().state == "ready"
    assert engine.count((Message("user", "one two"),)) == 7
    assert (engine.restarts, engine.closed) == (0, False)
    listed = len([asked for asked in server.log if asked.path == "/v1/models"])
    engine.load(REMOTE)
    assert len([asked for asked in server.log if asked.path == "/v1/models"]) == listed, "it was found already"
    engine.unload()
    assert engine.status().state == "empty"
    with pytest.raises(UsageError, match="No model is loaded"):
        list(engine.generate(ask()))


def test_the_model_is_the_named_one_or_that_of_the_settings(engine: RemoteEngine, person: Person) -> None:
    assert engine.load(Path("remote:large")).name == "large"
    person.change(remote_model="large")
    assert engine.load(REMOTE).name == "large"
    assert engine.load(Path("remote:small")).name == "small"
    with pytest.raises(ModelNotFound, match="It has: small, large"):
        engine.load(Path("remote:other"))
    assert engine.status().state == "stopped"


def test_a_server_on_another_machine_is_said_to_be_one_and_is_kept_from(tmp_path: Path) -> None:
    engine = RemoteEngine(paths_in(tmp_path), Person(remote_address="http://192.0.2.7:8000/v1"), QUICK)
    with pytest.raises(OfflineError, match="The offline lock is on, so 192"):
        engine.load(REMOTE)
    assert engine.status().reason == "Runs on 192.0.2.7: what you write leaves this machine."
    assert engine.status().state == "stopped"


def test_turning_it_off_turns_it_off(engine: RemoteEngine, person: Person, server: ChatServer) -> None:
    engine.load(REMOTE)
    asked = len(server.log)
    person.change(remote_address="")
    with pytest.raises(SettingsError, match="No server is set"):
        list(engine.generate(ask()))
    with pytest.raises(UsageError, match="No model is loaded"):
        engine.count((Message("user", "x"),))
    assert len(server.log) == asked


def test_a_changed_setting_counts_from_the_next_answer(engine: RemoteEngine, person: Person) -> None:
    engine.load(REMOTE)
    person.change(context=1024)
    list(engine.generate(ask()))
    assert engine.info.context == 1024
    with ChatServer(answer("Other"), models=["third"]) as other:
        person.change(remote_address=other.address)
        assert split(list(engine.generate(ask())))[0] == "Other"
        assert engine.info.name == "third"


def test_an_error_leaves_it_ready_for_the_next(engine: RemoteEngine, person: Person) -> None:
    with ChatServer(raw(event("one")), answer("two")) as server:
        person.change(remote_address=server.address)
        engine.load(REMOTE)
        with pytest.raises(EdgeError, match="broke off"):
            list(engine.generate(ask()))
        assert engine.status().state == "ready"
        assert split(list(engine.generate(ask())))[0] == "two"


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_another_thread_ends_a_silent_answer(tmp_path: Path, how: str) -> None:
    with ChatServer(raw(event("one"), linger=True)) as server:
        engine = RemoteEngine(paths_in(tmp_path), Person(remote_address=server.address), QUICK)
        engine.load(REMOTE)
        events = engine.generate(ask())
        assert next(events) == Chunk("one")
        threading.Timer(0.3, getattr(engine, how)).start()
        started = time.monotonic()
        *_, last = events
        took = time.monotonic() - started
    print(f"{how}: {took - 0.3:.2f} s")
    assert isinstance(last, Finish)
    assert last.reason == "cancelled"
    assert took < 0.3 + 3
    assert engine.status().state == ("ready" if how == "cancel" else "stopped")


def test_what_is_closed_stays_closed(engine: RemoteEngine) -> None:
    engine.load(REMOTE)
    engine.close()
    assert engine.closed
    with pytest.raises(EngineError, match="closed"):
        list(engine.generate(ask()))
    with pytest.raises(EngineError, match="closed"):
        engine.load(REMOTE)


def test_it_reads_nothing(engine: RemoteEngine) -> None:
    engine.load(REMOTE)
    with pytest.raises(UsageError, match="does not read"):
        engine.read(Reading("embed"))


def test_the_switch_goes_by_the_name_of_the_model(tmp_path: Path, server: ChatServer, person: Person) -> None:
    local, made = Bench(tmp_path).engine(), list[str]()

    def remote() -> RemoteEngine:
        made.append("remote")
        return RemoteEngine(paths_in(tmp_path), person, QUICK)

    script = tmp_path / "tale.fake.json"
    script.write_text('{"name": "tale", "reply": "from here"}', encoding="utf-8")
    switch = Switch(lambda: local, remote)
    try:
        assert switch.status().state == "empty"
        with pytest.raises(UsageError, match="No model is loaded"):
            list(switch.generate(ask()))
        assert switch.load(script).name == "tale"
        assert split(list(switch.generate(ask())))[0] == "from here"
        assert made == [], "nobody asked for a server"
        pid = switch.status().pid
        assert pid is not None
        with pytest.raises(ModelNotFound):
            switch.load(Path("remote:other"))
        assert switch.status().pid == pid, "after a wrong name the model before is still there"
        assert switch.load(REMOTE).name == "small"
        assert switch.status().pid is None
        assert local.status().state == "empty"
        assert split(list(switch.generate(ask())))[0] == "Hello there"
        assert switch.info.name == "small"
        assert switch.load(script).name == "tale"
        assert split(list(switch.generate(ask())))[0] == "from here"
        assert switch.count((Message("user", "one two three"),)) == 3
    finally:
        switch.close()
    assert switch.closed
    with pytest.raises(UsageError, match="closed"):
        switch.load(script)
