"""The translation memory: what it finds, that it is private, and that clearing it leaves nothing."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted_generator import Scripted

from edgellm import database
from edgellm.documents.segment import Segment, Sheet
from edgellm.runtimes.base import ModelInfo, Sampling
from edgellm.tasks import translation_output, translation_way
from edgellm.tasks.memory import MIGRATIONS, Key, Memory
from edgellm.tasks.options import Options
from edgellm.tasks.translate_file import FileTranslation, Order

KEY = Key(("The ", "dog"), "en", "fr", "model 1")


def test_only_the_same_text_languages_model_and_terms_are_found(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.db")
    memory.put(KEY, ("Le ", "chien"))
    memory.put(KEY, ("Le ", "toutou"))
    assert memory.get(KEY) == ("Le ", "toutou")
    others = [
        replace(KEY, pieces=("The dog",)),
        replace(KEY, origin="de"),
        replace(KEY, target="de"),
        replace(KEY, model="model 2"),
        replace(KEY, terms="x"),
        replace(KEY, settings="x"),
    ]
    assert [memory.get(key) for key in others] == [None] * 6
    assert memory.count() == 1
    memory.close()


def test_it_is_kept_and_private(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    memory = Memory(path)
    memory.put(KEY, ("Le ", "chien"))
    memory.close()
    assert os.name != "posix" or stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Memory(path)
    assert again.get(KEY) == ("Le ", "chien")
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_clearing_leaves_no_text_on_the_disk(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.db")
    memory.put(replace(KEY, pieces=("a secret of mine",)), ("un secret",))
    assert any(b"a secret of mine" in path.read_bytes() for path in tmp_path.iterdir())
    assert memory.clear() == 1
    assert not any(b"a secret of mine" in path.read_bytes() for path in tmp_path.iterdir())
    assert memory.count() == 0
    memory.close()


@pytest.mark.parametrize("half", ["\ud800", "日本", "a\0b"])
def test_any_text_can_be_kept(tmp_path: Path, half: str) -> None:
    memory = Memory(tmp_path / "m.db")
    memory.put(replace(KEY, pieces=(half,)), (half,))
    assert memory.get(replace(KEY, pieces=(half,))) == (half,)
    memory.close()


def test_a_damaged_file_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_bytes(b"no database" * 1000)
    memory = Memory(path)
    assert "was damaged" in memory.notice
    assert memory.count() == 0
    memory.close()


def test_unfinished_translations_are_found_again_and_old_ones_given_up(tmp_path: Path) -> None:
    folder, path, out = tmp_path / "translations", tmp_path / "a.docx", tmp_path / "a.fr.docx"
    first = translation_output.unfinished(folder, path, out)
    first.put(KEY, ("Le ", "chien"))
    first.close()
    again = translation_output.unfinished(folder, path, out)
    assert again.get(KEY) == ("Le ", "chien")
    again.close()
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    other = translation_output.unfinished(folder, tmp_path / "b.docx", out)
    assert len(list(folder.glob("*.db"))) == 1
    other.close()
    translation_output.forget(folder)
    assert list(folder.iterdir()) == []


def test_settings_count_only_where_the_model_would_be_asked_otherwise() -> None:
    general = Scripted(str).info
    pair = replace(general, kind="seq2seq")
    plain = translation_way.fingerprint(general, Options())

    def same(info: ModelInfo = general, **changes: Any) -> bool:
        return translation_way.fingerprint(info, Options(**changes)) == plain

    assert same(max_tokens=9, cancelled=lambda: True, system=" ")
    assert same(sampling=Sampling(seed=3, top_k=1, top_p=0.1, min_p=0.2))  # nothing is drawn
    assert not same(system="Be formal.")
    assert same(pair, system="Be formal.")  # it reads none
    assert not same(stop=("x",))
    for sampling in (Sampling(0.7), Sampling(repeat_penalty=1.2), Sampling(frequency_penalty=1.0)):
        assert not same(sampling=sampling)
    drawn = {translation_way.fingerprint(general, Options(sampling=Sampling(0.7, seed=seed))) for seed in (1, 2, None)}
    assert len(drawn) == 3


def test_what_was_made_with_other_settings_does_not_come_back(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.db")
    sheet = Sheet("docx", (Segment(("The dog is here.",), "slide 1"),), ())
    asked = []
    for system in ("", "Be formal.", "", "Be formal."):
        generator = Scripted(str.upper)
        work = FileTranslation(generator, sheet, Order("fr", "en", options=Options(system=system)), memory)
        assert len(list(work.run())) == 1
        asked.append(len(generator.requests))
    assert asked == [1, 1, 0, 0]
    memory.close()


def test_a_memory_of_before_opens_and_its_rows_are_not_found(tmp_path: Path) -> None:
    old = database.open(tmp_path / "m.db", MIGRATIONS[:1])
    old.execute("INSERT INTO translation VALUES (?, ?, ?, ?, ?, 'x', 1)", KEY.columns[:5])
    old.close()
    memory = Memory(tmp_path / "m.db")
    assert memory.get(KEY) is None
    memory.put(KEY, ("Le ", "chien"))
    assert memory.get(KEY) == ("Le ", "chien")
    assert memory.notice == ""
    memory.close()
