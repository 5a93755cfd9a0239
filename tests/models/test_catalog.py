"""The shipped catalog, its schema, and the person's own file."""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from edgellm import paths
from edgellm.errors import ModelNotFound
from edgellm.models import catalog, names
from edgellm.paths import Paths

ENTRY: dict[str, Any] = {
    "name": "my-model",
    "title": "My model",
    "summary": "For me.",
    "format": "gguf",
    "tasks": ["chat"],
    "repo": "me/my-model",
    "file": [{"path": "my-model.gguf", "size": 5, "sha256": "a" * 64}],
}


def _shipped() -> dict[str, Any]:
    return tomllib.loads(paths.catalog_file().read_text(encoding="utf-8"))


def _document(**changes: Any) -> dict[str, Any]:
    return {"schema": 1, "model": [{**copy.deepcopy(ENTRY), **changes}]}


@pytest.fixture
def own(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path / "config", tmp_path / "data", tmp_path / "logs")


def _write(own: Paths, *entries: dict[str, Any], **top: Any) -> None:
    own.catalog.parent.mkdir(parents=True, exist_ok=True)
    own.catalog.write_text(tomlkit.dumps({"schema": 1, **top, "model": list(entries)}), encoding="utf-8")


def test_the_shipped_catalog_keeps_its_own_rules() -> None:
    assert catalog.problems(_shipped()) == ()


def test_the_shipped_catalog_holds_what_was_confirmed() -> None:
    cards = catalog.load(Paths.under(*[Path("/nowhere")] * 3)).cards
    assert len(cards) == 79
    files = [file for card in cards for file in card.files]
    assert sum(bool(file.sha256) for file in files) >= 100
    assert sum(all(file.sha256 for file in card.files) for card in cards) >= 60
    assert [card.name for card in cards if card.builtin] == ["starter"]
    assert sorted(card.name for card in cards if card.confirmed == "medium") == [
        "distilbart-cnn-12-6",
        "lamini-flan-t5-248m",
        "t5-small",
    ]
    assert [card.name for card in cards if not card.license and not card.license_note] == []
    assert [card.name for card in cards if card.format == "gguf" and len(card.files) != 1] == []
    hashes = [card.files[0].sha256 for card in cards if card.format == "gguf" and card.files[0].sha256]
    assert len(set(hashes)) == len(hashes)


def test_a_pick_is_not_for_a_smaller_machine_than_the_model_needs() -> None:
    for card in catalog.load(Paths.under(*[Path("/nowhere")] * 3)).cards:
        sizes = [
            int(found) for mark in card.recommended if "gpu" not in mark for found in re.findall(r":(\d+)gb", mark)
        ]
        assert all(size >= card.memory for size in sizes), card.name
        if card.size is not None:
            limits = {4: 1_250_000_000, 8: 3_000_000_000, 16: 9_100_000_000}
            fits = [memory for memory, limit in limits.items() if card.size <= limit]
            assert card.memory == (fits[0] if fits else 32), card.name


