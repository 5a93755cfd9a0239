"""Foreign text for a tooltip: Qt takes any text with tags for HTML, and would show a file that it names."""

from __future__ import annotations

import html

from PySide6.QtGui import Qt  # with what Qt itself asks

_LONGEST = 4_000  # characters: a longer text would cover the screen, and take its time


def tip(text: str) -> str:
    """`text`, shown letter by letter also where Qt guesses whether it is plain."""
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    if not Qt.mightBeRichText(shown):
        return shown
    return f'<p style="white-space: pre-wrap">{html.escape(shown)}</p>'
