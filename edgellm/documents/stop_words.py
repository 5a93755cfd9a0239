"""Words that say nothing about what a text is about, and those that make a question of it.

Small lists made by hand for the five languages of the starter; other languages do without, and rely on how rare a
word is. Everything is in lower case.
"""

from __future__ import annotations

_ENGLISH = """a an the and or but if of to in on at by for from with as into than then that this these those there here
is are was were be been being am do does did done have has had having will would shall should can could may might must
not no i you he she it we they me him her us them my your his its our their so very just also too s t d ll re ve m
please about up down out over under again"""
_ENGLISH_QUESTION = (
    "who whom whose what which when where why how many much long often does kind tell say text time day job color"
)
_FRENCH = """le la les l un une des du de d au aux et ou mais si à en dans sur sous par pour avec sans ce cet cette ces
c qui que qu quoi dont où est es sont suis était étaient être été a ai as ont avons avez avait eu il elle on nous vous
ils elles je j tu me m te t se s lui leur leurs mon ma mes ton ta tes son sa ses notre nos votre vos ne n pas plus y
très aussi plaît va vont allez vais"""
_FRENCH_QUESTION = "qui que quoi quand où comment pourquoi combien quel quelle quels quelles est-ce lequel laquelle"
_GERMAN = """der die das den dem des ein eine einen einem einer eines und oder aber wenn zu zum zur in im an am auf aus
bei mit nach von vom vor für über unter durch als auch nicht kein keine keinen ist sind war waren bin bist sein gewesen
hat habe haben hatte hatten wird werden wurde ich du er sie es wir ihr ihnen ihm ihn mich mir dich dir sich uns mein
meine dein deine seine ihre unser unsere sehr so dass bitte da hier"""
_GERMAN_QUESTION = (
    "wer wen wem wessen was wann wo wohin woher wie warum weshalb welche welcher welches welchen viel viele"
)
_SPANISH = """el la los las un una unos unas lo al del de a y o pero si en por para con sin sobre que como es son era
eran ser soy está están estaba estaban estoy estar ha han he hemos hay había yo tú él ella usted ustedes nosotros ellos
ellas me te se le les nos mi mis tu tus su sus nuestro nuestra no muy más también favor este esta estos estas ese esa
esos esas va van"""
_SPANISH_QUESTION = (
    "quién quiénes qué cuándo dónde adónde cómo cuánto cuánta cuántos cuántas cuál cuáles por qué quien cuando donde"
)
_CHINESE = "的 了 是 在 有 和 与 也 都 就 很 我 你 您 他 她 它 们 这 那 一 个 只 要 把 被 吗 呢 吧 啊 请 着"
_CHINESE_QUESTION = """什么时候 什么地方 什么 谁 哪里 哪儿 哪个 哪些 哪天 哪 为什么 怎么样 怎么 怎样 多少钱 多少 多久
多长时间 几点 几个 几 如何 是不是 吗 呢 请问"""

STOP = {
    "en": frozenset(_ENGLISH.split()),
    "fr": frozenset(_FRENCH.split()),
    "de": frozenset(_GERMAN.split()),
    "es": frozenset(_SPANISH.split()),
    "zh": frozenset(_CHINESE.split()),
}
QUESTION = {
    "en": frozenset(_ENGLISH_QUESTION.split()),
    "fr": frozenset(_FRENCH_QUESTION.split()),
    "de": frozenset(_GERMAN_QUESTION.split()),
    "es": frozenset(_SPANISH_QUESTION.split()),
    "zh": frozenset(_CHINESE_QUESTION.split()),
}