def test_each_machine_has_one_first_choice_for_each_task_and_a_trap_is_told() -> None:
    cards = catalog.load(Paths.under(*[Path("/nowhere")] * 3)).cards
    marks = [mark for card in cards for mark in card.recommended]
    assert sorted(marks) == sorted(set(marks))
    assert {"chat:4gb", "chat:8gb", "chat:16gb", "chat:32gb", "translate:8gb", "translate:16gb"} <= set(marks)
    chinese = next(card for card in cards if card.name == "opus-mt-en-zh")
    assert "repeats itself" in chinese.notes and ">>cmn_Hans<<" in chinese.template
    assert {file.path for file in chinese.files} >= {"onnx/decoder_model_merged.onnx"}
    for card in cards:
        assert "opus-mt" not in card.name or "CC-BY-4.0" in card.license_line
        assert "NC" not in card.license or "commercial" in card.license_line


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "My Model"}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "con"}, "name"),
        ({"name": 7}, "name must be a text"),
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"summary": "two\nlines"}, "summary"),
        ({"summary": "a\u202eb"}, "summary"),
        ({"format": "pickle"}, "format"),
        ({"tasks": ["dance"]}, "tasks"),
        ({"tasks": "chat"}, "tasks must be a list"),
        ({"tasks": [["chat"]]}, "tasks"),
        ({"tasks": ["chat", "chat"]}, "twice"),
        ({"languages": ["English"]}, "languages"),
        ({"repo": "no-owner"}, "repo"),
        ({"repo": "a/../b"}, "repo"),
        ({"repo": "https://x/y"}, "repo"),
        ({"revision": "main"}, "revision"),
        ({"context": 0}, "context"),
        ({"context": True}, "context must be a whole number"),
        ({"memory": 5}, "memory"),
        ({"architecture": "Plain Transformer"}, "architecture"),
        ({"recommended": ["chat:huge"]}, "recommended"),
        ({"license": ["MIT"]}, "license"),
        ({"confirmed": "low"}, "confirmed"),
        ({"builtin": "yes"}, "builtin"),
        ({"mystery": 1}, "mystery"),
        ({"file": []}, "file"),
        ({"file": ["x.gguf"]}, "file"),
        ({"file": [{"size": 5}]}, "path is missing"),
        ({"file": [{"path": "../x"}]}, "path"),
        ({"file": [{"path": "NUL"}]}, "path"),
        ({"file": [{"path": "edgellm-model.json"}]}, "path"),
        ({"file": [{"path": "x", "size": 0}]}, "size"),
        ({"file": [{"path": "x", "size": 1.5}]}, "size"),
        ({"file": [{"path": "x", "sha256": "a" * 40}]}, "sha256"),
        ({"file": [{"path": "x", "sha256": "g" * 64}]}, "sha256"),
        ({"file": [{"path": "x", "git_oid": "a" * 64}]}, "git_oid"),
        ({"file": [{"path": "x", "url": "http://example.org/x"}]}, "url"),
        ({"file": [{"path": "x", "url": "file:///etc/passwd"}]}, "url"),
        ({"file": [{"path": "x", "url": "https://me:secret@example.org/x"}]}, "url"),
        ({"file": [{"path": "x", "url": "https://example.org:99999/x"}]}, "url"),
        ({"file": [{"path": "x", "odd": 1}]}, "odd"),
        ({"file": [{"path": "x"}, {"path": "X"}]}, "one place"),
        ({"repo": ""}, "repo"),
    ],
)
def test_each_defect_is_a_sentence_with_the_entry_and_the_field(changes: dict[str, Any], said: str) -> None:
    (sentence,) = catalog.problems(_document(**changes))
    assert said in sentence and sentence.endswith(".") and len(sentence) < 400 and sentence.isprintable()
    assert names.shown(changes.get("name", "my-model")) in sentence or "Model number 1" in sentence


@pytest.mark.parametrize("field", ["name", "title", "summary", "file", "format", "tasks"])
def test_a_missing_field_is_named(field: str) -> None:
    document = _document()
    del document["model"][0][field]
    (sentence,) = catalog.problems(document)
    assert f"{field} is missing" in sentence


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("schema"),
        lambda document: document.update(schema=2),
        lambda document: document.update(schema=True),
        lambda document: document.update(extra=1),
        lambda document: document.update(model={}),
        lambda document: document.update(model=["x"]),
        lambda document: document["model"].append(ENTRY),
        lambda document: document["model"][0].pop("repo"),
    ],
)
def test_defects_of_the_document_are_named(change: Callable[[dict[str, Any]], object]) -> None:
    document = _document()
    change(document)
    assert len(catalog.problems(document)) == 1


def test_without_a_repo_each_file_needs_an_address() -> None:
    entry = _document(file=[{"path": "x.gguf", "url": "https://example.org/x.gguf"}])
    del entry["model"][0]["repo"]
    assert catalog.problems(entry) == ()


def test_the_own_file_adds_and_replaces(own: Paths) -> None:
    _write(own, ENTRY, {**ENTRY, "name": "qwen3.5-4b-q4", "title": "Mine"})
    both = catalog.load(own)
    assert both.notice == "" and len(both.cards) == 80
    assert both.get("my-model").own and both.get("my-model").size == 5
    assert both.get("qwen3.5-4b-q4").title == "Mine" and both.get("qwen3.5-4b-q4").own
    assert not both.get("qwen3.5-2b-q4").own


