"""Speed of documents: pages read, chunks indexed, search at 100,000 chunks by words and vectors, and memory.

Run: python -m benchmarks.documents [--chunks 100000] [--queries 300] [--cores 2] [--folder DIR]

Text files of made-up sentences (English and Chinese; words as frequent as Zipf's law has it) are written to a folder
and indexed as the program does it, but read as plain text, so that the readers' speed is not in the figure. Then
questions of four kinds are asked: two rare words, a whole sentence, the most frequent words only, and Chinese; all of
them again within a collection of a hundredth of the files. The memory is what the process holds more in the last fifth
of the files than in the first.

Reading PDF, and the memory of indexing few files and many, are measured by `document_reading.py`; search by words and
meaning together by `document_vectors.py`.

The last line is `RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import Any

import psutil

from benchmarks import document_reading, document_vectors
from benchmarks.percentiles import percentiles
from edgellm.documents.document import Block, Document, Page
from edgellm.documents.index import Control, Indexer, Step
from edgellm.documents.library import Library
from edgellm.documents.retrieve import search

TARGET_MS = 50.0
_PER_FILE = 100
_SYLLABLES = ("ka", "ro", "min", "tel", "su", "va", "den", "pol", "gri", "ash", "ne", "oth", "lu", "fer", "qui", "zan")
_VOCABULARY = 50_000


class Writer:
    """Writes sentences whose words are as frequent as in a natural text."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        count = len(_SYLLABLES)
        self.words = [
            _SYLLABLES[n % count] + _SYLLABLES[n // count % count] + _SYLLABLES[n // count**2 % count] + str(n)[4:]
            for n in range(_VOCABULARY)
        ]
        self.signs = [chr(0x4E00 + n) for n in range(3_000)]
        self._words = list(accumulate(1 / (n + 2) for n in range(_VOCABULARY)))
        self._signs = list(accumulate(1 / (n + 5) for n in range(len(self.signs))))

    def sentence(self) -> str:
        """Fifteen words."""
        return " ".join(self.chance.choices(self.words, cum_weights=self._words, k=15)).capitalize() + "."

    def chinese(self) -> str:
        """Twenty-five characters."""
        return "".join(self.chance.choices(self.signs, cum_weights=self._signs, k=25)) + "。"

    def file(self, sections: int) -> str:
        """A file of sections, each of which becomes one chunk of about 150 tokens; one of five is Chinese."""
        parts = []
        for number in range(sections):
            body = [self.chinese() for _ in range(6)] if number % 5 == 0 else [self.sentence() for _ in range(4)]
            parts += [f"# {self.sentence()}", ("" if number % 5 == 0 else " ").join(body)]
        return "\n\n".join(parts)


def read(path: Path) -> Document:
    """A plain text file as a document."""
    data = path.read_bytes()
    parts = data.decode().split("\n\n")
    blocks = tuple(Block("heading", p[2:], 1) if p.startswith("# ") else Block("paragraph", p) for p in parts)
    return Document(path, "text", path.stem, hashlib.sha256(data).hexdigest(), (Page(0, blocks),))


def index(library: Library, folder: Path, chunks: int) -> dict[str, Any]:
    """Write the files, index them, and say how fast and with how much memory."""
    writer = Writer(1)
    files = max(1, chunks // _PER_FILE)
    for number in range(files):
        (folder / f"{number:05}.txt").write_text(writer.file(_PER_FILE), encoding="utf-8")
    process = psutil.Process()
    memory: list[int] = []

    def progress(step: Step) -> None:
        memory.append(process.memory_info().rss)

    library.create("all")
    library.add_source("all", folder)
    started = time.perf_counter()
    report = Indexer(library, read).update("all", Control(progress))
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    Indexer(library, read).update("all")
    again = time.perf_counter() - started
    growth = max(memory[-len(memory) // 5 :]) - max(memory[: max(1, len(memory) // 5)])
    return {
        "files": files,
        "chunks": report.chunks,
        "chunks_per_second": round(report.chunks / seconds),
        "update_without_change_s": round(again, 3),
        "memory_growth_mib": round(growth / 2**20, 1),
        "memory_mib": round(max(memory) / 2**20, 1),
    }


def questions(count: int) -> dict[str, list[str]]:
    """Questions of each kind, the same in every run."""
    writer = Writer(2)
    signs, words = writer.chance, writer.words
    return {
        "rare": [" ".join(signs.choices(words[500:], k=2)) for _ in range(count)],
        "sentence": [writer.sentence() for _ in range(count)],
        "frequent": [" ".join(signs.sample(words[:40], k=10)) for _ in range(count)],
        "chinese": [writer.chinese() for _ in range(count)],
    }


def ask(library: Library, count: int, collection: str = "") -> dict[str, Any]:
    """The 50th and 95th percentile of each kind of question, and of all, in milliseconds."""
    times: dict[str, list[float]] = {}
    found = 0
    for kind, asked in questions(count).items():
        for text in asked:
            started = time.perf_counter()
            hits = search(library, text, 10, collection)
            times.setdefault(kind, []).append((time.perf_counter() - started) * 1000)
            found += bool(hits)
    everything = [one for kind in times.values() for one in kind]
    figures = {kind: percentiles(one) for kind, one in times.items()}
    return {"all": percentiles(everything), **figures, "answered": round(found / len(everything), 3)}


def part(library: Library, folder: Path) -> str:
    """A collection of a hundredth of the files."""
    files = sorted(folder.iterdir())
    name = library.create("part").name
    for file in files[: max(1, len(files) // 100)]:
        library.add_source(name, file)
    Indexer(library, read).update(name)
    return name


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of the index of documents.")
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300, help="of each of the four kinds")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="where the files and the library are written")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        reading, memory = document_reading.reading(Path(name)), document_reading.memory(Path(name))
        folder = Path(name, "files")
        folder.mkdir()
        library = Library(Path(name, "library.db"))
        indexed = index(library, folder, options.chunks)
        sizes = {
            "text_mib": sum(file.stat().st_size for file in folder.iterdir()) / 2**20,
            "library_mib": library.path.stat().st_size / 2**20,
        }
        asked = ask(library, options.queries)
        small = part(library, folder)
        within = ask(library, options.queries, small)
        mixed = [text for kind in questions(max(1, options.queries // 4)).values() for text in kind]
        both = document_vectors.measure(
            library, Path(name), mixed, small, document_vectors.Options(options.cores, TARGET_MS)
        )
        library.close()
    result = {
        **indexed,
        **{key: round(value, 1) for key, value in sizes.items()},
        "retrieval": asked,
        "retrieval_within_a_hundredth": within,
        "retrieval_with_vectors": both,
        "target_p95_ms": TARGET_MS,
        "reading": reading,
        "memory": memory,
        "holds": asked["all"]["p95_ms"] <= TARGET_MS and both["holds"] and reading["holds"] and memory["holds"],
    }
    for key, value in result.items():
        sys.stdout.write(f"{key}: {value}\n")
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")


if __name__ == "__main__":
    main()
