"""`edgellm documents search`: the passages that fit a question, by words and meaning, with file, page and heading."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed, whole_number
from edgellm.cli.session import Session
from edgellm.documents import retrieve
from edgellm.errors import UsageError

_SHOWN = 300


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("words", nargs="+", metavar="WORDS", help="What to look for, in any language.")
    parser.add_argument("--collection", type=typed, default="", metavar="NAME", help="Only in this collection.")
    parser.add_argument("--limit", type=whole_number(1), default=5, metavar="N", help="Passages at most (5).")
    parser.add_argument("--words-only", action="store_true", help="Use no model: only passages that share words.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print the passages, the best first; the exit status is 1 when there is none."""
    output, library = session.output, session.app.library()
    if not library.collections():
        raise UsageError("There are no documents yet.", "Add a folder first: edgellm documents add FOLDER")
    if arguments.collection:
        library.collection(arguments.collection)  # before a model is loaded for nothing
    aids = retrieve.WORDS
    if not arguments.words_only:
        means = session.app.meaning().means(library)
        aids = means.aids
        for note in means.notes:
            output.note(note)
    text = typed(" ".join(arguments.words))
    found = retrieve.search(library, text, arguments.limit, arguments.collection, aids)
    for passage in found:
        page = f", page {passage.page}" if passage.page else ""
        heading = f", {' > '.join(passage.headings)}" if passage.headings else ""
        output.line(f"{passage.path}{page}{heading}")
        text = " ".join(passage.text.split())
        output.line(f"  {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}")
    if not found:
        output.line("No document has these words.")
    elif aids != retrieve.WORDS:
        output.note(f"Searched {aids.means()}.")
    output.document(
        searched=aids.means(),
        passages=[
            {
                "file": str(passage.path),
                "title": passage.title,
                "page": passage.page,
                "headings": list(passage.headings),
                "text": passage.text,
                "start": passage.start,
                "stop": passage.stop,
                "score": round(passage.score, 4),
            }
            for passage in found
        ],
    )
    return 0 if found else 1
