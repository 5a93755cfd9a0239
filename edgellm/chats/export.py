"""A chat as Markdown or HTML to read, or as JSON that holds every branch. Writing the file is left to the caller."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from edgellm.chats.values import Chat, StoredMessage

FORMAT = "edgellm-chat"
VERSION = 1
_NAMES: Mapping[str, str] = {"system": "System", "user": "You", "assistant": "EdgeLLM"}
_ENDINGS: Mapping[str, str] = {"cancelled": "Stopped here.", "interrupted": "Interrupted here."}
# Nothing may be loaded or run, whatever the texts hold
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
header p, .ending { opacity: .7; font-style: italic; }
article { border-top: 1px solid #8886; padding: .5rem 0; overflow-wrap: anywhere; }
article h2 { font-size: 1rem; margin: .5rem 0; }
.user, .system { white-space: pre-wrap; }
pre { overflow-x: auto; padding: .75rem; background: #8882; border-radius: 6px; }
table { border-collapse: collapse; } td, th { border: 1px solid #8886; padding: .25rem .5rem; }
"""


def to_markdown(chat: Chat, path: Sequence[StoredMessage]) -> str:
    """The branch that is shown, as Markdown."""
    parts = [f"# {chat.title or 'Chat'}", f"*{_day(chat.created)}*"]
    if chat.system:
        parts += ["## System prompt", chat.system]
    for message in path:
        parts += [f"## {_NAMES[message.role]}", message.text]
        if message.state in _ENDINGS:
            parts.append(f"*{_ENDINGS[message.state]}*")
    return "\n\n".join(parts) + "\n"


def to_html(chat: Chat, path: Sequence[StoredMessage]) -> str:
    """The branch that is shown, as one HTML page that loads nothing. Answers are read as Markdown."""
    title = html.escape(chat.title or "Chat")
    parts = [
        "<!doctype html>",
        '<html><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f'<header><h1 dir="auto">{title}</h1><p>{_day(chat.created)}</p></header>',
    ]
    if chat.system:
        parts.append(_article("system", "System prompt", html.escape(chat.system)))
    for message in path:
        text = _rendered(message.text) if message.role == "assistant" else html.escape(message.text)
        if message.state in _ENDINGS:
            text += f'<p class="ending">{_ENDINGS[message.state]}</p>'
        parts.append(_article(message.role, _NAMES[message.role], text))
    return "\n".join([*parts, "</body></html>", ""])


def _article(kind: str, name: str, text: str) -> str:
    return f'<article><h2>{name}</h2><div class="{kind}" dir="auto">{text}</div></article>'


def _rendered(text: str) -> str:
    """Markdown as HTML: tags in the text are shown as text, images stay as what was written."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    return str(parser.enable(["table", "strikethrough"]).disable("image").render(text))


def to_json(chat: Chat, tree: Sequence[StoredMessage]) -> str:
    """Every message of the chat with its parent, as JSON; `imports.parse` reads it back without a loss."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "title": chat.title,
        "system": chat.system,
        "draft": chat.draft,
        "created": _moment(chat.created),
        "updated": _moment(chat.updated),
        "leaf": chat.leaf,
        "messages": [_row(message) for message in tree],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _row(message: StoredMessage) -> dict[str, Any]:
    row = asdict(message)
    row.pop("chat")
    return {**row, "facts": dict(message.facts), "created": _moment(message.created)}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
