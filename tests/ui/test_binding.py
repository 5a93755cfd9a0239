"""The binding to Qt itself: a release of it is only fit for us when its signals count references right."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal

from edgellm.ui import main


class _Source(QObject):
    sent = Signal(int)


def test_sending_a_signal_costs_no_reference() -> None:
    """PySide6 6.12.0 gives one reference to True away with each signal: before Python 3.12 that ends the process."""
    main.application()
    source, seen = _Source(), list[int]()
    source.sent.connect(seen.append)
    before = sys.getrefcount(True)
    for number in range(100):
        source.sent.emit(number)
    assert len(seen) == 100
    assert abs(sys.getrefcount(True) - before) < 50
