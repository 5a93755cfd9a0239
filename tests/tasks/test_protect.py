"""What must stay in a translation is found, and its loss is noticed."""

from __future__ import annotations

import pytest

from edgellm.tasks import protect
from edgellm.tasks.protect import Stretch


def texts(text: str) -> list[str]:
    return [one.text for one in protect.find(text)]


@pytest.mark.parametrize(
    ("text", "stay"),
    [
        ("Hello {name}, {{ count }} files in ${folder}", ["{name}", "{{ count }}", "${folder}"]),
        ("%s of %d, %(total)s, %1$s, %-5.2f, %%", ["%s", "%d", "%(total)s", "%1$s", "%-5.2f", "%%"]),
        ("{n, plural, one {a file} other {# files}} left", ["{n, plural, one {a file} other {# files}}"]),
        ("50% discount, 100 % sure", ["50%", "100 %"]),
        ("Click <b>here</b> or <x/> &amp; wait\\nplease", ["<b>", "</b>", "<x/>", "&amp;", "\\n"]),
        ("Run `git add .` with --force in $HOME", ["`git add .`", "--force", "$HOME"]),
        ("See https://a.org/x_(y)?z=1. Or (www.b.org), 去https://c.org/d。", ["https://a.org/x_(y)?z=1"]),
        ("Mail a.b+c@d-e.org.", ["a.b+c@d-e.org"]),
        ("It is 3.5 km at -5 °C, 1,000,000 times, 12:30, 2024-05-01", ["3.5 km", "-5 °C", "1,000,000", "12:30"]),
        ("The 1st of 3D, x2, HTML5 and v1", []),
        ("12:30 %(count)d, 5 ${home} 7 %s 9 %.", ["12:30", "%(count)d", "5", "${home}", "7", "%s", "9 %"]),
        ("It is 3.5 km.", ["3.5 km"]),
        ("有5个", ["5"]),
        ("C:\\new\\text and /usr/bin/env", ["C:\\new\\text", "/usr/bin/env"]),
        ("a < b and c > d, {} {", ["{}"]),
    ],
)
def test_what_stays_is_found(text: str, stay: list[str]) -> None:
    found = texts(text)
    assert found[: len(stay)] == stay
    if not stay:
        assert found == []


def test_of_two_that_overlap_the_longer_one_counts() -> None:
    address = "https://a.org/EdgeLLM/5"
    at = address.index("EdgeLLM")
    assert [one.text for one in protect.find(address, (Stretch(at, at + 7, "EdgeLLM", "term"),))] == [address]
    windows = Stretch(0, 10, "Windows 11", "term")
    assert protect.find("Windows 11 is here", (windows,)) == (windows,)


@pytest.mark.parametrize(
    ("source", "translation", "lost"),
    [
        ("{a} and {a}", "{a} et {a}", ()),
        ("{a} and {a}", "{a}", ("{a}",)),
        ("{a}", "{a} {a}", ("{a}",)),
        ("{{a}} of {a}", "{a} de {{a}}", ()),
        ("{{a}} of {a}", "{{a}} de {{a}}", ("{{a}}", "{a}")),
        ("5 dogs", "15 chiens", ("5",)),
        ("5 dogs", "2.5 chiens", ("5",)),
        ("5 dogs", "5 chiens.", ()),
        ("100%s", "100%s", ()),
    ],
)
def test_a_loss_is_noticed(source: str, translation: str, lost: tuple[str, ...]) -> None:
    assert protect.missing(protect.find(source), translation) == lost


def test_a_term_may_come_more_often_and_in_another_case() -> None:
    term = (Stretch(0, 3, "hund", "term"),)
    assert protect.holds(term, "Hund und HUND")
    assert not protect.holds(term, "Hunde")


def test_a_stretch_that_is_cut_keeps_its_parts() -> None:
    text = "go to https://a.org/b now"
    stretches = protect.find(text)
    parts = [protect.clipped(stretches, low, high) for low, high in ((0, 12), (12, len(text)))]
    assert [one.text for part in parts for one in part] == ["https:", "//a.org/b"]
    replaced = (Stretch(0, 7, "chien", "term"),)
    assert [protect.clipped(replaced, low, high)[0].text for low, high in ((0, 3), (3, 9))] == ["chien", ""]
