"""A question to a collection that fits into the context is answered from all of it, else from a file, else passages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.documents import retrieve, whole
from edgellm.documents.index import Indexer
from edgellm.documents.library import Library
from edgellm.documents.readers import read
from edgellm.tasks import consult, whole_files
from edgellm.tasks.consult import Consulted
from edgellm.tasks.consultation import prepare
from edgellm.tasks.extract import Extract

LEASE = (
    "# Rent\n\nThe rent is 940 euros a month.\n\n# End\n\nThe lease ends in May.\n\n# Keys\n\nThe rent buys no key.\n"
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "lease.md").write_text(LEASE, encoding="utf-8")
    (folder / "copy.md").write_text(LEASE, encoding="utf-8")
    (folder / "dogs.md").write_text("# Dogs\n\n" + "The dog barks at the old cat again. " * 60, encoding="utf-8")
    library = Library(tmp_path / "library.db")
    library.create("papers")
    library.add_source("papers", folder)
    Indexer(library, read).update("papers")
    yield library
    library.close()


def asked(library: Library, context: int, question: str = "How much is the rent?") -> tuple[Scripted, Consulted]:
    model = Scripted(lambda prompt: "> The rent is 940 euros a month.\nAnswer: 940 euros", context=context)
    found = retrieve.search(library, question, 8, "papers")
    wider = whole_files.of(library, found, "papers")
    plan = prepare(model, question, [Extract.of(one) for one in found], wider=wider)
    *_, last = consult.run(model, plan)
    assert isinstance(last, Consulted)
    return model, last


def test_all_of_a_small_collection_is_read(library: Library) -> None:
    model, found = asked(library, 2_000)
    assert found.basis == f"Read the whole of 2 documents ({found.tokens} tokens)."
    assert "The lease ends in May." in model.prompts[0]
    assert "barks" in model.prompts[0]
    (quote,) = found.quotes
    assert (quote.document, quote.headings) == ("copy.md", ("Rent",))


def test_else_the_file_that_the_best_passages_are_in(library: Library) -> None:
    model, found = asked(library, 300)
    assert found.basis.startswith("Read the whole of copy.md (")
    assert "The lease ends in May." in model.prompts[0]
    assert "barks" not in model.prompts[0]


def test_else_passages_and_that_is_said(library: Library) -> None:
    model, found = asked(library, 300, "What barks at the cat?")
    assert found.basis.startswith("Read 2 passages of dogs.md (")
    assert found.basis.endswith("; the whole does not fit into its context.")
    assert "lease" not in model.prompts[0]


def test_a_question_in_other_words_is_asked_when_everything_fits(library: Library) -> None:
    model, found = asked(library, 2_000, "Wieviel?")
    assert (found.text, found.said, found.mode) == ("940 euros", True, "model")
    assert len(model.prompts) == 1


def test_the_text_and_its_places_are_those_of_the_document(library: Library, tmp_path: Path) -> None:
    for passages in whole.collection(library, 100_000, "papers"):
        put, document = Extract.of_passages(passages), read(passages[0].path)
        whole_text = Extract.of_document(document)
        assert put.text.split() == whole_text.text.split()
        assert len(put.text) == len(whole_text.text)
        assert put.places == whole_text.places
        assert all(put.text[one.start : one.stop] == one.text for one in passages)
    assert whole.collection(library, 100, "papers") == ()
