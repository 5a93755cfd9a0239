"""PO and POT: a segment per message without a translation. Written by hand, since libraries lay the file out anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from edgellm.documents.raw_text import Edit, RawText, edited, has_words, raw_text
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source
from edgellm.errors import DocumentDamaged

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_KEY = re.compile(r"\s*(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d{1,2})\])?)\s*(\"|\Z)")
_STRING = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*\Z')
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CHARSET = re.compile(rb"Content-Type:[^\r\n]{0,100}?charset=([\w.:-]{1,40})", re.IGNORECASE)
_FUZZY = re.compile(r",\s*fuzzy\b")
_WIDEST = 76


@dataclass
class _Message:
    """`strings` are the places of its values, each with what it says, by keyword: msgid, msgstr, msgstr[0]."""

    line: int
    flags: list[tuple[int, int]] = field(default_factory=list)
    strings: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    @property
    def is_head(self) -> bool:
        """Whether it is the file's head: the message without a text and without a context."""
        return self.said("msgid") == "" and "msgctxt" not in self.strings

    def said(self, key: str) -> str:
        """What stands under a keyword; empty when there is no such keyword."""
        return self.strings[key][2] if key in self.strings else ""


@dataclass(frozen=True, slots=True)
class _Blank:
    """A text to be translated, and the keywords of the translations that are missing for it."""

    message: _Message
    text: str
    keys: tuple[str, ...]
    fuzzy: bool


def read(source: Source) -> Sheet:
    """What is not translated yet, or only by a guess (fuzzy). A plural is a segment of its own."""
    raw = _raw(source)
    messages = _messages(source, raw)
    head = next((one.said("msgstr") for one in messages if one.is_head), "")
    told = re.search(r"^Language:[ \t]*([\w@-]+)", head, re.MULTILINE)
    blanks = tuple(Segment((one.text,), f"line {one.message.line}") for one in _blanks(raw, messages))
    kept = sum(1 for one in messages if not one.is_head) - len({id(one.message) for one in _blanks(raw, messages)})
    words = "1 message has" if kept == 1 else f"{kept} messages have"
    notes = (f"{words} a translation already, or nothing to translate.",) if kept else ()
    return Sheet("po", blanks, (*raw.notes, *notes), told[1] if told else "")


def write(order: Rewriting) -> bytes:
    """The file with what was missing. A message that is no guess any more loses that mark."""
    raw = _raw(order.source)
    messages = _messages(order.source, raw)
    blanks = list(_blanks(raw, messages))
    edits: dict[int, Edit] = {}
    for number, pieces in order.translated.items():
        one = blanks[number]
        for key in one.keys:
            start, end, _ = one.message.strings[key]
            edits[start] = start, end, _quoted(_ended(pieces[0], one.text), raw.newline)
        if one.fuzzy:
            edits |= {edit[0]: edit for edit in _unflagged(raw.text, one.message)}
    head = next((one for one in messages if one.is_head), None)
    if head:
        edits |= {edit[0]: edit for edit in _head_edits(raw, head, order.language, list(edits.values()))}
    return raw.encoded(edited(raw.text, edits.values()))


def _raw(source: Source) -> RawText:
    """The text in the encoding that its head names: tools believe the head, even of a file in plain ASCII."""
    told = _CHARSET.search(source.data)
    name = told[1].decode("ascii") if told else ""
    if name and not source.data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            text = source.data.decode(name)
            if text.encode(name) == source.data:  # else what is not translated would change
                return RawText(text, name)
        except (UnicodeError, LookupError):
            pass  # it is not what it says, or says the CHARSET of a template
    return raw_text(source)


def _messages(source: Source, raw: RawText) -> list[_Message]:
    """All messages but those commented out. Raises `DocumentDamaged` naming the first line that is none."""
    found: list[_Message] = []
    flags: list[tuple[int, int]] = []
    key, longer = "", dict[tuple[int, str], list[str]]()  # the lines of values that have several
    for number, line in enumerate(_LINE.finditer(raw.text), 1):
        words, place = line[1], line.start(1)
        if words.lstrip().startswith("#"):
            flags = [] if words.lstrip().startswith("#~") else flags
            flags += [line.span()] if words.lstrip().startswith("#,") else []
            key = ""
        elif started := _KEY.match(words):
            key = started[1]
            if key == "msgctxt" or (key == "msgid" and (not found or "msgid" in found[-1].strings)):
                found.append(_Message(number, flags))
                flags = []
            place, words = place + started.start(3), words[started.start(3) :]
            if not found or key in found[-1].strings:
                raise _damaged(source, number)
            found[-1].strings[key] = place, place + len(words.rstrip()), _value(source, number, words)
        elif words.strip() and not key:
            raise _damaged(source, number)
        elif words.strip():
            begin, _, value = found[-1].strings[key]
            longer.setdefault((len(found) - 1, key), [value]).append(_value(source, number, words))
            found[-1].strings[key] = begin, place + len(words.rstrip()), value
    for (at, key), parts in longer.items():
        found[at].strings[key] = *found[at].strings[key][:2], "".join(parts)
    if not found:
        raise DocumentDamaged(source.name, "it has no messages in it", "Get the file again.")
    return found


