"""Simplified Chinese sentences: measure words, aspect, negation, and time and place before the verb.

Builds lists of words first, since the tokenizer is trained on words; `KINDS` joins them.
"""

from __future__ import annotations

from collections.abc import Callable

from starter.grammar.meaning import NUMBERS, Meaning, Phrase, need
from starter.words import Noun

PRONOUNS = {"I": "我", "we": "我们", "you": "您", "he": "他", "she": "她"}
MODALS = {"want": "想", "must": "必须", "can": "可以"}
ON = ("bridge", "square")


def phrase(p: Phrase) -> list[str]:
    """A noun phrase. The definite article is 这 with a measure word for things, nothing for people."""
    if p.pronoun:
        return [PRONOUNS[p.pronoun]]
    if p.name is not None:
        return [p.name.forms["zh"]]
    noun = need(p.noun)
    words = [p.adjective.zh[0]] if p.adjective else []
    words.append(noun.forms["zh"][0])
    if p.determiner in ("mass", "all"):
        return words
    if p.determiner == "a":
        return ["一", noun.measure, *words]
    if p.determiner == "number":
        return [NUMBERS["zh"][p.count], noun.measure, *words]
    if p.determiner in ("my", "our"):
        return ["我" if p.determiner == "my" else "我们", "的", *words]
    if p.human or not noun.classes & {"thing", "animal", "food", "drink", "text", "home", "part"}:
        return words
    return ["这", noun.measure, *words]


def at(place: Noun) -> list[str]:
    words = ["在", place.forms["zh"][0]]
    return [*words, "上"] if place.en in ON else words


def hour(number: int) -> list[str]:
    return [NUMBERS["zh"][number], "点"]


def opening(m: Meaning) -> list[str]:
    """Subject, time and place."""
    words = phrase(need(m.subject))
    if m.time is not None:
        words = [*words, m.time.forms["zh"]]
    return [*words, *at(m.place)] if m.place else words


def act(m: Meaning) -> list[str]:
    verb = need(m.verb).zh
    if m.modal:
        group = [MODALS[m.modal], verb]
    elif m.tense == "past":
        group = ["没有", verb] if m.negative else [verb, "了"]
    elif m.tense == "future":
        group = ["不", "会", verb] if m.negative else ["会", verb]
    else:
        group = ["不", verb] if m.negative else [verb]
    return [*opening(m), *group, *(phrase(m.object) if m.object else []), "。"]


def ask(m: Meaning) -> list[str]:
    end = ["了", "吗", "？"] if m.tense == "past" and m.object is None else ["吗", "？"]
    verb = [need(m.verb).zh, "了"] if m.tense == "past" and m.object else [need(m.verb).zh]
    time = [m.time.forms["zh"]] if m.time else []
    return ["您", *time, *verb, *(phrase(m.object) if m.object else []), *end]


def give(m: Meaning) -> list[str]:
    verb = ["会", "给"] if m.tense == "future" else ["给", "了"]
    return [*opening(m), *verb, *phrase(need(m.recipient)), *phrase(need(m.object)), "。"]


def negate(predicate: str) -> list[str]:
    """很大 becomes 不大, 是红色的 becomes 不是红色的."""
    return ["不", predicate.removeprefix("很")]


def split_predicate(predicate: str) -> list[str]:
    """A predicate as words: 很 or 是 apart."""
    return [predicate[0], predicate[1:]] if predicate[0] in "很是" else [predicate]


def state(m: Meaning) -> list[str]:
    predicate = need(m.adjective).zh[1]
    return [*phrase(need(m.subject)), *(negate(predicate) if m.negative else split_predicate(predicate)), "。"]


def feel(m: Meaning) -> list[str]:
    time = [m.time.forms["zh"]] if m.time else []
    word = need(m.entry).forms["zh"]
    return [*phrase(need(m.subject)), *time, "不" if m.negative else "很", word, "。"]


def job(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "是", need(m.noun).forms["zh"][0], "。"]


