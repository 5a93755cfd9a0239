"""A person's text, a file's or a model's is shown letter by letter: no tag in it does anything, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from desk import Desk, child, wait
from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget

from edgellm.ui.classify_page import ClassifyPage
from edgellm.ui.classify_rows import Line
from edgellm.ui.documents_answers import Answers
from edgellm.ui.documents_view import Entry
from edgellm.ui.models_page import ModelsPage
from edgellm.ui.tips import tip
from edgellm.ui.translate_page import TranslatePage

TAG = '<img src="a.png"> & <b>b</b>'
NAME = "<img src=a.png> <b>b.txt"


def taken_for_html(root: QWidget) -> Iterator[str]:
    """Tooltips and labels in which a tag of somebody else's would do something."""
    for widget in [root, *root.findChildren(QWidget)]:
        if "<img" in widget.toolTip() and GuiQt.mightBeRichText(widget.toolTip()):
            yield f"tooltip of {type(widget).__name__}: {widget.toolTip()}"
        if isinstance(widget, QLabel) and widget.textFormat() != Qt.TextFormat.PlainText and "<" in widget.text():
            yield f"label: {widget.text()}"
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            yield from _cells(widget.model())


def _cells(model: QAbstractItemModel) -> Iterator[str]:
    for row in range(model.rowCount(QModelIndex())):
        for column in range(model.columnCount() if isinstance(model, QAbstractTableModel) else 1):
            words = model.data(model.index(row, column), Qt.ItemDataRole.ToolTipRole)
            if words and "<img" in str(words):
                yield f"cell: {words}"


def test_what_a_tip_shows_is_the_text_itself() -> None:
    for text in (TAG, NAME, f"first line\n{TAG}\n  indented", "<script>x</script>", "&lt;b&gt;", "a & b", "a < b", ""):
        document = QTextDocument()
        made = tip(text)
        if GuiQt.mightBeRichText(made):
            document.setHtml(made)
            made = document.toPlainText().replace("\u2028", "\n")
        assert made == text
    assert tip("a & b") == "a & b"
    assert len(tip("<b>" + "x" * 1_000_000)) < 10_000


def test_no_page_takes_a_foreign_text_for_html(open_desk: Callable[..., Desk], home: Path) -> None:
    desk = open_desk(reply=TAG)
    desk.ready()
    desk.say(TAG)
    wait(lambda: TAG in desk.titles(), "the title")
    folder = home / "<img src=b.png>"
    folder.mkdir()
    files = [folder / NAME, folder / f"2 {NAME}"]
    for file in files:
        file.write_text(TAG, encoding="utf-8")
    table = folder / "<img src=c.png>.csv"
    table.write_text(f"number,words\n1,{NAME}\n2,fine\n", encoding="utf-8")

    classify = desk.window.open_key("classify")
    assert isinstance(classify, ClassifyPage)
    wait(lambda: classify._restored, "the page")
    classify.given.box.take([table])
    wait(lambda: classify.given.form is not None, "the table")
    classify.labels.line.setText("<img src=a.png>, <img src=a.png>")
    assert "<img" in classify.labels.problem.text()
    classify.pane.add([Line(TAG, TAG, 0.5, TAG, TAG)])
    assert list(taken_for_html(classify)) == []
    classify.given.box.take(files)
    assert list(taken_for_html(classify)) == []

    translate = desk.window.open_key("translate")
    assert isinstance(translate, TranslatePage)
    wait(lambda: translate._restored, "the page")
    translate.desk.take(files)
    wait(lambda: not translate.desk.placing, "the place")
    assert list(taken_for_html(translate)) == []

    models = desk.window.open_key("models")
    assert isinstance(models, ModelsPage)
    models.search.setText(TAG)
    wait(lambda: TAG in models._none.text(), "the search")
    child(desk.window.open_key("documents"), Answers).restore([Entry(TAG), Entry(NAME)])
    assert list(taken_for_html(desk.window)) == []
