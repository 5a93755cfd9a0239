"""Vectors of passages: each passage one, of one model, gone with it, and none lost or made twice by a kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np
import pytest

from edgellm import database
from edgellm.documents import library_schema, retrieve, vectors
from edgellm.documents.index import Control, Indexer
from edgellm.documents.library import Library
from edgellm.documents.retrieve import Aids, search
from edgellm.documents.vectors import Embedder, Kept, Made
from edgellm.errors import ModelDamaged, StorageError
from edgellm.runtimes.base import Vectors
from tests import embed_child, index_child

COUNTS = "SELECT (SELECT count(*) FROM passage), (SELECT count(*) FROM vector), (SELECT count(*) FROM vector_sign)"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    (tmp_path / "files").mkdir()
    made.create("notes")
    made.add_source("notes", tmp_path / "files")
    yield made
    made.close()


def fill(library: Library, **texts: str) -> None:
    folder = library.path.parent / "files"
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    Indexer(library, index_child.read).update("notes")


def names(library: Library, text: str, aids: Aids = retrieve.WORDS, limit: int = 3) -> list[str]:
    return [one.path.stem for one in search(library, text, limit, aids=aids)]


def test_each_passage_gets_one_vector_and_only_new_ones_are_made(library: Library) -> None:
    seen: list[str] = []
    model = embed_child.embedder(seen=seen.append)
    fill(library, one="The car is red.", two="# Health\n\nThe doctor is in.", copy="The car is red.")
    assert vectors.kept(library) is None
    assert vectors.embed(library, model) == Made(embedded=2)
    assert vectors.embed(library, model) == Made()
    assert sorted(seen) == ["Health\nHealth\n\nThe doctor is in.", "copy\nThe car is red."]
    fill(library, three="The kettle is on.")
    assert vectors.missing(library) == 1
    assert vectors.embed(library, model) == Made(embedded=1)
    assert len(seen) == 3
    assert vectors.kept(library) == Kept("model-a", embed_child.SIZE, 3, 3)


def test_a_vector_goes_with_its_passage(library: Library, tmp_path: Path) -> None:
    fill(library, one="The car is red.", two="The doctor is in.")
    vectors.embed(library, embed_child.embedder())
    fill(library, one="The bicycle is blue and new.")
    assert library.rows(COUNTS) == [(2, 1, 1)]
    library.delete("notes")
    assert library.rows(COUNTS) == [(0, 0, 0)]


def test_other_words_with_the_same_meaning_are_found(library: Library) -> None:
    fill(library, car="A car with a dent.", cat="A cat with a hat.", doctor="The doctor came late.")
    model = embed_child.embedder()
    assert names(library, "automobile", Aids(model)) == []
    vectors.embed(library, model)
    assert names(library, "automobile") == []
    assert names(library, "automobile", Aids(model))[0] == "car"
    assert names(library, "physician", Aids(model))[0] == "doctor"
    for text in ("", "   ", "\0", "\ud800", "x" * 100_000, '"', "?"):
        search(library, text, 3, aids=Aids(model))


def test_within_a_collection_only_its_own_are_near(library: Library, tmp_path: Path) -> None:
    fill(library, car="A car with a dent.", cat="A cat with a hat.")
    other = tmp_path / "other.txt"
    other.write_text("A kettle with a spout.")
    library.create("more")
    library.add_source("more", other)
    Indexer(library, index_child.read).update("more")
    model = embed_child.embedder()
    vectors.embed(library, model)
    assert [one.path.stem for one in search(library, "vehicle", 3, "more", Aids(model))] == ["other"]


def test_another_model_or_size_embeds_anew(library: Library) -> None:
    fill(library, one="The car is red.", two="The doctor is in.")
    vectors.embed(library, embed_child.embedder())
    for model in (embed_child.embedder("model-b"), embed_child.embedder("model-b", 20)):
        assert vectors.nearest(library, model, "car", 5) == {}, "vectors of another model are not compared"
        assert vectors.embed(library, model) == Made(embedded=2)
        assert vectors.kept(library) == Kept("model-b", model.size, 2, 2)
        assert library.rows(
            "SELECT DISTINCT length(data), length(sign) FROM vector JOIN vector_sign USING (passage)"
        ) == [(model.size, -(-model.size // 8))]
        assert len(vectors.nearest(library, model, "car", 5)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Vectors(8, np.ones((1, 8), "<f4").tobytes()),
        Vectors(embed_child.SIZE, b""),
        Vectors(0, b""),
        Vectors(embed_child.SIZE, np.full((1, embed_child.SIZE), np.nan, "<f4").tobytes()),
        Vectors(embed_child.SIZE, np.full((1, embed_child.SIZE), np.inf, "<f4").tobytes()),
        Vectors(embed_child.SIZE, np.ones((2, embed_child.SIZE), "<f4").tobytes()),
    ],
)
def test_what_is_no_vector_of_this_size_is_refused(library: Library, answer: Vectors) -> None:
    fill(library, one="The car is red.")
    good = embed_child.embedder()
    bad = replace(good, passages=lambda texts, cancelled: answer, question=lambda text: answer)
    with pytest.raises(ModelDamaged, match="48 numbers"):
        vectors.embed(library, bad)
    assert library.rows(COUNTS) == [(1, 0, 0)]
    vectors.embed(library, good)
    with pytest.raises(ModelDamaged):
        search(library, "car", aids=Aids(bad))


def test_a_vector_of_zeros_is_only_never_near(library: Library) -> None:
    fill(library, one="The car is red.", two="The doctor is in.")
    good = embed_child.embedder()
    none = Vectors(embed_child.SIZE, bytes(4 * embed_child.SIZE))
    twice = Vectors(embed_child.SIZE, bytes(8 * embed_child.SIZE))
    empty = replace(good, passages=lambda texts, cancelled: twice, question=lambda text: none)
    vectors.embed(library, empty)
    assert names(library, "car", Aids(empty))[0] == "one"


def test_it_is_stopped_between_batches_and_goes_on(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_BATCH", 2)
    fill(library, **{f"f{number}": f"number {number}" for number in range(7)})
    told: list[tuple[int, int]] = []
    rests: list[float] = []
    control = Control(cancelled=lambda: len(told) == 2, pause=lambda: rests.append(1) or 0.001)  # type: ignore[func-returns-value]
    model = embed_child.embedder()
    found = vectors.embed(library, model, control, lambda done, total: told.append((done, total)))
    assert found == Made(embedded=4, left=3, stopped=True)
    assert told == [(2, 7), (4, 7)]
    assert len(rests) == 2
    assert vectors.embed(library, model) == Made(embedded=3)


def test_a_batch_that_was_canceled_inside_is_not_kept(library: Library) -> None:
    fill(library, one="The car is red.", two="The doctor is in.")
    stop: list[bool] = []
    model = embed_child.embedder(seen=lambda text: stop.append(True))
    found = vectors.embed(library, model, Control(cancelled=lambda: bool(stop)))
    assert found == Made(left=2, stopped=True)
    assert library.rows(COUNTS) == [(2, 0, 0)]


def test_a_passage_that_is_replaced_meanwhile_gets_no_wrong_vector(library: Library) -> None:
    fill(library, one="The car is red.")
    changed: list[bool] = []

    def change(text: str) -> None:
        if not changed:
            changed.append(True)
            library.delete("notes")
            library.create("notes")
            library.add_source("notes", library.path.parent / "files")
            fill(library, one="The doctor is in.")
            assert library.rows("SELECT id FROM passage") == [(1,)], "the same number for another passage"

    assert vectors.embed(library, embed_child.embedder(seen=change)) == Made(left=1)
    assert vectors.embed(library, embed_child.embedder()) == Made(embedded=1)
    assert names(library, "physician", Aids(embed_child.embedder())) == ["one"]


def test_only_one_program_embeds(library: Library) -> None:
    fill(library, one="The car is red.")
    with (
        filelock.FileLock(f"{library.path}.embedding"),
        pytest.raises(StorageError, match="Another program is embedding"),
    ):
        vectors.embed(library, embed_child.embedder())
    assert vectors.embed(library, embed_child.embedder()) == Made(embedded=1)


def test_the_nearest_are_those_of_an_exact_comparison(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 3,000 vectors of 384 numbers around 40 centers, by sign a fifteenth is compared: 98 of 100 come, at least."""
    chance = np.random.default_rng(5)
    centers = chance.standard_normal((40, 384))
    table = centers[np.arange(3000) % 40] + 0.8 * chance.standard_normal((3000, 384))
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    fill(library, many="\f".join(f"passage {number}" for number in range(3000)))
    at = {number: row for row, (number,) in enumerate(library.rows("SELECT id FROM passage ORDER BY id"))}
    queue = iter(np.array_split(table.astype("<f4"), range(vectors._BATCH, 3000, vectors._BATCH)))
    asked = (centers + 0.8 * chance.standard_normal((40, 384))).astype("<f4")
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    model = Embedder(
        "m",
        384,
        lambda texts, cancelled: Vectors(384, next(queue).tobytes()),
        lambda t: Vectors(384, asked[int(t)].tobytes()),
    )
    assert vectors.embed(library, model).embedded == 3000
    monkeypatch.setattr(vectors, "_COMPARED", 200)
    hits = 0
    for number in range(40):
        exact = set(np.argsort(-(table @ asked[number]))[:10].tolist())
        found = vectors.nearest(library, model, str(number), 10)
        assert list(found.values()) == sorted(found.values(), reverse=True)
        hits += len(exact & {at[key] for key in found})
    assert hits >= 0.98 * 400


