"""Every sentence that the rooms below the window may say, read from their source: f-strings become templates with {}.

Found are whole sentences anywhere in the code, and every text inside an error that is raised, a reason or a note:
half sentences such as "it is empty" end up inside of whole ones.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import edgellm

ROOT = Path(edgellm.__file__).parent
FACES = ("cli", "server", "ui")

SILENT = {
    "database.py": "SQL, and file names of the program's own",
    "log.py": "forms of log lines",
    "settings.py": "descriptions, which test_look.py checks; `edgellm config` says the rest",
    "documents/html_places.py": "names of elements",
    "documents/formats_markup.py": "names of elements",
    "documents/stop_words.py": "words of languages",
    "engine/selftest.py": "texts that a model reads to be measured",
    "engine/tuner.py": "`edgellm tune` only",
    "models/catalog_own.py": "`edgellm models catalog` only",
    "models/catalog_schema.py": "what is wrong in a catalog file, which names fields of it",
    "models/token.py": "`edgellm models token` only",
    "runtimes/fake.py": "a scripted runtime for tests",
    "runtimes/inventory.py": "reports of the command line",
    "runtimes/json_schema.py": "schemas come through the server and the command line",
    "runtimes/onnx/describe.py": "reports of the command line",
    "runtimes/onnx/labels.py": "words for a model",
    "runtimes/report.py": "reports of the command line",
    "runtimes/sandbox.py": "errors inside a chat template, which are said as one",
    "runtimes/schema_check.py": "schemas come through the server and the command line",
    "runtimes/speed_report.py": "reports of the command line",
    "runtimes/torch/describe.py": "reports of the command line",
    "runtimes/tuning.py": "`edgellm tune` only",
    "sockets.py": "errors below the network door, which trouble.py words",
    "tasks/batch.py": "`edgellm batch` only",
    "tasks/batch_manifest.py": "`edgellm batch` only",
    "tasks/batch_places.py": "`edgellm batch` only",
    "tasks/doubt.py": "words of languages",
    "tasks/label_sets.py": "the meanings of labels are for a model; the rest is in the table too",
    "tasks/summary_questions.py": "questions in the language of the text",
    "tasks/summary_styles.py": "orders for a model",
}

_ENDS = re.compile(r"[.!?…]$")
_CODE = re.compile(r"^(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|BEGIN|DROP|ALTER|JOIN)\b|\bWHERE\b|\\[nstd]|<\w+|\n")
_SPEAKING = ("Choice", "Outcome")
_QUIET = ("RuntimeError", "ValueError", "TypeError", "AssertionError", "ProtocolError", "execute", "compile")


def errors() -> set[str]:
    """The names of all classes of errors that a person may see."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"EdgeError"}
    while True:
        more = {c.name for c in classes if any(isinstance(b, ast.Name) and b.id in found for b in c.bases)}
        if more <= found:
            return found
        found |= more


def template(node: ast.AST) -> str | None:
    """The text of a literal; what is put in becomes {}."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w*(:[^}]*)?\}", "{}", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = template(node.left), template(node.right)
        if parts != (None, None):
            return "".join("{}" if part is None else part for part in parts)
    return None


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


class _Reader:
    """Reads one module. `loud` are the nodes inside errors, reasons and notes; `spent` those that say nothing."""

    def __init__(self, tree: ast.Module, kinds: set[str]) -> None:
        self.loud: set[ast.AST] = set()
        self.spent: set[ast.AST] = set()
        for node in ast.walk(tree):
            self._look(node, kinds)

    def _look(self, node: ast.AST, kinds: set[str]) -> None:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            self.spent.add(node.body[0].value)  # type: ignore[attr-defined]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            self.spent.add(node.value)  # the description of a field
        elif isinstance(node, ast.JoinedStr):
            self.spent.update(part for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.BinOp) and template(node) is not None:
            self.spent.update((node.left, node.right))
        elif isinstance(node, ast.Raise) and node.exc is not None:
            self.loud.update(ast.walk(node.exc))
        elif isinstance(node, ast.keyword) and node.arg in ("reason", "hint", "note", "notes", "warning"):
            self.loud.update(ast.walk(node.value))
        elif isinstance(node, ast.Call):
            name = _name(node)
            if name in _QUIET or (
                isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "_log"
            ):
                self.spent.update(inner for inner in ast.walk(node) if inner is not node)
            elif name in kinds or name in _SPEAKING:
                self.loud.update(ast.walk(node))


def sentences() -> Iterator[tuple[str, str]]:
    """(module, sentence or template)."""
    kinds = errors()
    for path in sorted(ROOT.rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        if module.split("/")[0] in FACES or module in SILENT:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        reader = _Reader(tree, kinds)
        for node in ast.walk(tree):
            text = None if node in reader.spent else template(node)
            if text is None or _CODE.search(text) or len(re.findall(r"[A-Za-z]{2,}", text)) < 2:
                continue
            whole = _ENDS.search(text.strip()) and " " in text.strip() and re.match(r"[A-Z{“ ]", text)
            if whole or (node in reader.loud and " " in text.strip()):
                yield module, text.strip()
