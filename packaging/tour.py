"""Writes the table of files in docs/tour.md from the first line of each file: `python packaging/tour.py [--check]`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tour.md"
FOLDERS = ("edgellm", "starter", "benchmarks", "packaging")
BEGIN, END = "<!-- files -->\n", "<!-- end of files -->"


def rows() -> list[str]:
    """One line of Markdown per file, and a heading per folder."""
    lines: list[str] = []
    folder = None
    for top in FOLDERS:
        for path in sorted((ROOT / top).rglob("*.py"), key=lambda file: (file.parent.as_posix(), file.name)):
            about = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
            if path.parent != folder:
                folder = path.parent
                lines += ["", f"### {folder.relative_to(ROOT).as_posix()}", ""]
            if path.name == "__init__.py":
                lines += [about, "", "| file | its job |", "|---|---|"]
            else:
                if "|---|---|" not in lines[-1] and not lines[-1].startswith("| `"):
                    lines += ["| file | its job |", "|---|---|"]
                lines.append(f"| `{path.name}` | {about.replace('|', chr(92) + '|')} |")
    return lines


def page(text: str) -> str:
    """`text` with its table of files made anew."""
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return head + BEGIN + "\n".join(rows()).lstrip("\n") + "\n\n" + END + tail


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say by the exit status whether it is current."""
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if "--check" in arguments:
        return int(old != new)
    PAGE.write_text(new, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