def test_killed_in_the_middle_it_goes_on_with_none_missing_and_none_twice(library: Library) -> None:
    """600 passages; killed (kill -9) three times. The model sees one again only if its batch was in work at a kill."""
    fill(library, many="\f".join(f"number {number}" for number in range(600)))
    root = str(Path(__file__).parents[2])
    seen: list[str] = []
    in_work: set[str] = set()
    batch = vectors._BATCH
    for batches in (2, 1, 3):
        program = [sys.executable, "-m", "tests.embed_child", str(library.path), str(batches)]
        child = subprocess.Popen(
            program, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": root}
        )
        assert child.stdout is not None
        mine = [child.stdout.readline().strip() for _ in range((batches + 1) * batch)]
        child.kill()
        child.wait()
        child.stdout.close()
        seen += mine
        in_work |= set(mine[-batch:])
        assert library.rows(COUNTS)[0][1] == len(set(seen) - set(mine[-batch:]))
    made = vectors.embed(library, embed_child.embedder(seen=lambda text: seen.append(text.splitlines()[-1])))
    assert made.left == 0
    assert {text for text in seen if seen.count(text) > 1} <= in_work
    assert len(set(seen)) == 600
    assert library.rows(COUNTS) == [(600, 600, 600)]
    assert library.rows(
        "SELECT count(*) FROM vector JOIN vector_sign USING (passage) JOIN passage ON id = passage"
    ) == [(600,)]
    assert search(library, "number 321", 1, aids=Aids(embed_child.embedder()))[0].text == "number 321"


