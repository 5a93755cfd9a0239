"""How sure a classification is: probabilities where a model gives them, else agreement, and the limit for unsure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest
from scripted_generator import Scripted

from edgellm.errors import UsageError
from edgellm.runtimes.base import WEIGHS, Cancelled, Reading, Reply, Scores
from edgellm.tasks import classify
from edgellm.tasks.classify import Rule
from edgellm.tasks.label_sets import Label
from edgellm.tasks.options import Options

LABELS = ("good", "bad", "late")


class Weighing(Scripted):
    """Gives fixed probabilities, and keeps what it was asked."""

    def __init__(self, *values: float, starter: bool = False) -> None:
        super().__init__(lambda prompt: "never asked", starter=starter)
        self.info.metadata[WEIGHS] = True  # type: ignore[index]
        self.values = values
        self.readings: list[Reading] = []

    def read(self, reading: Reading, cancelled: Cancelled = lambda: False) -> Reply:
        """The fixed probabilities."""
        self.readings.append(reading)
        if cancelled():
            return Reply(scores=Scores((), ()))
        return Reply(scores=Scores(reading.texts, self.values, truncated=int("long" in reading.messages[-1].content)))


def test_probabilities_are_taken_where_there_are_any() -> None:
    model = Weighing(0.2, 0.7, 0.1)
    found = classify.classify(model, "It broke.", LABELS)
    assert (found.label, found.confidence, found.measure) == ("bad", 0.7, "probability")
    assert found.scores == (("bad", 0.7), ("good", 0.2), ("late", 0.1))
    assert (model.requests, found.finish.new_tokens, found.notes) == ([], 0, ())
    assert model.readings[0].texts == LABELS


def test_a_text_of_which_only_the_beginning_was_read_is_said() -> None:
    found = classify.classify(Weighing(0.2, 0.7, 0.1), "long", LABELS)
    assert found.cut
    assert "only its beginning" in found.notes[0]


def test_a_person_who_cancels_gets_no_label() -> None:
    found = classify.classify(Weighing(0.2, 0.7, 0.1), "x", LABELS, Options(cancelled=lambda: True))
    assert (found.label, found.best, found.finish.reason) == ("", "", "cancelled")
    assert not found.unsure


def test_below_the_limit_there_is_a_guess_and_no_label() -> None:
    found = classify.classify(Weighing(0.2, 0.5, 0.3), "x", LABELS, rule=Rule(unsure=0.6))
    assert (found.label, found.best, found.unsure) == ("", "bad", True)
    assert "best guess is bad, with 50 %" in found.notes[0]
    assert classify.classify(Weighing(0.2, 0.5, 0.3), "x", LABELS, rule=Rule(unsure=0.5)).label == "bad"


def test_other_models_agree_with_themselves_or_do_not() -> None:
    answers: Iterator[str] = cycle(['"bad"', '"bad"', '"late"', '"bad"', '"good"'])
    model = Scripted(lambda prompt: next(answers))
    found = classify.classify(model, "x", LABELS, Options(), Rule(samples=5))
    assert (found.label, found.confidence, found.measure) == ("bad", 0.6, "agreement")
    assert [request.sampling.temperature > 0 for request in model.requests] == [False, True, True, True, True]
    assert found.finish.new_tokens == 5
    unsure = classify.classify(model, "x", LABELS, rule=Rule(unsure=0.7))
    assert (unsure.label, unsure.best) == ("", "bad")
    alone = classify.classify(Scripted(lambda prompt: '"bad"'), "x", LABELS)
    assert (alone.confidence, alone.measure, alone.label) == (None, "", "bad")


def test_a_model_is_told_what_labels_mean_and_the_starter_is_not() -> None:
    labels = (Label("good", "Praise of any kind."), Label("bad"))
    model = Weighing(0.9, 0.1)
    classify.classify(model, "x", labels, Options(system="Be strict."))
    asked = model.readings[0].messages
    assert (asked[0].role, asked[0].content) == ("system", "Be strict.")
    assert "- good: Praise of any kind.\n- bad\n" in asked[1].content
    starter = Weighing(0.9, 0.1, starter=True)
    classify.classify(starter, "x", labels)
    assert starter.readings[0].messages[0].content == "Classify the text as one of: good, bad\nText: x"


@pytest.mark.parametrize("values", [{"unsure": -0.1}, {"unsure": 1.1}, {"samples": -1}, {"samples": 1000}])
def test_a_rule_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Rule(**values)  # type: ignore[arg-type]
