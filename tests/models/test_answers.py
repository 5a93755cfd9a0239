"""What a server's answer to a request for bytes is taken for."""

from __future__ import annotations

import pytest

from edgellm.errors import ModelDamaged, NetworkError
from edgellm.models import answers
from edgellm.models.answers import Answer, Asked

REST = Asked("host", "/model.gguf", start=100, stop=None, size=1000, etag='"one"')
PIECE = Asked("host", "/model.gguf", start=100, stop=200, size=1000)
WHOLE = Asked("host", "/model.gguf", start=0, stop=None, size=1000)


def _partial(text: str, **more: str) -> dict[str, str]:
    return {"content-range": text, "etag": '"one"', **more}


def test_answers_that_can_be_used() -> None:
    assert answers.read(206, _partial("bytes 100-999/1000"), REST) == Answer(100, 0, 1000, '"one"')
    assert answers.read(206, _partial("bytes 100-499/*"), REST) == Answer(100, 0, None, '"one"')
    assert answers.read(206, _partial("bytes 100-199/1000"), PIECE) == Answer(100, 0, 1000, '"one"')
    assert answers.read(200, {"content-length": "1000"}, WHOLE) == Answer(0, 0, 1000, "")
    assert answers.read(200, {}, WHOLE) == Answer(0, 0, None, "")


def test_a_range_that_was_ignored_is_skipped_and_another_file_begun_anew() -> None:
    same = {"content-length": "1000", "etag": '"one"'}
    assert answers.read(200, same, REST) == Answer(100, 100, 1000, '"one"')
    assert answers.read(200, same | {"etag": '"two"'}, REST) == Answer(0, 0, 1000, '"two"')
    assert answers.read(200, {"content-length": "1000"}, REST) == Answer(0, 0, 1000, "")
    assert answers.read(200, {"content-length": "1000"}, PIECE) == Answer(100, 100, 1000, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes 101-999/1000",
        "bytes 0-999/1000",
        "bytes 100-99/1000",
        "bytes 100-1000/1000",
        "bytes */1000",
        "bytes 100-999/-1",
        "bytes 100-9999999999999999999/*",
        "items 100-999/1000",
        "bytes 100-999/1000, bytes 0-1/1000",
    ],
)
def test_a_lying_range_is_not_believed(text: str) -> None:
    with pytest.raises(answers.BadRange):
        answers.read(206, _partial(text), REST)


def test_more_than_was_asked_another_etag_and_an_unasked_part_are_not_believed() -> None:
    for headers, asked in (
        (_partial("bytes 100-200/1000"), PIECE),
        (_partial("bytes 100-999/1000", etag='"two"'), REST),
        (_partial("bytes 0-999/1000"), WHOLE),
    ):
        with pytest.raises(answers.BadRange):
            answers.read(206, headers, asked)
    with pytest.raises(answers.BadRange):
        answers.read(416, {}, REST)


def test_another_size_is_another_file() -> None:
    for status, headers in ((200, {"content-length": "999"}), (206, _partial("bytes 100-998/999"))):
        with pytest.raises(ModelDamaged):
            answers.read(status, headers, REST)


def test_a_page_is_not_a_model_unless_it_was_asked_for() -> None:
    page = {"content-type": "text/html; charset=utf-8", "content-length": "80"}
    with pytest.raises(NetworkError, match="web page"):
        answers.read(200, page, WHOLE)
    asked = Asked("host", "/read.html", 0, None, None)
    assert answers.read(200, page, asked).total == 80
    with pytest.raises(NetworkError, match="web page"):
        answers.read(200, page, Asked("host", "/model.gguf", 0, None, None))


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('"strong"', '"strong"'),
        ('W/"weak"', ""),
        ("bare", ""),
        ('"' + "x" * 300 + '"', ""),
        ('"a\tb"', ""),
        ('"ä"', ""),
    ],
)
def test_only_a_strong_plain_etag_is_sent_back(etag: str, kept: str) -> None:
    assert answers.read(200, {"etag": etag}, WHOLE).etag == kept


def test_a_date_stands_in_for_a_missing_etag() -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert answers.read(200, {"last-modified": date}, WHOLE).etag == date
    assert answers.read(200, {"last-modified": "x" * 99}, WHOLE).etag == ""


@pytest.mark.parametrize("status", [201, 204, 300, 304, 400, 401, 403, 404, 407, 418, 429, 451, 500, 511, 599, 999])
def test_every_other_status_is_a_sentence_with_a_hint(status: int) -> None:
    with pytest.raises(NetworkError) as caught:
        answers.read(status, {}, WHOLE)
    assert caught.value.message.endswith(".") and caught.value.hint
