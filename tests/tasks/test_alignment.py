"""Which sentences belong together: known where they were asked one by one, else found by length."""

from __future__ import annotations

import random

from scripted_generator import Scripted

from edgellm.tasks import alignment, translate
from edgellm.tasks.alignment import Pair
from edgellm.tasks.result import collect

SHORT, LONG = "Yes.", "This is a much longer sentence about the weather of today."


def sides(source: str, target: str, pairs: tuple[Pair, ...]) -> list[tuple[str, str]]:
    return [(source[slice(*pair.source)], target[slice(*pair.target)]) for pair in pairs]


def test_equal_counts_go_one_to_one() -> None:
    source = f"{SHORT} {LONG} {SHORT}"
    target = "Oui. Voici une phrase bien plus longue sur le temps qu'il fait aujourd'hui. Oui."
    found = sides(source, target, alignment.align(source, target, "en", "fr"))
    assert [pair[0] for pair in found] == [SHORT, LONG, SHORT]
    assert [pair[1] for pair in found][::2] == ["Oui.", "Oui."]


def test_two_sentences_that_became_one() -> None:
    source = "The dog is here. The cat sleeps under the old table in the kitchen. The weather is nice. Good."
    target = "Der Hund ist hier, die Katze schläft unter dem alten Tisch in der Küche. Das Wetter ist schön. Gut."
    found = sides(source, target, alignment.align(source, target, "en", "de"))
    assert found[0][0].startswith("The dog") and found[0][0].endswith("kitchen.")
    assert found[1:] == [("The weather is nice.", "Das Wetter ist schön."), ("Good.", "Gut.")]


def test_lines_are_aligned_each_by_itself() -> None:
    source, target = f"{LONG}\n\n{SHORT} {SHORT}\n", "Kurz.\n\nJa. Ja.\n"
    found = sides(source, target, alignment.align(source, target, "en", "de"))
    assert found == [(LONG, "Kurz."), (SHORT, "Ja."), (SHORT, "Ja.")]


def test_a_side_without_text() -> None:
    assert alignment.align("", "", "en", "fr") == ()
    assert sides("Hello.", "", alignment.align("Hello.", "")) == [("Hello.", "")]


def test_generated_texts_of_which_the_answer_is_known() -> None:
    """Sentences of chance lengths; some translations are merged. Nearly all beads come out as they were made."""
    chance, right, all_beads = random.Random(3), 0, 0
    for _ in range(40):
        ours, theirs, made = [], [], []
        for _ in range(20):
            words = [f"w{chance.randint(1, 999)}" for _ in range(chance.randint(3, 25))]
            half = len(words) // 2
            if len(words) > 8 and chance.random() < 0.15:
                ours += [f"A{' '.join(words[:half])}.", f"B{' '.join(words[half:])}."]
                made.append(2)
            else:
                ours.append(f"A{' '.join(words)}.")
                made.append(1)
            theirs.append(f"C{' '.join(word + 'x' * (chance.random() < 0.3) for word in words)}.")
        source, target = " ".join(ours), " ".join(theirs)
        found = [pair.source for pair in alignment.align(source, target)]
        at, expected = 0, []
        for count in made:
            joined = " ".join(ours[at : at + count])
            start = source.index(joined)
            expected.append((start, start + len(joined)))
            at += count
        all_beads += len(expected)
        right += len(set(expected) & set(found))
    assert right / all_beads > 0.9


def test_the_starter_knows_its_pairs_and_a_general_model_is_aligned() -> None:
    text = "The dog is tired. Hello!\n\n- The cat is tired.\n"
    for starter in (True, False):
        generator = Scripted(lambda prompt: prompt.partition("\n")[2].upper(), starter=starter)
        plan = translate.prepare(generator.info, text, "fr", "en")
        work = translate.Translator(generator, plan)
        result, _ = collect(work.stream(text))
        assert sides(text, result, work.pairs(text, result)) == [
            ("The dog is tired.", "THE DOG IS TIRED."),
            ("Hello!", "HELLO!"),
            ("The cat is tired.", "THE CAT IS TIRED.") if starter else ("- The cat is tired.", "- THE CAT IS TIRED."),
        ]
