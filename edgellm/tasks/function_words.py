"""The irregular forms of English verbs, and which language the function words of a text are of.

The function words themselves are those of `documents/stop_words.py`. Everything is in lower case. Leaves cutting words
to stems to `terms.py`.
"""

from __future__ import annotations

import re

from edgellm.documents.stop_words import QUESTION as QUESTION
from edgellm.documents.stop_words import STOP as STOP
from edgellm.tasks.scripts import han_share

_WORD = re.compile(r"[^\W\d_]+")
_LEAD = 1.5
_SAMPLE = 20_000

_IRREGULAR = """bite bit bitten|blow blew blown|break broke broken|bring brought|build built|buy bought|catch caught|
choose chose chosen|come came|cost costs|cut cutting|dig dug|draw drew drawn|drink drank drunk|drive drove driven|
eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found|fly flew flown|forget forgot forgotten|
get got gotten|give gave given|go went gone goes|grow grew grown|hang hung|hear heard|hide hid hidden|hold held|
keep kept|know knew known|lead led|leave left|lend lent|lie lay lain|lose lost|make made|mean meant|meet met|pay paid|
ride rode ridden|ring rang rung|rise rose risen|run ran|say said|see saw seen|sell sold|send sent|shake shook shaken|
shine shone|shoot shot|show shown|sing sang sung|sink sank sunk|sit sat|sleep slept|speak spoke spoken|spend spent|
stand stood|steal stole stolen|swim swam swum|swing swung|take took taken|teach taught|tear tore torn|tell told|
think thought|throw threw thrown|understand understood|wake woke woken|wear wore worn|win won|write wrote written|
man men|woman women|child children|foot feet|tooth teeth|mouse mice|person people|knife knives|wife wives|leaf leaves"""


def irregular() -> dict[str, str]:
    """Each irregular English form with its base form: "bought" to "buy"."""
    families = (family.split() for family in _IRREGULAR.split("|"))
    return {form: family[0] for family in families for form in family}


def likely(text: str) -> str:
    """Which of the five languages a text's function words are mostly of; "" when none leads clearly.

    Enough to choose the words to leave out, so that a German "hat" does not hide an English hat.
    """
    sample = text[:_SAMPLE]
    if han_share(sample) > 0.5:
        return "zh"
    words = [word.casefold() for word in _WORD.findall(sample)]
    counts = {code: sum(word in STOP[code] for word in words) for code in STOP if code != "zh"}
    best, second = sorted(counts, key=lambda code: -counts[code])[:2]
    return best if counts[best] > _LEAD * counts[second] else ""