def test_killed_while_the_model_changes_the_old_vectors_are_dropped(library: Library) -> None:
    fill(library, one="The car is red.")
    vectors.embed(library, embed_child.embedder())
    with library.transaction() as db:  # as far as it gets before the first are dropped
        db.execute("DELETE FROM vector_model")
    assert vectors.nearest(library, embed_child.embedder(), "car", 5) == {}
    assert vectors.embed(library, embed_child.embedder("model-b")) == Made(embedded=1)


def test_where_sqlite_vec_does_not_load_words_are_searched(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(library, one="The car is red.")
    model = embed_child.embedder()
    vectors.embed(library, model)
    monkeypatch.setitem(sys.modules, "sqlite_vec", None)
    assert not library.compares()
    assert names(library, "car", Aids(model)) == ["one"]
    assert names(library, "vehicle", Aids(model)) == []


def test_a_library_from_before_there_were_vectors_is_brought_up_to_date(tmp_path: Path) -> None:
    database.open(tmp_path / "old.db", library_schema.MIGRATIONS[:1]).close()
    made = Library(tmp_path / "old.db")
    assert made.notice == ""
    assert vectors.kept(made) is None
    made.close()


def test_a_model_that_ranks_has_the_last_word(library: Library) -> None:
    fill(library, a="A car, long ago.", b="A car of my own car.", c="About the car at last.")
    asked: list[tuple[str, int]] = []

    def rank(question: str, texts: tuple[str, ...]) -> list[float]:
        asked.append((question, len(texts)))
        return [float("last" in text) + 0.1 * ("ago" in text) for text in texts]

    found = search(library, "car", 2, aids=Aids(rank=rank, ranker="r"))
    assert [one.path.stem for one in found] == ["c", "a"]
    assert [one.score for one in found] == [1.0, 0.1]
    assert asked == [("car", 3)]
    unordered = search(library, "car", 3)
    assert search(library, "car", 3, aids=Aids(rank=lambda question, texts: [1.0])) == unordered
    assert search(library, "xylophone", 3, aids=Aids(rank=rank)) == ()


def test_what_it_is_searched_with_is_said() -> None:
    model = embed_child.embedder()
    assert retrieve.WORDS.means() == "by words"
    assert Aids(model).means() == "by words and by meaning (model-a)"
    assert Aids(model, lambda q, t: (), "r").means() == "by words and by meaning (model-a), put in order by r"