@pytest.mark.parametrize("text", ["[[model", "schema = 1\nmodel = 3", "\x00", "[" * 5000, "schema = 1", "a." * 20_000])
def test_a_broken_own_file_is_one_notice(own: Paths, text: str) -> None:
    own.catalog.parent.mkdir(parents=True)
    own.catalog.write_text(text, encoding="utf-8")
    loaded = catalog.load(own)
    assert len(loaded.cards) == 79
    assert "models.toml" in loaded.notice and loaded.notice.isprintable() and len(loaded.notice) < 400


def test_an_own_file_that_is_no_text_or_no_file_or_too_large_is_one_notice(own: Paths) -> None:
    own.catalog.parent.mkdir(parents=True)
    own.catalog.write_bytes(b"\xff\xfe\x00")
    assert "not valid" in catalog.load(own).notice
    own.catalog.write_bytes(b"#" * (5 << 20))
    assert "too large" in catalog.load(own).notice
    own.catalog.unlink()
    assert catalog.load(own).notice == ""
    own.catalog.mkdir()
    assert "could not be read" in catalog.load(own).notice


def test_hostile_own_entries_are_left_out_by_name_and_the_rest_works(own: Paths) -> None:
    hostile = [
        {**ENTRY, "name": "evil", "file": [{"path": "../../.bashrc"}]},
        {**ENTRY, "name": "worse", "file": [{"path": "x", "url": "https://u:p@example.org/x"}]},
        {**ENTRY, "name": "starter"},
        {**ENTRY, "name": "mine", "builtin": True, "file": [{"path": "starter/starter.gguf"}]},
        {**ENTRY, "name": "hash", "file": [{"path": "x", "sha256": "../" * 20}]},
    ]
    _write(own, ENTRY, *hostile)
    loaded = catalog.load(own)
    assert len(loaded.cards) == 80 and loaded.get("my-model").own
    assert loaded.get("starter").builtin and not loaded.get("starter").own
    assert all(f"'{name}'" in loaded.notice for name in ("evil", "worse", "starter")) and "2 more" in loaded.notice
    assert "secret" not in loaded.notice and loaded.notice.count("\n") == 0


def test_the_license_is_one_line_before_a_download() -> None:
    card = catalog.card_of(ENTRY)
    assert card.license_line == "unknown. Read the repository's card before use"
    assert replace(card, license="MIT").license_line == "MIT"
    assert replace(card, license="X", license_note="Ask first.").license_line == "X. Ask first"
    assert replace(card, license_note="Not seen.").license_line == "unknown. Not seen"


def test_a_name_is_found_in_any_case_and_a_wrong_one_has_neighbors() -> None:
    loaded = catalog.load(Paths.under(*[Path("/nowhere")] * 3))
    assert loaded.get(" Qwen3.5-4B-Q4 ").name == "qwen3.5-4b-q4"
    with pytest.raises(ModelNotFound) as caught:
        loaded.get("qwen3.5-4b")
    assert "qwen3.5-4b-q4" in caught.value.hint
    with pytest.raises(ModelNotFound) as caught:
        loaded.get("zzzzzzzz")
    assert "edgellm models list" in caught.value.hint


def test_find_takes_every_word_and_puts_names_first() -> None:
    loaded = catalog.load(Paths.under(*[Path("/nowhere")] * 3))
    assert {card.name for card in loaded.find("french translate")} == {"opus-mt-en-fr", "opus-mt-fr-en"}
    assert loaded.find("QWEN")[0].name.startswith("qwen")
    assert loaded.find("apache deepseek") == () and len(loaded.find("")) == 79


def test_the_file_says_nothing_of_how_it_was_gathered() -> None:
    text = paths.catalog_file().read_text(encoding="utf-8")
    assert not re.search(r"index ids?|\bid \d{5,}|gallery|stored|source =", text)
    assert os.sep + "work" not in text
    written = [card.partition(" ")[0] for card in re.findall(r'^name = "(.*)"$', text, re.MULTILINE)]
    assert len(written) == 79


def test_the_example_in_the_documentation_can_be_used() -> None:
    page = Path(__file__).parents[2] / "docs" / "models-catalog.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    document = tomllib.loads(example)
    assert catalog.problems(document) == ()
    assert [catalog.card_of(entry, own=True).size for entry in document["model"]] == [2_740_937_888, None]
