"""The rows of the list of documents."""

from __future__ import annotations

from pathlib import Path

from edgellm.ui import language, main
from edgellm.ui.documents_list import rows
from edgellm.ui.documents_shelf import Added, File, Group, Shelf


def test_why_a_file_cannot_be_read_is_said_in_sentences_of_one_language() -> None:
    path = Path("/letters/old.pdf")
    file = File(path, False, reason="the PDF is damaged or cut short", hint="Get the file again.")
    shelf = Shelf((Group("mine", (Added(path, False, True, (file,)),)),))
    app = main.application()
    assert rows(shelf)[1].tooltip == f"{path}\nthe PDF is damaged or cut short. Get the file again."
    table = language.Table(language.tables()["zh_CN"])
    app.installTranslator(table)
    try:
        assert rows(shelf)[1].tooltip == f"{path}\nPDF 已损坏或不完整。请重新获取文件。"
    finally:
        app.removeTranslator(table)
