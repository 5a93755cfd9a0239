"""The five grammars against sentences checked by hand."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from starter.grammar import realize
from starter.grammar.meaning import Meaning, Phrase
from starter.grammar.meanings import WEIGHTS, Meanings
from starter.words import LANGUAGES, Adjective, Entry, Lexicon, Noun, Verb

LEXICON = Lexicon.read()


def noun(en: str) -> Noun:
    return next(noun for noun in LEXICON.nouns if noun.en == en)


def verb(en: str) -> Verb:
    return next(verb for verb in LEXICON.verbs if verb.en[0] == en)


def adjective(en: str) -> Adjective:
    return next(adjective for adjective in LEXICON.adjectives if adjective.en == en)


def entry(en: str) -> Entry:
    return next(entry for entry in (*LEXICON.words, *LEXICON.weather, *LEXICON.phrases) if entry.en.startswith(en))


ANNA = Phrase(name=entry("Anna"))
ME, WE, YOU, SHE = (Phrase(pronoun=word) for word in ("I", "we", "you", "she"))
STUDENT = Phrase(noun("student"), "the")


def all_five(meaning: Meaning) -> list[str]:
    return [realize(meaning, language) for language in LANGUAGES]


CHECKED: tuple[tuple[Meaning, str], ...] = (
    (
        Meaning("act", ANNA, verb("buy"), Phrase(noun("book"), "a", adjective=adjective("old")), place=noun("market"),
                time=entry("yesterday"), tense="past"),
        "Anna bought an old book at the market yesterday.|Anna a acheté un vieux livre au marché hier.|"
        "Gestern hat Anna auf dem Markt ein altes Buch gekauft.|Anna compró un libro viejo en el mercado ayer.|"
        "安娜昨天在市场买了一本旧书。",
    ),
    (
        Meaning("act", ME, verb("drink"), Phrase(noun("water"), "mass"), negative=True),
        "I do not drink water.|Je ne bois pas d'eau.|Ich trinke kein Wasser.|No bebo agua.|我不喝水。",
    ),
    (
        Meaning("act", SHE, verb("open"), Phrase(noun("window"), "the"), tense="past", negative=True),
        "She did not open the window.|Elle n'a pas ouvert la fenêtre.|Sie hat das Fenster nicht geöffnet.|"
        "Ella no abrió la ventana.|她没有打开这扇窗户。",
    ),
    (
        Meaning("act", WE, verb("swim"), time=entry("tomorrow"), tense="future"),
        "We will swim tomorrow.|Nous allons nager demain.|Morgen werden wir schwimmen.|Vamos a nadar mañana.|"
        "我们明天会游泳。",
    ),
    (
        Meaning("act", ANNA, verb("swim"), tense="past"),
        "Anna swam.|Anna a nagé.|Anna ist geschwommen.|Anna nadó.|安娜游泳了。",
    ),
    (
        Meaning("act", ANNA, verb("see"), STUDENT, tense="past"),
        "Anna saw the student.|Anna a vu l'étudiant.|Anna hat den Studenten gesehen.|Anna vio al estudiante.|"
        "安娜看见了学生。",
    ),
    (
        Meaning("act", STUDENT, verb("read"), Phrase(noun("letter"), "number", 2, adjective("new")), modal="must"),
        "The student must read two new letters.|L'étudiant doit lire deux nouvelles lettres.|"
        "Der Student muss zwei neue Briefe lesen.|El estudiante tiene que leer dos cartas nuevas.|学生必须读两封新信。",
    ),
    (
        Meaning("ask", YOU, verb("find"), Phrase(noun("key"), "the"), tense="past"),
        "Did you find the key?|Avez-vous trouvé la clé ?|Haben Sie den Schlüssel gefunden?|¿Encontró usted la llave?|"
        "您找到了这把钥匙吗？",
    ),
    (
        Meaning("give", ME, object=Phrase(noun("egg"), "a"), recipient=Phrase(noun("mother"), "my"), tense="past"),
        "I gave an egg to my mother.|J'ai donné un œuf à ma mère.|Ich habe meiner Mutter ein Ei gegeben.|"
        "Le di un huevo a mi madre.|我给了我的母亲一个鸡蛋。",
    ),
    (
        Meaning("state", Phrase(noun("water"), "the"), adjective=adjective("cold")),
        "The water is cold.|L'eau est froide.|Das Wasser ist kalt.|El agua está fría.|这杯水很凉。",
    ),
    (
        Meaning("state", Phrase(noun("car"), "the"), adjective=adjective("red"), negative=True),
        "The car is not red.|La voiture n'est pas rouge.|Das Auto ist nicht rot.|El coche no es rojo.|"
        "这辆汽车不是红色的。",
    ),
    (
        Meaning("feel", WE, entry=entry("tired")),
        "We are tired.|Nous sommes fatigués.|Wir sind müde.|Estamos cansados.|我们很累。",
    ),
    (
        Meaning("feel", ANNA, entry=entry("hungry"), negative=True),
        "Anna is not hungry.|Anna n'a pas faim.|Anna hat keinen Hunger.|Anna no tiene hambre.|安娜不饿。",
    ),
    (
        Meaning("weather", entry=entry("it is raining"), city=entry("London"), time=entry("yesterday"), tense="past"),
        "It rained in London yesterday.|Il a plu à Londres hier.|In London hat es gestern geregnet.|"
        "Llovió en Londres ayer.|昨天伦敦下雨了。",
    ),
    (
        Meaning("depart", noun=noun("train"), city=entry("Paris"), day=entry("Monday"), number=2),
        "The train to Paris leaves on Monday at two o'clock.|Le train pour Paris part lundi à deux heures.|"
        "Der Zug nach Paris fährt am Montag um zwei Uhr ab.|El tren a París sale el lunes a las dos.|"
        "去巴黎的火车星期一两点出发。",
    ),
    (
        Meaning("event", noun=noun("meeting"), number=1, place=noun("office")),
        "The meeting starts at one o'clock in the office.|La réunion commence à une heure au bureau.|"
        "Die Besprechung beginnt um ein Uhr im Büro.|La reunión empieza a la una en la oficina.|会议一点在办公室开始。",
    ),
    (
        Meaning("go", ANNA, noun=noun("plane"), city=entry("Beijing"), time=entry("yesterday"), tense="past"),
        "Anna went to Beijing by plane yesterday.|Anna est allée à Pékin en avion hier.|"
        "Gestern ist Anna mit dem Flugzeug nach Peking geflogen.|Anna fue a Pekín en avión ayer.|"
        "安娜昨天坐飞机去了北京。",
    ),
    (
        Meaning("nearest", noun=noun("pharmacy")),
        "Where is the nearest pharmacy, please?|Où est la pharmacie la plus proche, s'il vous plaît ?|"
        "Wo ist die nächste Apotheke, bitte?|¿Dónde está la farmacia más cercana, por favor?|请问，最近的药店在哪里？",
    ),
    (
        Meaning("hurt", noun=noun("head")),
        "My head hurts.|J'ai mal à la tête.|Mein Kopf tut weh.|Me duele la cabeza.|我的头很疼。",
    ),
    (
        Meaning("exist", Phrase(noun("dog"), "a"), place=noun("garden")),
        "There is a dog in the garden.|Il y a un chien dans le jardin.|Im Garten ist ein Hund.|"
        "Hay un perro en el jardín.|花园里有一只狗。",
    ),
    (
        Meaning("like", ANNA, object=Phrase(noun("horse"), "all")),
        "Anna likes horses.|Anna aime les chevaux.|Anna mag Pferde.|A Anna le gustan los caballos.|安娜喜欢马。",
    ),
    (
        Meaning("would_like", object=Phrase(noun("bread"), "mass", adjective=adjective("fresh"))),
        "I would like fresh bread, please.|Je voudrais du pain frais, s'il vous plaît.|"
        "Ich hätte gern frisches Brot, bitte.|Quisiera pan fresco, por favor.|我想要新鲜的面包，谢谢。",
    ),
    (
        Meaning("birthday", ANNA, entry=entry("August")),
        "Anna's birthday is in August.|L'anniversaire d'Anna est en août.|Der Geburtstag von Anna ist im August.|"
        "El cumpleaños de Anna es en agosto.|安娜的生日在八月。",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("meaning", "sentences"), CHECKED, ids=[meaning.kind for meaning, _ in CHECKED])
def test_sentences_checked_by_hand(meaning: Meaning, sentences: str) -> None:
    assert all_five(meaning) == sentences.split("|")


def test_french_adjective_before_a_vowel() -> None:
    hotel = Meaning("state", Phrase(noun("hotel"), "the", adjective=adjective("new")), adjective=adjective("quiet"))
    assert realize(hotel, "fr") == "Le nouvel hôtel est calme."
    assert realize(replace(hotel, subject=Phrase(noun("church"), "the")), "fr") == "L'église est calme."


def test_german_cases_of_one_noun() -> None:
    man = noun("customer")
    assert realize(Meaning("where", Phrase(man, "the")), "de") == "Wo ist der Kunde?"
    greeted = Meaning("act", ANNA, verb("greet"), Phrase(man, "a"), tense="past")
    assert realize(greeted, "de") == "Anna hat einen Kunden gegrüßt."


def test_every_construction_has_a_sentence_in_every_language() -> None:
    meanings = Meanings(LEXICON, random.Random(5))
    for kind in WEIGHTS:
        for _ in range(60):
            for sentence in all_five(meanings.of(kind)):
                assert sentence[-1] in ".?!。？！"
                assert "  " not in sentence
                assert sentence[0].isupper() or sentence[0] in "¿¡" or ord(sentence[0]) > 0x3000


def test_contractions_and_elisions_are_always_made() -> None:
    """No sentence holds a pair of words that the language must contract."""
    meanings = Meanings(LEXICON, random.Random(6))
    wrong = {
        "fr": (" à le ", " de le ", " le a", " la é", " je a", " je ai ", " ne a ", " de eau", " que il "),
        "es": (" a el ", " de el ", " la agua"),
        "de": (" in dem ", " an dem "),
        "en": (" a apple", " a old ", " a egg", " an university"),
        "zh": ("二个", "一书", " "),
    }
    for _ in range(4000):
        meaning = meanings.draw()
        for language, pairs in wrong.items():
            sentence = realize(meaning, language)
            assert not [pair for pair in pairs if pair in sentence], sentence
