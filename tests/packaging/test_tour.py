"""The tour lists every file as it is."""

from __future__ import annotations

import tour


def test_the_tour_is_current() -> None:
    text = tour.PAGE.read_text(encoding="utf-8")
    assert tour.page(text) == text, "Run: python packaging/tour.py"


def test_every_file_says_what_it_does() -> None:
    lines = [line for line in tour.rows() if line.startswith("| `")]
    assert len(lines) > 100
    assert [line for line in lines if line.endswith("|  |")] == []
