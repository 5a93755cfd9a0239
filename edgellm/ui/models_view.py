"""What the Models page shows, as plain values: rows made of store, catalog and advice. No widget and no thread here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QLocale

from edgellm.ui import facts, model_kinds, models_advice
from edgellm.ui.language import told, tr
from edgellm.ui.models_advice import Fit

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.hub import Found
    from edgellm.models.store import Installed
    from edgellm.runtimes.advice import Advice

Part = Literal["installed", "available", "hub"]
_MOST_LANGUAGES, _FEW_LANGUAGES = 6, 3
_REFERENCE = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(?::[\w.-]+|/[\w./-]+)?")
# Qt names a country with these, such as American English
_PLAIN = {"en": "English", "es": "español", "pt": "português", "zh": "中文"}
_ORDER = {"fits": 0, "tight": 1, "": 2, "swap": 3, "unsupported": 4}


@dataclass(frozen=True, slots=True)
class Row:
    """One model on the page. `actions` are keys of `ACTIONS`, the most likely one first; `facts` are label and value.

    `name` is what a person types, `reference` what the hub calls it. `recommended` and `distilled` are sentences,
    mostly empty. `speed` is in words (empty: not known), `basis` where it comes from, or why there is none.
    """

    part: Part
    name: str
    title: str
    summary: str = ""
    size: int | None = None
    license: str = ""
    line: str = ""
    fit: Fit = field(default_factory=Fit)
    speed: str = ""
    basis: str = ""
    recommended: str = ""
    distilled: str = ""
    in_use: bool = False
    actions: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    reference: str = ""
    search: str = ""

    @property
    def key(self) -> str:
        """What tells this row from all others; a row of the hub stays the same when it is looked up."""
        return f"{self.part}:{self.reference or self.name}"

    @property
    def spoken(self) -> str:
        """The row for a screen reader."""
        marks = (
            tr("in use") if self.in_use else "",
            self.fit.word,
            self.speed,
            tr("recommended") if self.recommended else "",
            tr("distilled") if self.distilled else "",
        )
        return ", ".join(filter(None, (self.title, self.line, *marks)))


@dataclass(frozen=True, slots=True)
class Standing:
    """What changes about a model while it is looked at.

    `locked`: the offline lock keeps the network away. `busy`: a download or a job has it. `verdict` is the sentence
    of the last check with `damage` as the bad parts, one a line; `mendable` brings the repair button.
    """

    locked: bool = True
    busy: bool = False
    verdict: str = ""
    damage: str = ""
    mendable: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about the models of this machine: the input of `rows`. The mappings are by name.

    `described` holds cards made from the files of installed models, for those that the catalog does not know.
    """

    installed: tuple[Installed, ...] = ()
    cards: tuple[ModelCard, ...] = ()
    advice: Mapping[str, Advice] = field(default_factory=dict)
    recommended: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, ModelCard] = field(default_factory=dict)
    in_use: str = ""


def rows(known: Known) -> tuple[Row, ...]:
    """The installed models in their order, then those of the catalog that are not, best first."""
    cards = {card.name: card for card in known.cards}
    described = {**known.described, **cards}
    here = [_installed(entry, described.get(entry.name), known) for entry in known.installed]
    names = {entry.name for entry in known.installed}
    others = [_available(card, known) for card in known.cards if card.name not in names and not card.builtin]
    others.sort(key=lambda row: (not row.recommended, _ORDER.get(row.fit.kind, 2)))
    return (*here, *others)


def filtered(found: Iterable[Row], text: str) -> tuple[Row, ...]:
    """The rows that have every word of `text` in what is known of them."""
    words = text.casefold().split()
    return tuple(row for row in found if all(word in row.search for word in words))


def reference(text: str) -> str:
    """`text` when it names something on the hub, or is a link; else nothing."""
    text = text.strip()
    if text.lower().startswith(("https://", "http://")) and " " not in text:
        return text
    return text if _REFERENCE.fullmatch(text) else ""


def asked(text: str) -> Row:
    """A row for a reference that was typed or pasted; nothing is known of it before it is looked up."""
    words = tr("Look it up to see its files, size and license.")
    return Row("hub", text, text, words, actions=("look-up",), reference=text)


def found(one: Found) -> Row:
    """A row for a result of a search on the hub."""
    words = [tr("{n} downloads").format(n=f"{one.downloads:,}") if one.downloads else "", one.license]
    summary = tr("Found on the hub. Look it up to see its files, size and license.")
    return Row(
        "hub",
        one.repo,
        one.repo,
        summary,
        line=_dots(words),
        license=one.license,
        actions=("look-up",),
        reference=one.repo,
    )


def looked_up(card: ModelCard, advice: Advice | None, asked_for: str) -> Row:
    """A row for what the hub says about a reference; it stays where it was asked for."""
    known = Known(advice={card.name: advice} if advice is not None else {})
    return replace(_available(card, known), part="hub", reference=asked_for)


def tasks(names: Iterable[str]) -> str:
    """Jobs in words."""
    words = {
        "chat": tr("chat"),
        "generate": tr("write"),
        "summarize": tr("summarize"),
        "translate": tr("translate"),
        "answer": tr("answer questions"),
        "classify": tr("classify"),
        "embed": tr("search documents"),
        "rerank": tr("rank passages"),
    }
    return tr(", ").join(words.get(name, name) for name in names)


def languages(codes: Iterable[str]) -> str:
    """Languages, each by its own name; a long list is cut with the number that is left."""
    names = [_language(code) for code in codes]
    shown = tr(", ").join(names[:_MOST_LANGUAGES])
    rest = len(names) - _MOST_LANGUAGES
    return shown if rest <= 0 else tr("{names} and {n} more").format(names=shown, n=rest)


