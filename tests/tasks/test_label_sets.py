"""Label sets: which labels can be used, and how a person's own sets are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm.errors import SettingsError, UsageError
from edgellm.tasks import label_sets
from edgellm.tasks.label_sets import Label, LabelSets


@pytest.fixture
def sets(tmp_path: Path) -> LabelSets:
    return LabelSets(tmp_path / "config" / "labels.toml")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([], "two different"),
        (["a"], "two different"),
        (["a", "a"], "a is there twice"),
        (["a", ""], "is empty"),
        (["Good", "good"], "only in their case"),
        ([str(number) for number in range(500)], "500 labels"),
        (["a" * 101, "b"], "longer than 100"),
        (["a\x07", "b"], "cannot be shown"),
    ],
)
def test_bad_sets_are_refused_and_nothing_is_kept(sets: LabelSets, labels: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sets.save("mine", [Label(name) for name in labels])
    assert [each.name for each in sets.all()] == list(label_sets.SHIPPED)


def test_a_set_is_kept_found_replaced_and_removed(sets: LabelSets) -> None:
    sets.save("my letters", [Label("complaint", 'Something is = "broken".'), Label("praise, or thanks")])
    found = sets.get("my letters")
    assert found.own
    assert found.labels == (Label("complaint", 'Something is = "broken".'), Label("praise, or thanks"))
    with pytest.raises(UsageError, match="already"):
        sets.save("my letters", [Label("a"), Label("b")])
    sets.save("my letters", [Label("b"), Label("a")], replace=True)
    assert [label.name for label in sets.get("my letters").labels] == ["b", "a"]
    sets.remove("my letters")
    with pytest.raises(UsageError, match="no label set my letters"):
        sets.get("my letters")
    with pytest.raises(UsageError):
        sets.remove("my letters")


def test_own_sets_stand_in_for_those_that_ship_and_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "labels.toml"
    file.write_text('# mine\n[sentiment]\ngut = ""\nschlecht = "Klage"\n', encoding="utf-8")
    sets = LabelSets(file)
    assert [label.name for label in sets.get("sentiment").labels] == ["gut", "schlecht"]
    sets.save("other", [Label("a"), Label("b")])
    assert file.read_text(encoding="utf-8").startswith("# mine\n[sentiment]")
    sets.remove("sentiment")
    assert [label.name for label in sets.get("sentiment").labels] == ["positive", "negative", "neutral"]
    with pytest.raises(UsageError, match="ships"):
        sets.remove("sentiment")


@pytest.mark.parametrize("text", ["[a\n", "a = 1\n", "[a]\nb = 2\n", '[a]\nonly = ""\n', "\x00", "x" * 1_000_001])
def test_a_damaged_file_is_said_and_stays(tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"labels\.toml"):
        LabelSets(file).all()
    with pytest.raises(SettingsError):
        LabelSets(file).save("x", [Label("a"), Label("b")])
    assert file.read_text() == text


def test_the_sets_that_ship_can_be_used() -> None:
    for each in label_sets.SHIPPED.values():
        assert label_sets.strict(each.labels) == each.labels
