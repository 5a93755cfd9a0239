"""How well passages are found: by words, by meaning, by both, on questions that say it in other words. Recall at 5.

Run: python -m benchmarks.retrieval [--model FOLDER] [--reranker FOLDER] [--limit 5]

The documents and questions are those of `retrieval.toml`, in English and French, with the pages of `docs/` among them;
all are one collection. Half of the questions are asked in wholly other words than the text's, half share some. The
model is the real all-MiniLM-L6-v2, exported and quantized as the tests do it, unless another folder is named. It knows
English only. A question counts when a passage with the right text is among the best `--limit`. All figures are given
for the half of the documents that the constants of the fusion were chosen on and for the half that was held out
(`retrieval_fusion.py`), which is the one to believe.

The last line is `RESULT` and one JSON object: figures, verdicts. The exit status is 1 when both together are not better
than each alone, of all questions and of those held out, or when the tuning half alone leads to other constants.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import retrieval_fusion
from benchmarks.generate import say
from edgellm.documents import retrieve, vectors
from edgellm.documents.document import Block, Document, Page
from edgellm.documents.index import Indexer
from edgellm.documents.library import Library
from edgellm.documents.readers import read as read_any
from edgellm.documents.retrieve import WORDS, Aids
from edgellm.documents.vectors import Embedder
from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import read_folder
from edgellm.tasks import embedding

HERE = Path(__file__).parent
LANGUAGES = ("en", "fr")
KINDS = ("other words", "some words")
Find = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the text of the passage that answers it; `kind` says how near its words are to the text's."""

    document: str
    language: str
    kind: str
    text: str
    answer: str


def questions() -> list[Question]:
    """All of them."""
    given = tomllib.loads((HERE / "retrieval.toml").read_text(encoding="utf-8"))
    return [
        Question(document["name"], document["language"], kind, asked, text)
        for document in given["document"]
        for _, text, *both in document["sections"]
        for kind, all_asked in zip(KINDS, both, strict=True)
        for asked in all_asked
    ]


def write(folder: Path) -> None:
    """The documents, as Markdown, and what else is in the collection."""
    given = tomllib.loads((HERE / "retrieval.toml").read_text(encoding="utf-8"))
    for document in given["document"]:
        parts = [f"# {document['title']}"]
        for heading, text, *_ in document["sections"]:
            parts += [f"## {heading}", text]
        (folder / f"{document['name']}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    for page in sorted((HERE.parent / "docs").glob("*.md")):
        (folder / f"docs-{page.name}").write_bytes(page.read_bytes())


def read(path: Path) -> Document:
    """What the benchmark wrote is its own parser's work; the rest is read as the program does it."""
    if path.name.startswith("docs-"):
        return read_any(path)
    data = path.read_bytes()
    blocks = [
        Block("heading", part.lstrip("# "), len(part) - len(part.lstrip("#")))
        if part.startswith("#")
        else Block("paragraph", part)
        for part in data.decode().strip().split("\n\n")
    ]
    return Document(path, "markdown", blocks[0].text, hashlib.sha256(data).hexdigest(), (Page(0, tuple(blocks)),))


def recall(asked: Sequence[Question], find: Find) -> dict[str, float]:
    """The share of questions whose passage is found: of all, by language, and by kind."""
    hits: dict[str, list[bool]] = {}
    held = {one.text for one in retrieval_fusion.halves(asked)[1]}
    for one in asked:
        hit = any(one.answer in text for text in find(one.text))
        half = "held out" if one.text in held else "tuning"
        for name in ("all", half, one.language, f"{one.language}, {one.kind}"):
            hits.setdefault(name, []).append(hit)
    return {name: round(sum(found) / len(found), 3) for name, found in sorted(hits.items())}


def by_meaning(library: Library, embedder: Embedder, limit: int) -> Find:
    """Vectors alone."""

    def find(text: str) -> list[str]:
        near = vectors.nearest(library, embedder, text, limit)
        return [one.text for one in retrieve.passages(library, near)]

    return find


def searched(library: Library, aids: Aids, limit: int) -> Find:
    """The search of the program."""
    return lambda text: [one.text for one in retrieve.search(library, text, limit, aids=aids)]


def model(folder: Path | None, where: Path) -> tuple[Path, str]:
    """The folder of the model that embeds, and its name."""
    if folder is not None:
        return folder, folder.name
    from benchmarks.embeddings import export

    made = where / "all-minilm-l6-v2"
    export(made)
    return made, made.name


def measure(where: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every way of searching, on one library."""
    (where / "files").mkdir()
    write(where / "files")
    library = Library(where / "library.db")
    try:
        library.create("all")
        library.add_source("all", where / "files")
        report = Indexer(library, read).update("all")
        folder, name = model(options.model, where)
        embedder = embedding.embedder(Encoder(read_folder(folder), Placement(threads=options.threads)), name)
        vectors.embed(library, embedder)
        asked = questions()
        figures = {
            "words": recall(asked, searched(library, WORDS, options.limit)),
            "meaning": recall(asked, by_meaning(library, embedder, options.limit)),
            "both": recall(asked, searched(library, Aids(embedder), options.limit)),
        }
        if options.reranker is not None:
            ranker = Encoder(read_folder(options.reranker), Placement(threads=options.threads))
            aids = Aids(embedder, embedding.ranker(ranker, options.reranker.name), options.reranker.name)
            figures["both, put in order"] = recall(asked, searched(library, aids, options.limit))
        return {
            "questions": {language: sum(one.language == language for one in asked) for language in LANGUAGES},
            "passages": report.chunks,
            "model": name,
            "limit": options.limit,
            "recall": figures,
            "fusion": retrieval_fusion.judged(library, embedder, options.limit, asked),
        }
    finally:
        library.close()


def main() -> int:
    """Measure, say, judge."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=None, help="folder of another ONNX model that embeds")
    parser.add_argument("--reranker", type=Path, default=None, help="folder of an ONNX model that ranks pairs")
    parser.add_argument("--limit", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        result = measure(Path(name), options)
    for way, figures in result["recall"].items():
        say(f"{way:20}" + "  ".join(f"{part} {value:.3f}" for part, value in figures.items()))
    fusion = result["fusion"]
    for cell in fusion["cells"]:
        say(f"  {cell['cell']:45} tuning {cell['tuning']:.3f}  held out {cell['held_out']:.3f}")
    for name in ("chosen_by_tuning", "used", "best_of_held_out"):
        say(f"{name}: {fusion[name]}")
    found = result["recall"]
    better = [found["both"][part] > max(found["words"][part], found["meaning"][part]) for part in ("all", "held out")]
    result["holds"] = all(better) and fusion["follows"]
    say("RESULT " + json.dumps(result))
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
