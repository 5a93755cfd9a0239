"""Speed of reading PDF beside the library called directly, and the memory of indexing few files and many.

Run as a part of `python -m benchmarks.documents`, or alone: python -m benchmarks.document_reading

The same PDF of made-up text is read in turns: by PDFium alone (each page opened, its text taken, closed), and by the
program, whose reading process opens it, takes the text with the place of every line, joins lines into paragraphs, finds
headings, and sends all of it over its pipe. The ratio is the median of the ratios of neighboring turns, on a quiet
computer; that of processor time (of both our processes) counts where others are at work too.

For the memory a process of its own indexes 200 files and another one 2,000 of the same kind; told is the most that the
indexing process held, and the most that its reading process held.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

PAGES = 400
TURNS = 15
TARGET_RATIO = 0.8
FILES = (200, 2_000)
TARGET_GROWTH = 1.1
_WORDS = ("the", "harvest", "of", "plums", "began", "late", "and", "every", "orchard", "near", "river", "was", "quiet")


def write_pdf(path: Path, pages: int = PAGES) -> None:
    """A PDF with a heading and forty lines of text on each page."""
    chance = random.Random(1)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for number in range(pages):
        drawn = [f"BT /F1 18 Tf 72 790 Td (Chapter {number}) Tj ET"]
        for line in range(40):
            words = " ".join(chance.choices(_WORDS, k=13))
            drawn.append(f"BT /F1 11 Tf 72 {760 - line * 13 - line // 10 * 20} Td ({words}) Tj ET")
        stream = "\n".join(drawn)
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        place = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {place} >>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    data, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += "".join(f"{at:010d} 00000 n \n" for at in places).encode()
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(data)


def read_directly(path: Path) -> int:
    """The library alone; returns the letters."""
    import pypdfium2

    letters, document = 0, pypdfium2.PdfDocument(path.read_bytes())
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        letters += len(text.get_text_range())
        text.close()
        page.close()
    document.close()
    return letters


def reading(folder: Path) -> dict[str, Any]:
    """Pages a second of both, and the ratio."""
    from edgellm.documents.load import Loader

    path = folder / "book.pdf"
    write_pdf(path)
    direct, ours = [], []
    with Loader() as loader:
        document = loader.load(path)  # the process has started, and its libraries are loaded
        letters = sum(len(block.text) for page in document.pages for block in page.blocks)
        if read_directly(path) - letters > PAGES * 60:
            raise SystemExit("The two did not read the same text.")
        alone, before = 0.0, _processor()
        for _ in range(TURNS):
            started, spent = time.perf_counter(), time.process_time()
            read_directly(path)
            between = time.perf_counter()
            alone += time.process_time() - spent
            loader.load(path)
            direct.append(between - started)
            ours.append(time.perf_counter() - between)
        used = _processor() - before - alone
    ratio = statistics.median(one / other for one, other in zip(direct, ours, strict=True))
    processor = alone / used
    return {
        "pages_per_second": round(PAGES / statistics.median(ours)),
        "library_pages_per_second": round(PAGES / statistics.median(direct)),
        "ratio": round(ratio, 3),
        "ratio_of_processor_time": round(processor, 3),
        "target_ratio": TARGET_RATIO,
        "holds": max(ratio, processor) >= TARGET_RATIO,
    }


def _processor() -> float:
    """Seconds of the processor that this process and the one that reads have had."""
    times = [one.cpu_times() for one in (psutil.Process(), *psutil.Process().children())]
    return float(sum(one.user + one.system for one in times))


def memory(folder: Path) -> dict[str, Any]:
    """The most memory while few and while many files are indexed."""
    peaks = {count: _measured(folder / str(count), count) for count in FILES}
    few, many = (peaks[count] for count in FILES)
    growth = max(many[part] / few[part] for part in few)
    shown = {f"{part}_mib_{count}_files": peak for count in FILES for part, peak in peaks[count].items()}
    return {**shown, "growth": round(growth, 3), "target_growth": TARGET_GROWTH, "holds": growth <= TARGET_GROWTH}


def _measured(folder: Path, count: int) -> dict[str, float]:
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.document_reading", str(folder), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def index(folder: Path, count: int) -> dict[str, float]:
    """Write files of the same kind and index them with the program's readers; MiB at most, of both processes."""
    from edgellm.documents.index import Indexer
    from edgellm.documents.library import Library
    from edgellm.documents.load import Loader

    (folder / "files").mkdir()
    chance = random.Random(2)
    for number in range(count):
        parts = [f"# Part {part}\n\n{' '.join(chance.choices(_WORDS, k=400))}." for part in range(5)]
        (folder / "files" / f"{number:05}.md").write_text(f"number{number}\n\n" + "\n\n".join(parts))
    library = Library(folder / "library.db")
    library.create("all")
    library.add_source("all", folder / "files")
    with Loader() as loader:
        report = Indexer(library, loader.load).update("all")
        (reader,) = psutil.Process().children()
        peaks = {"indexing": _peak(os.getpid()), "reading": _peak(reader.pid)}
    library.close()
    if report.added != count:
        raise SystemExit(f"{count} files were written, and {report.added} read.")
    return peaks


def _peak(pid: int) -> float:
    """The most memory that a process held, in MiB; where the system does not tell, what it holds now.

    Not `ru_maxrss`: a process begins with that of the one that started it.
    """
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    return float(round(psutil.Process(pid).memory_info().rss / 2**20, 1))


def main() -> None:
    """Both measurements; or, with a folder and a number of files, the one process of the second."""
    if len(sys.argv) == 3:
        sys.stdout.write(json.dumps(index(Path(sys.argv[1]), int(sys.argv[2]))))
        return
    with tempfile.TemporaryDirectory() as name:
        result = {"reading": reading(Path(name)), "memory": memory(Path(name))}
    for part, figures in result.items():
        for key, value in figures.items():
            sys.stdout.write(f"{part} {key}: {value}\n")
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")


if __name__ == "__main__":
    main()
