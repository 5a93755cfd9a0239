"""Tests of the composition root."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.app import App
from edgellm.errors import ModelDamaged, ModelNotFound, ModelTooLarge, OfflineError, SettingsError
from edgellm.runtimes.base import Chunk, Message, Request
from edgellm.settings import load
from tests.loopback_hub import Hub
from tests.tiny_gguf import make


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    app = App.create()
    yield app
    app.close()


def _script(folder: Path, **keys: object) -> Path:
    path = folder / "tale.fake.json"
    path.write_text(json.dumps(keys))
    return path


def test_overrides_hold_for_this_run_only(home: Path) -> None:
    app = App.create({"threads": 3})
    assert app.settings.threads == 3
    app.save_settings(context=2048)
    assert (app.settings.threads, app.settings.context) == (3, 2048)
    saved, notice = load(home / "settings.toml")
    assert (saved.threads, saved.context, notice) == (0, 2048, "")
    with pytest.raises(SettingsError):
        App.create({"threads": "many"})
    with pytest.raises(SettingsError):
        app.save_settings(threads=-1)
    app.close()


def test_a_broken_settings_file_gives_one_notice(home: Path) -> None:
    home.mkdir()
    (home / "settings.toml").write_text("[[[")
    app = App.create()
    assert "damaged" in app.notice
    app.close()


def test_the_engine_runs_a_model_and_starts_again_after_close(app: App, tmp_path: Path) -> None:
    path = _script(tmp_path, reply="it works")
    engine = app.engine()
    assert engine is app.engine()
    engine.load(app.model_path(str(path)))
    events = engine.generate(Request((Message("user", "go"),)))
    assert "".join(event.text for event in events if isinstance(event, Chunk)) == "it works"
    assert engine.status().reason == "A scripted model runs anywhere."
    engine.close()
    assert app.engine() is not engine


def test_a_damaged_file_is_refused_before_any_library_sees_it(app: App, tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF\3\0\0\0" + b"\xff" * 100)
    with pytest.raises(ModelDamaged):
        app.engine().load(path)


def test_hardware_is_one_object_for_all_threads(app: App) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(app.hardware().cpu)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_the_store_is_opened_once_and_closed(app: App, home: Path) -> None:
    assert app.store() is app.store()
    assert (home / "chats.db").is_file()


def test_building_the_app_imports_nothing_heavy(home: Path) -> None:
    code = (
        "import sys; from edgellm.app import App; App.create().close();"
        "heavy = {'llama_cpp', 'torch', 'transformers', 'onnxruntime', 'PySide6', 'numpy', 'httpx', 'psutil', 'apsw',"
        " 'rich', 'cryptography', 'keyring', 'starlette', 'uvicorn', 'filelock'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_model_larger_than_the_memory_is_refused_and_loaded_anyway(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "tiny.gguf")
    real = app.hardware()
    small = dataclasses.replace(real, gpus=(), memory=dataclasses.replace(real.memory, total=1_000_000, free=500_000))
    monkeypatch.setattr(app, "hardware", lambda: small)
    engine = app.engine()
    with pytest.raises(ModelTooLarge, match="too large for this computer"):
        engine.load(path)
    engine.load(path, anyway=True)
    assert engine.status().state == "ready"
    assert "swap" in engine.status().reason


def test_models_are_found_in_every_folder_of_the_settings(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other disk"
    for folder, name in ((other, "there"), (home / "models", "here")):
        folder.mkdir(parents=True)
        make(folder / f"{name}.gguf")
    app = App.create({"model_folders": os.pathsep.join([str(other), "", " "])})
    assert app.models().folders == (other, home / "models")
    assert app.model_path("there") == other / "there.gguf"
    assert app.model_path("here") == home / "models" / "here.gguf"
    app.close()


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("qwen3-0.6b-q4", "qwen3-0.6b-q4 is not installed", "Run: edgellm models pull qwen3-0.6b-q4"),
        (" QWEN3-0.6B ", "qwen3-0.6b-q4 is not installed", "Run: edgellm models pull qwen3-0.6b-q4"),
        ("qwen3-0.6b-q3", "'qwen3-0.6b-q3' is not installed", "Did you mean qwen3-0.6b-q4"),
        ("startr", "'startr' is not installed", "Did you mean starter"),
        ("./startr.gguf", "no model file", "Check the path"),
    ],
)
def test_a_model_that_is_not_here_says_how_to_get_it(app: App, name: str, message: str, hint: str) -> None:
    with pytest.raises(ModelNotFound, match=message) as raised:
        app.model_path(name)
    assert hint in raised.value.hint


def test_the_part_of_a_name_that_is_left_out_must_be_clear(app: App, home: Path) -> None:
    home.mkdir(exist_ok=True)
    entry = 'title = "T"\nsummary = "S."\nrepo = "a/b"\nlicense = "MIT"\ntasks = ["chat"]\nformat = "gguf"\n'
    file = '[[model.file]]\npath = "m.gguf"\nsize = 10\n'
    models = "".join(f'[[model]]\nname = "mine-q{bits}"\nconfirmed = "high"\n{entry}{file}' for bits in (4, 8))
    (home / "models.toml").write_text(f"schema = 1\n{models}")
    found = app.card("mine-q8")
    assert found is not None
    assert found.own
    assert app.card("mine") is None


def test_the_hub_gets_the_token_and_the_lock_keeps_others_away(home: Path, tmp_path: Path) -> None:
    from edgellm.models.token import Tokens

    data = make(tmp_path / "tiny.gguf").read_bytes()
    with Hub(repos={"me/tiny-GGUF": {"tiny-Q8_0.gguf": data}}, gated=["me/tiny-GGUF"], token="hf_secret") as hub:
        app = App.create({"mirror": hub.endpoint})
        Tokens(app.paths).save(hub.endpoint, "hf_secret")
        installed = app.downloads().pull(app.hub().card("me/tiny-GGUF"))
        assert app.model_path(installed.name).read_bytes() == data
        assert all("hf_secret" not in seen.text for seen in hub.requests("cdn"))
        app.close()
    app = App.create({"mirror": "http://192.0.2.1"})
    with pytest.raises(OfflineError):
        app.hub().listing("me/tiny-GGUF")
    app.close()


def test_a_run_corrects_the_expected_speed(app: App, home: Path, tmp_path: Path) -> None:
    path = make(tmp_path / "tiny.gguf")
    engine = app.engine()
    engine.load(path)
    assert app.here().speeds.models == ()
    list(engine.generate(Request((Message("user", "go"),), max_tokens=40)))
    found = app.here().speeds.models
    assert [one.key for one in found] == [f"tiny.gguf:{path.stat().st_size}"]
    assert found[0].tokens_per_second > 0
