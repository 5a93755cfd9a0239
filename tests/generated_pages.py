"""HTML pages from a seed: nested formatting, links, lists, tables, forms, entities, and code to keep."""

from __future__ import annotations

import html
import random

from tests.generated_texts import kept, words

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "gb18030")
_INLINE = ("b", "i", "em", "strong", "span", "a", "u", "mark", "small")


class _Page:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self, most: int = 6) -> str:
        made = html.escape(words(self.chance, most), quote=self.chance.random() < 0.5)
        made = made.replace(" ", self.chance.choice((" ", "\n   ", "\t", "  ")))
        return made + self.chance.choice(("", "&nbsp;&copy;", "&#8212;", "&#x4e2d;", " a < b"))

    def quoted(self) -> str:
        quote = self.chance.choice("\"'")
        value = words(self.chance, 3).replace("&", "&amp;").replace(quote, f"&#{ord(quote)};")
        return f"{quote}{value}{quote}"

    def inline(self, depth: int = 0) -> str:
        parts = []
        for _ in range(self.chance.randint(1, 4)):
            parts += [self.text(), self.some_inline(depth), self.chance.choice(("", " ", "\n"))]
        return "".join(parts)

    def some_inline(self, depth: int) -> str:
        kind = self.chance.randint(0, 9)
        if kind < 4 and depth < 3:
            tag = self.chance.choice(_INLINE)
            more = f' href="p.html?a=1&amp;b={kind}" title={self.quoted()}' if tag == "a" else ' dir="rtl"'
            return f"<{tag}{more}>{self.inline(depth + 1)}</{tag}>"
        hidden = kept(self.chance)
        return (
            f"<code>{kept(self.chance)}</code>",
            f"<img src='a.png' alt={self.quoted()}>",
            f"<!-- {kept(self.chance)} <p> -->",
            "<br/>",
            f'<span class="x notranslate" title="{hidden}">{hidden} <b>{hidden}</b></span>',
            "<wbr>",
        )[kind % 6]

    def block(self, depth: int = 0) -> str:
        kind = self.chance.randint(0, 8)
        again = [self.block(depth + 1) if depth < 2 else self.inline() for _ in range(self.chance.randint(1, 3))]
        return (
            f"<p>{self.inline()}" + self.chance.choice(("", "</p>")),
            f"<h2 id=h{depth}>{self.inline()}</h2>",
            "<ul>" + "".join(f"\n  <li>{one}" for one in again) + "\n</ul>",
            f"<table border=1><tr><th>{self.text()}<td>{again[0]}</td></tr><tr><td>{self.inline()}</table>",
            f"<pre>{kept(self.chance)}\n</pre>",
            f"<div class=a>{''.join(again)}</div>",
            f"<script>var a = '<p>{kept(self.chance)}</p>';</script>",
            f"<form><input placeholder={self.quoted()} value='{kept(self.chance)}'><textarea>{kept(self.chance)}"
            f"</textarea><label>{self.text()}</label></form>",
            f'<blockquote translate="no">{kept(self.chance)}<p>{kept(self.chance)}</p></blockquote>',
        )[kind]


def page(seed: int) -> tuple[bytes, str]:
    """A page, and its encoding."""
    made = _Page(seed)
    encoding = ENCODINGS[seed % len(ENCODINGS)]
    body = "\n".join(made.block() for _ in range(made.chance.randint(2, 8)))
    head = f"<meta charset={encoding}><title>{made.text()}</title><meta name='description' content={made.quoted()}>"
    head = f"<head>{head}<style>p {{ color: red }}</style></head>"
    text = f"<!DOCTYPE html>\n<html lang=en>\n{head}\n<body>{body}</body></html>"
    text = text.replace("\n", made.chance.choice(("\n", "\r\n")))
    return text.encode(encoding, "xmlcharrefreplace"), encoding