def few_languages(codes: tuple[str, ...]) -> str:
    """The same where there is little room: three names, or a number."""
    return tr("{n} languages").format(n=len(codes)) if len(codes) > _FEW_LANGUAGES else languages(codes)


def _language(code: str) -> str:
    if code == "mul":
        return tr("many languages")
    if code in _PLAIN:
        return _PLAIN[code]
    locale = QLocale(code)
    known = locale.language() != QLocale.Language.C and len(code.split("-")[0]) <= 3
    return (locale.nativeLanguageName() if known else "") or code


def _installed(entry: Installed, card: ModelCard | None, known: Known) -> Row:
    advice, manifest = known.advice.get(entry.name), entry.manifest
    license = _license(card) if card is not None else manifest.license if manifest is not None else ""
    title = card.title if card is not None else (manifest.title if manifest is not None else "") or entry.name
    quantization = card.quantization if card is not None else ""
    origin = origins().get(entry.origin, "")
    short = card.license if card is not None else license
    jobs = (tasks(card.tasks), few_languages(card.languages)) if card is not None else ()
    line = _dots((facts.size(entry.size), _form(card), quantization, short, origin, *jobs))
    speed, basis = models_advice.speed(advice)
    own = entry.origin in ("own", "file") and not entry.builtin
    chats = model_kinds.can_chat(card)
    actions = ["use", "check", "show"] if chats else ["check", "show"]
    if entry.problem and manifest is not None and own:
        actions.insert(0, "repair")
    use = "" if card is None or chats else model_kinds.used_by(entry.name, card.tasks)
    if own:
        actions += ["bundle", "move", "remove"]
    elif not entry.builtin:
        actions.append("import")
    actions += _unmeasured(speed, basis, advice)
    row = Row(
        "installed",
        entry.name,
        tr("Starter (built in)") if entry.builtin else title,
        card.summary if card is not None else "",
        entry.size,
        license,
        line,
        models_advice.broken(entry.problem) if entry.problem else models_advice.fit(advice),
        speed,
        basis,
        known.recommended.get(entry.name, ""),
        _distilled(card),
        entry.name == known.in_use,
        tuple(actions),
        (*_used(use), *_facts(card), (tr("Folder"), str(entry.folder)), *_source(entry)),
    )
    return replace(row, search=_search(row, card))


def _used(by: str) -> tuple[tuple[str, str], ...]:
    return ((tr("Used by"), by),) if by else ()


def origins() -> dict[str, str]:
    """Where an installed model comes from, in words."""
    return {
        "file": tr("a file in the models folder"),
        "lm-studio": "LM Studio",
        "ollama": "Ollama",
        "gpt4all": "GPT4All",
        "hf-cache": tr("Hugging Face cache"),
    }


def _source(entry: Installed) -> tuple[tuple[str, str], ...]:
    manifest = entry.manifest
    if manifest is None or not manifest.added:
        return ()
    return ((tr("Added"), manifest.added[:10]),)


def _available(card: ModelCard, known: Known) -> Row:
    advice = known.advice.get(card.name)
    speed, basis = models_advice.speed(advice)
    size = facts.size(card.size) if card.size else tr("size not known")
    jobs = (tasks(card.tasks), few_languages(card.languages))
    row = Row(
        "available",
        card.name,
        card.title,
        card.summary,
        card.size,
        _license(card),
        _dots((size, _form(card), card.quantization, card.license or tr("license not stated"), *jobs)),
        models_advice.fit(advice),
        speed,
        basis,
        known.recommended.get(card.name, ""),
        _distilled(card),
        False,
        ("download", *_unmeasured(speed, basis, advice)),
        _facts(card),
    )
    return replace(row, search=_search(row, card))


def _license(card: ModelCard) -> str:
    """The license with what there is to say about it."""
    name = card.license or tr("not stated; read the card of the model before you use it")
    return f"{name} ({card.license_note.rstrip('.')})" if card.license_note else name


def _form(card: ModelCard | None) -> str:
    """The format, where it is not the usual one."""
    names = {"onnx": "ONNX", "safetensors": "safetensors"}
    return names.get(card.format, "") if card is not None else ""


def _unmeasured(speed: str, basis: str, advice: Advice | None) -> list[str]:
    """Where measuring this computer would give a speed."""
    return ["measure"] if advice is not None and advice.fit != "swap" and basis and not speed else []


def _distilled(card: ModelCard | None) -> str:
    if card is None or not card.distilled_from:
        return ""
    return tr("Distilled from {model}: a small model that was trained on the answers of a large one.").format(
        model=card.distilled_from
    )


def _facts(card: ModelCard | None) -> tuple[tuple[str, str], ...]:
    """What the details list, in their order; what is not known is left out."""
    if card is None:
        return ()
    files = len(card.files)
    pairs = (
        (tr("License"), _license(card)),
        (tr("Good for"), tasks(card.tasks)),
        (tr("Languages"), languages(card.languages)),
        (tr("Parameters"), card.parameters),
        (tr("Quantization"), card.quantization),
        (tr("Context"), tr("{n} tokens").format(n=f"{card.context:,}") if card.context else ""),
        (tr("Architecture"), card.architecture),
        (tr("Format"), card.format),
        (tr("Files"), str(files) if files > 1 else ""),
        (tr("From"), card.repo),
        (tr("Notes"), told(card.notes)),
    )
    return tuple((label, value) for label, value in pairs if value)


def _search(row: Row, card: ModelCard | None) -> str:
    parts = [row.name, row.title, row.summary, row.license, row.fit.word, *(value for _, value in row.facts)]
    if card is not None:
        parts += [*card.tasks, *card.languages, card.quantization, card.architecture, card.parameters]
    parts.append(tr("distilled") if row.distilled else "")
    return " ".join(parts).casefold()


def _dots(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)