def weather(m: Meaning) -> list[str]:
    form = need(m.entry).forms["zh"].split(",")[("present", "past", "future").index(m.tense)]
    city = [m.city.forms["zh"]] if m.city else []
    future = ["会", form[1:]] if form.startswith("会") else [form]
    return [need(m.time).forms["zh"], *city, *future, "。"]


def event(m: Meaning) -> list[str]:
    day = [m.day.forms["zh"]] if m.day else []
    place = at(m.place) if m.place else []
    return [need(m.noun).forms["zh"][0], *day, *hour(m.number), *place, "开始", "。"]


def event_question(m: Meaning) -> list[str]:
    return [need(m.noun).forms["zh"][0], "什么时候", "开始", "？"]


def depart(m: Meaning) -> list[str]:
    day = [m.day.forms["zh"]] if m.day else []
    ride = ["去", need(m.city).forms["zh"], "的", need(m.noun).forms["zh"][0]]
    return [*ride, *day, *hour(m.number), "出发", "。"]


def go(m: Meaning) -> list[str]:
    verb = {"past": ["去", "了"], "future": ["去"]}.get(m.tense, ["去"])
    will = ["会"] if m.tense == "future" else []
    ride = ["坐", need(m.noun).forms["zh"][0]]
    return [*opening(m), *will, *ride, *verb, need(m.city).forms["zh"], "。"]


def live(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "住", "在", need(m.city).forms["zh"], "。"]


def nearest(m: Meaning) -> list[str]:
    return ["请问", "，", "最近的", need(m.noun).forms["zh"][0], "在", "哪里", "？"]


def where(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "在", "哪里", "？"]


def price_question(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "多少钱", "？"]


def price(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), str(m.number), "欧元", "。"]


def would_like(m: Meaning) -> list[str]:
    return ["我", "想要", *phrase(need(m.object)), "，", "谢谢", "。"]


def hurt(m: Meaning) -> list[str]:
    return ["我", "的", need(m.noun).forms["zh"][0], "很", "疼", "。"]


def exist(m: Meaning) -> list[str]:
    place = need(m.place)
    side = "上" if place.prepositions["de"] == "auf" else "里"
    return [place.forms["zh"][0], side, "有", *phrase(need(m.subject)), "。"]


def locate(m: Meaning) -> list[str]:
    noun = need(m.noun)
    side = "上" if "top" in noun.classes else "里"
    return [*phrase(need(m.subject)), "在", noun.forms["zh"][0], side, "。"]


def have(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "有", *phrase(need(m.object)), "。"]


def have_question(m: Meaning) -> list[str]:
    return ["您", "有", *phrase(need(m.object)), "吗", "？"]


def like(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "不" if m.negative else "", "喜欢", *phrase(need(m.object)), "。"]


def birthday(m: Meaning) -> list[str]:
    return [*phrase(need(m.subject)), "的", "生日", "在", need(m.entry).forms["zh"], "。"]


def clock(m: Meaning) -> list[str]:
    return ["现在", *hour(m.number), "。"]


def my_name(m: Meaning) -> list[str]:
    return ["我", "叫", *phrase(need(m.subject)), "。"]


def fixed(m: Meaning) -> list[str]:
    return [need(m.entry).forms["zh"]]


WORDS: dict[str, Callable[[Meaning], list[str]]] = {
    "act": act,
    "ask": ask,
    "give": give,
    "state": state,
    "feel": feel,
    "job": job,
    "weather": weather,
    "event": event,
    "event_question": event_question,
    "depart": depart,
    "go": go,
    "live": live,
    "nearest": nearest,
    "where": where,
    "price_question": price_question,
    "price": price,
    "would_like": would_like,
    "hurt": hurt,
    "exist": exist,
    "locate": locate,
    "have": have,
    "have_question": have_question,
    "like": like,
    "birthday": birthday,
    "clock": clock,
    "my_name": my_name,
    "fixed": fixed,
}


def _joined(words: Callable[[Meaning], list[str]]) -> Callable[[Meaning], str]:
    return lambda m: "".join(words(m))


KINDS: dict[str, Callable[[Meaning], str]] = {kind: _joined(words) for kind, words in WORDS.items()}