def _value(source: Source, number: int, words: str) -> str:
    found = _STRING.match(words)
    if not found:
        raise _damaged(source, number)
    return _ESCAPE.sub(_letter, found[1])


def _letter(escape: re.Match[str]) -> str:
    if escape[1] or escape[2]:
        return chr(int(escape[1], 8) if escape[1] else int(escape[2], 16))
    return _LETTERS.get(escape[3], escape[3])


def _damaged(source: Source, number: int) -> DocumentDamaged:
    return DocumentDamaged(source.name, f"line {number} is no line of a PO file", "Repair it with msgfmt or an editor.")


def _blanks(raw: RawText, messages: list[_Message]) -> Iterator[_Blank]:
    for one in messages:
        fuzzy = any(_FUZZY.search(raw.text[slice(*place)]) for place in one.flags)
        forms = sorted((key for key in one.strings if key.startswith("msgstr")), key=lambda key: (len(key), key))
        empty = tuple(key for key in forms if fuzzy or not one.said(key))
        if one.is_head or not empty:
            continue
        if "msgid_plural" not in one.strings:
            choices = [("msgid", empty)]
        else:  # the first form is the singular, where there is more than one
            first = forms[:1] if len(forms) > 1 else []
            choices = [("msgid", tuple(key for key in empty if key in first))]
            choices.append(("msgid_plural", tuple(key for key in empty if key not in first)))
        for key, keys in choices:
            if keys and has_words(one.said(key)):
                yield _Blank(one, one.said(key), keys, fuzzy)


def _ended(text: str, like: str) -> str:
    """The text with a line break at its ends where the other has one: tools refuse what differs in this."""
    start, end = "\n" if like.startswith("\n") else "", "\n" if like.endswith("\n") else ""
    return start + text.strip("\n") + end


def _quoted(text: str, newline: str) -> str:
    shown = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    lines = [line + "\\n" for line in shown.split("\n")]
    lines[-1] = lines[-1].removesuffix("\\n")
    lines = [line for line in lines if line] or [""]
    if len(lines) == 1 and len(lines[0]) <= _WIDEST:
        return f'"{lines[0]}"'
    parts = [part for line in lines for part in _parts(line)]
    return newline.join(f'"{part}"' for part in ("", *parts))


def _parts(line: str) -> Iterator[str]:
    """A line in parts of a width that is usual in such files, each but the last ending in a space."""
    part = ""
    for word in re.findall(r"[^ ]* *", line):
        if part and len(part) + len(word) > _WIDEST:
            yield part
            part = ""
        part += word
    if part:
        yield part


def _unflagged(text: str, message: _Message) -> Iterator[Edit]:
    for start, end in message.flags:
        line = _FUZZY.sub("", text[start:end], count=1)
        yield start, end, "" if line.strip() == "#" else line


def _head_edits(raw: RawText, head: _Message, language: str, edits: list[Edit]) -> Iterator[Edit]:
    """The head's language and encoding, where they are others now."""
    if "msgstr" not in head.strings:
        return
    start, end, _ = head.strings["msgstr"]
    charset = re.compile(r"charset=([\w.:-]+)").search(raw.text, start, end)
    if charset and edits and (charset[1] == "CHARSET" or not _fits(raw, edits)):
        yield *charset.span(1), "UTF-8"
    told = re.compile(r'(?<=["n])Language:([^\\"\r\n]*)').search(raw.text, start, end)
    if language and told:
        yield *told.span(1), " " + language.replace("-", "_")
    elif language:
        yield end, end, f'{raw.newline}"Language: {language.replace("-", "_")}\\n"'


def _fits(raw: RawText, edits: list[Edit]) -> bool:
    try:
        edited(raw.text, edits).encode(raw.codec)
    except UnicodeEncodeError:
        return False
    return True
