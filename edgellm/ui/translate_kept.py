"""What of the Translate page survives a restart, as values that JSON has, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgellm.ui.translate_work import Four, Languages, Translated

if TYPE_CHECKING:
    from edgellm.ui.translate_page import TranslatePage

_FOUR = 4


def kept(page: TranslatePage, unfinished: bool) -> dict[str, Any]:
    """All that is to be kept of the page."""
    choices, source, result = page.choices, page.box.source, page.texts.result
    wish = choices.wish
    return {
        "mode": choices.mode,
        "text": "" if source.paths else source.text,
        "file": str(source.paths[0]) if source.paths else "",
        "source": wish.source,
        "target": wish.target,
        "live": choices.live.isChecked(),
        "glossary": wish.glossary,
        "keep": wish.keep,
        "pdf": wish.pdf,
        "own": page.translators.own,
        "result": result,
        "made": _made(page.made, result, source.text),
        "unfinished": unfinished,
        "rows": page.desk.rows.state(),
        "folder": str(page.desk.folder) if page.desk.folder is not None else "",
    }


def _made(made: Translated | None, result: str, text: str) -> dict[str, Any] | None:
    """The newest translation, if it is of what is shown now."""
    if made is None or made.result != result or made.text != text:
        return None
    languages = made.languages
    return {
        "source": languages.source,
        "target": languages.target,
        "sure": languages.sure,
        "given": languages.given,
        "pairs": [list(pair) for pair in made.pairs],
        "unknown": list(made.unknown),
        "notes": list(made.notes),
        "finished": made.finished,
        "by_sentence": made.by_sentence,
    }


def translated(kept: object, text: str, result: str) -> Translated | None:
    """The translation that was kept of `text`; None where there is none."""
    if not isinstance(kept, dict) or not text or not result:
        return None
    languages = Languages(
        str(kept.get("source", "")), str(kept.get("target", "")), kept.get("sure") is True, kept.get("given") is True
    )
    if not languages.source or not languages.target:
        return None
    return Translated(
        text,
        result,
        languages,
        _pairs(kept.get("pairs"), len(text), len(result)),
        _strings(kept.get("unknown")),
        _strings(kept.get("notes")),
        kept.get("finished") is True,
        kept.get("by_sentence") is True,
    )


def _pairs(value: object, text: int, result: int) -> tuple[Four, ...]:
    found = list[Four]()
    for one in value if isinstance(value, list) else ():
        if not isinstance(one, list) or len(one) != _FOUR or not all(isinstance(at, int) for at in one):
            return ()
        a, b, c, d = one
        if not (0 <= a <= b <= text and 0 <= c <= d <= result):
            return ()
        found.append((a, b, c, d))
    return tuple(found)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
