"""Nearly equal warnings of one file are one, with their places."""

from __future__ import annotations

from edgellm.tasks.warning_groups import Group, grouped, in_words


def test_many_of_a_kind_are_one_with_the_first_places() -> None:
    warnings = [f"page {n}, paragraph 1: the built-in model was not taught w{n}." for n in range(1, 101)]
    (group,) = grouped(warnings)
    assert group.places == tuple(f"page {n}, paragraph 1" for n in range(1, 6))
    assert group.more == 95
    assert in_words(group).endswith(
        "page 5, paragraph 1 and 95 more: the built-in model was not taught some of the words."
    )


def test_a_few_of_a_kind_stay_whole_and_kinds_stay_apart() -> None:
    few = [f"paragraph {n}: the formatting may sit on other words: Text {n}." for n in (1, 2)]
    cut = [f"paragraph {n}: the translation was cut at the limit of tokens." for n in range(3, 7)]
    whole, again, group = grouped([*few, *cut])
    assert (whole, again) == (Group(few[0]), Group(few[1]))
    assert group == Group(cut[0].partition(": ")[2], ("paragraph 3", "paragraph 4", "paragraph 5", "paragraph 6"))
    assert in_words(group) == (
        "paragraph 3, paragraph 4, paragraph 5, paragraph 6: the translation was cut at the limit of tokens."
    )


def test_what_has_no_place_is_told_as_it_is() -> None:
    notes = [f"A picture was left out: {n}" for n in range(9)]
    assert [in_words(group) for group in grouped(notes)] == notes
    assert grouped([]) == ()
