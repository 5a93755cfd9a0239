"""Markdown to blocks: nothing dangerous comes through, and a growing text gives what the whole text gives."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextDocument

from edgellm.ui import main
from edgellm.ui.links import SafeDocument
from edgellm.ui.markdown import Blocks, Code, Prose, blocks, highlighted, plain

TEXT = """# Title

Some *words* and a [link](https://example.org), **bold**.

```python
def f(x):
    return x
```

1. one
2. two

   ```sh
   ls
   ```

| a | b |
|---|---|
| 1 | 2 |

> quoted

    indented code

```
open to the end"""


def test_code_is_apart_from_prose() -> None:
    found = blocks(TEXT)
    assert [block.language for block in found if isinstance(block, Code)] == ["python", "", ""]
    assert isinstance(found[-1], Code)
    assert found[-1].open
    assert found[-1].source == "open to the end"


def test_a_growing_text_ends_as_the_whole_text() -> None:
    growing = Blocks()
    shown = []
    for end in range(len(TEXT) + 1):
        shown = growing.update(TEXT[:end])
    assert shown == blocks(TEXT)


def test_what_is_above_the_last_block_stays_the_same_object() -> None:
    growing = Blocks()
    before = growing.update("```\none\n```\n\ntext")
    after = growing.update("```\none\n```\n\ntext goes on")
    assert after[0] is before[0]
    assert after[1] != before[1]


def test_a_long_prose_is_cut_between_paragraphs() -> None:
    found = blocks("A paragraph of words.\n\n" * 400)
    assert len(found) > 2
    assert all(isinstance(block, Prose) and block.html.endswith("</p>") for block in found)


@pytest.mark.parametrize(
    ("source", "forbidden"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("![a picture](http://example.org/x.png)", "<img"),
        ('<img src="file:///etc/passwd">', "<img"),
        ("[x](javascript:alert(1))", 'href="javascript'),
    ],
)
def test_nothing_active_comes_through(source: str, forbidden: str) -> None:
    assert forbidden not in "".join(block.html for block in blocks(source) if isinstance(block, Prose))


def test_a_document_loads_no_resource() -> None:
    main.application()
    document = SafeDocument()
    document.setHtml('<img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x.png">')
    for address in ("file:///etc/hostname", "http://127.0.0.1:9/x.png"):
        kind = QTextDocument.ResourceType.ImageResource.value
        assert document.resource(kind, QUrl(address)) is None


def test_what_a_person_typed_is_shown_as_typed() -> None:
    assert "&lt;b&gt;" in plain("<b>")
    assert "<br>" in plain("one\ntwo")


def test_an_unknown_language_stays_plain() -> None:
    assert highlighted(Code("a < b", "no-such-language"), "friendly") == "<pre>a &lt; b</pre>"
    assert "color" in highlighted(Code("for x in y: pass", "python"), "friendly")
