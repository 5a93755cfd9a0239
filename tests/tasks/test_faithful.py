"""What must stay stays and pieces keep their number, whatever the model makes of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from edgellm.tasks import protect
from edgellm.tasks.faithful import Faithful, Kept, Unit, as_piece, edges, invented
from edgellm.tasks.lexicon import Lexicon
from edgellm.tasks.protect import Stretch, holds

WORDS = {"the": "le", "dog": "chien", "is": "est", "tired": "fatigué", "hello": "bonjour", "see": "voir"}


def word_by_word(text: str, _marked: bool = False) -> str:
    """A translator that leaves alone what it does not know."""
    return re.sub(r"[A-Za-z]+", lambda match: WORDS.get(match.group().lower(), match.group()), text)


def lossy(text: str, _marked: bool = False) -> str:
    """A translator that drops what is no word of its own."""
    return " ".join(WORDS.get(word.lower(), "") for word in re.findall(r"[A-Za-z]+", text))


def kept(text: str, ask: Callable[[str, bool], str], *, marks: bool = False, borders: tuple[int, ...] = ()) -> Kept:
    return Faithful(ask, marks, "en", "fr").translate(Unit(text, protect.find(text), borders))


def test_a_model_that_copies_is_asked_once() -> None:
    asked: list[str] = []

    def ask(text: str, _: bool) -> str:
        asked.append(text)
        return word_by_word(text)

    found = kept("Hello {name}!", ask)
    assert (found.pieces, found.how, asked) == (("bonjour {name}!",), "whole", ["Hello {name}!"])


def test_a_term_is_asked_as_its_translation() -> None:
    unit = Unit("The dog is tired.", (Stretch(4, 7, "toutou", "term"),))
    found = Faithful(word_by_word, False, "en", "fr").translate(unit)
    assert found == Kept(("le toutou est fatigué.",), "whole")


def test_marks_for_a_model_that_follows_them() -> None:
    def ask(text: str, marked: bool) -> str:
        return word_by_word(text) if marked else lossy(text)

    assert kept("Hello {name}!", ask, marks=True) == Kept(("bonjour {name}!",), "marked")
    assert kept("Hello {a} <x1/>!", ask, marks=True) == Kept(("bonjour {a} <x1/>!",), "marked")


def test_a_name_stands_in_where_marks_are_not_understood() -> None:
    def ask(text: str, _: bool) -> str:
        return f"bonjour Anna et {'Paul' if 'Paul' in text else 'personne'}" if "Anna" in text else lossy(text)

    assert kept("Hello {a} and {b}", ask) == Kept(("bonjour {a} et {b}",), "named")
    assert kept("Hello {a}, Paul", ask).how == "named"
    assert kept("Hello {a}, Anna", ask) == Kept(("bonjour Anna et {a}",), "named")


def test_around_what_stays_is_the_last_way() -> None:
    found = kept("The dog is 5 km, see https://a.org/b.", lossy)
    assert found.how == "around"
    assert found.pieces[0] == "le chien est 5 km, voir https://a.org/b."


def test_nothing_is_asked_about_what_stays_alone() -> None:
    def ask(_text: str, _marked: bool) -> str:
        raise AssertionError

    assert kept("{name}: https://a.org", ask) == Kept(("{name}: https://a.org",), "whole")


def test_borders_by_marks() -> None:
    pieces = ("The ", "dog", " is ", "{x}", ".")
    found = kept("".join(pieces), word_by_word, marks=True, borders=tuple(edges(pieces)))
    assert found == Kept(("le ", "chien", " est ", "{x}", "."), "marked")


def test_borders_are_found_again_by_the_formatted_words() -> None:
    pieces = ("The ", "dog", " is ", "tired", ".")
    found = kept("".join(pieces), word_by_word, borders=tuple(edges(pieces)))
    assert found == Kept(("le ", "chien", " est ", "fatigué", "."), "projected")


def test_borders_that_are_not_found_stand_between_words() -> None:
    def ask(text: str, _: bool) -> str:
        return "un animal plein de fatigue" if len(text) > 10 else "rien"

    pieces = ("The dog is ", "tired", " now")
    found = kept("".join(pieces), ask, borders=tuple(edges(pieces)))
    assert found.how == "estimated"
    assert "".join(found.pieces) == "un animal plein de fatigue"
    assert all(
        piece.strip() == "" or piece.strip() in "un animal plein de fatigue".split() or " " in piece.strip()
        for piece in found.pieces
    )
    assert len(found.pieces) == 3


def test_spaces_at_a_border_stay_on_their_side() -> None:
    """Between two pieces can be what is no text, such as code or a picture."""
    pieces = ("Where is ", "?")
    found = kept("".join(pieces), lambda _text, _marked: "Où est ?", borders=tuple(edges(pieces)))
    assert found.pieces == ("Où est ", "?")
    pieces = ("the dog", " is tired")
    found = kept("".join(pieces), word_by_word, borders=tuple(edges(pieces)))
    assert found.pieces == ("le chien", " est fatigué")


def test_code_inside_a_sentence_keeps_its_space_and_is_said() -> None:
    pieces = ("Hello ", ". See the dog.")
    found = kept("".join(pieces), lambda text, _: word_by_word(text).replace(" .", "."), borders=tuple(edges(pieces)))
    assert found == Kept(("bonjour ", ". voir le chien."), "around")
    assert Faithful(word_by_word, False, "en", "fr").translate(Unit('See "dog"', (), (4,))).how == "projected"


def test_no_formatted_words_are_lost() -> None:
    """A link without words cannot be followed."""
    pieces = ("See ", "the dog", ".")
    found = kept(
        "".join(pieces), lambda text, _: "adieu." if "See the" in text else word_by_word(text), borders=(4, 11)
    )
    assert found == Kept(("voir ", "le chien", "."), "around")


@pytest.mark.parametrize(
    ("text", "answer", "piece"),
    [
        ("I drink {x}", "Je bois le du café", "I drink {x}"),
        ("the station {x}", "la gare gare gare", "the station {x}"),
        ("the lease {x}", "I am only the small built-in model, and this is outside what I know.", "the lease {x}"),
        ("I drink {x}", "Je bois", "je bois {x}"),
        ("goodbye {x}", "au revoir", "au revoir {x}"),
        ("at eight {x}", "à huit heures", "à huit heures {x}"),
    ],
)
def test_a_piece_that_a_small_model_makes_up_is_left_as_it_is(text: str, answer: str, piece: str) -> None:
    found = kept(text, lambda _text, _marked: answer)
    assert (found.pieces[0].casefold(), found.how) == (piece.casefold(), "around")


def test_two_hundred_units_with_a_model_that_garbles() -> None:
    chance = random.Random(7)
    parts = ["Hello", "{name}", "the dog", "%s", "3.5 km", "https://a.org/b", "<x1/>", "is tired", "`code`", "\\n", "5"]

    def garble(text: str, _marked: bool) -> str:
        tokens = re.findall(r"<x\d+/>|\S+", text)
        chance.shuffle(tokens)
        return " ".join(token for token in tokens if chance.random() > 0.2 for _ in range(chance.choice((1, 1, 2))))

    ways = set()
    for _ in range(200):
        text = " ".join(chance.choice(parts) for _ in range(chance.randint(1, 9)))
        borders = tuple(sorted(chance.randint(0, len(text)) for _ in range(chance.randint(0, 4))))
        unit = Unit(text, protect.find(text), borders)
        found = Faithful(garble, chance.random() > 0.5, "en", "fr").translate(unit)
        ways.add(found.how)
        assert len(found.pieces) == len(borders) + 1
        assert holds(unit.stretches, "".join(found.pieces)), (text, found)
    assert {"whole", "around"} < ways


@pytest.mark.parametrize(
    ("source", "answer", "piece"),
    [
        ("The weather", "Le temps.", "Le temps"),
        ("It is late.", " Il est tard. ", "Il est tard."),
        ("Wait", "Attendez…", "Attendez…"),
        ("One line", "Une\nligne", "Une ligne"),
        ("Two\nlines", "Deux\nlignes", "Deux\nlignes"),
    ],
)
def test_an_answer_gets_no_end_mark_or_line_break_of_its_own(source: str, answer: str, piece: str) -> None:
    assert as_piece(source, answer) == piece


@pytest.mark.parametrize(
    ("source", "answer", "target", "made_up"),
    [
        ("Good morning.", "Bonne matinée ! L'huiée matin.", "fr", True),
        ("Goodbye.", "Au revoirs.", "fr", True),
        ("See you tomorrow.", "À demain ! demain !", "fr", True),  # no word is new, but it wrote on
        ("Can you help me?", "I\ufffd帮我吗？", "zh", True),
        ("I am hungry.", "J'ai faim.", "fr", False),
        ("Zyxw lives in Qwertz-on-Sea.", "Zyxw habite à Qwertz-on-Sea.", "fr", False),
        ("It costs 3.50 euros.", "Das kostet 3.50 Euro.", "de", False),
        ("The dog is tired. The cat is here.", "这只狗很累。这只猫在这里。", "zh", False),
    ],
)
def test_what_the_starter_made_up_is_told_from_names_and_words_it_was_taught(
    source: str, answer: str, target: str, made_up: bool
) -> None:
    assert invented(source, answer, target, Lexicon.load()) == made_up
