"""The languages a text can be in or be translated to, by code, with their names in English and in themselves.

The starter translates between the five of `translate.LANGUAGES`; a general model may know any of these.
"""

from __future__ import annotations

import difflib
import unicodedata

from edgellm.errors import UsageError

NAMES = {
    "en": ("English", "English"), "fr": ("French", "français"), "de": ("German", "Deutsch"),
    "es": ("Spanish", "español"), "zh": ("Chinese", "中文"), "ar": ("Arabic", "العربية"),
    "bg": ("Bulgarian", "български"), "cs": ("Czech", "čeština"), "da": ("Danish", "dansk"),
    "el": ("Greek", "ελληνικά"), "et": ("Estonian", "eesti"), "fa": ("Persian", "فارسی"), "fi": ("Finnish", "suomi"),
    "he": ("Hebrew", "עברית"), "hi": ("Hindi", "हिन्दी"), "hr": ("Croatian", "hrvatski"),
    "hu": ("Hungarian", "magyar"), "id": ("Indonesian", "Bahasa Indonesia"), "it": ("Italian", "italiano"),
    "ja": ("Japanese", "日本語"), "ko": ("Korean", "한국어"), "lt": ("Lithuanian", "lietuvių"),
    "lv": ("Latvian", "latviešu"), "nl": ("Dutch", "Nederlands"), "no": ("Norwegian", "norsk"),
    "pl": ("Polish", "polski"), "pt": ("Portuguese", "português"), "ro": ("Romanian", "română"),
    "ru": ("Russian", "русский"), "sk": ("Slovak", "slovenčina"), "sl": ("Slovenian", "slovenščina"),
    "sv": ("Swedish", "svenska"), "th": ("Thai", "ไทย"), "tr": ("Turkish", "Türkçe"),
    "uk": ("Ukrainian", "українська"), "vi": ("Vietnamese", "Tiếng Việt"),
}  # fmt: skip
UNSPACED = frozenset({"zh", "ja", "th"})


def english_name(code: str) -> str:
    """ "French" for "fr"; the code itself for one that is not in the table."""
    return NAMES[code][0] if code in NAMES else code


def code_of(name: str) -> str:
    """The code for a code, an English name or a language's own name; "fr-CA" and "zh_CN" count as "fr" and "zh".

    Raises `UsageError` with the nearest names.
    """
    wanted = _plain(name)
    table = {_plain(form): code for code, names in NAMES.items() for form in (code, *names)}
    code = table.get(wanted) or table.get(wanted.replace("_", "-").split("-")[0])
    if code:
        return code
    near = difflib.get_close_matches(wanted, table, n=1, cutoff=0.6)
    hint = (
        f"Did you mean {english_name(table[near[0]])} ({table[near[0]]})?" if near else "Use a code such as fr or zh."
    )
    raise UsageError(f"There is no language called {name}.", hint)


def _plain(name: str) -> str:
    parts = unicodedata.normalize("NFD", name.strip().casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
