"""The architecture as a test: who may import whom, which libraries live where, and what must stay out of a start.

Everything is read from the source by `ast`; only the last tests run the program.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import edgellm

PACKAGE = Path(edgellm.__file__).parent

# Room -> floor. A room imports only rooms on lower floors; the files of floor 0 are one room.
FLOORS = {
    **dict.fromkeys(
        ("errors", "files", "paths", "settings", "log", "isolation", "database", "network", "sockets", "trouble"), 0
    ),
    **dict.fromkeys(("models", "hardware", "chats"), 1),
    **dict.fromkeys(("runtimes", "documents"), 2),
    **dict.fromkeys(("tasks", "workbench"), 3),
    "engine": 4,
    "app": 5,
    **dict.fromkeys(("cli", "server", "ui"), 6),
    "__main__": 7,
}
# Values and protocols that every room speaks. It stands on the ground floor, and imports nothing above it.
VALUES = "edgellm.runtimes.base"
CHOSEN = "(chosen at run time)"
FACE_STARTERS = frozenset({"edgellm.cli.main", "edgellm.cli.window", "edgellm.cli.models_share"})
MODEL_LIBRARIES = frozenset(
    {"llama_cpp", "onnxruntime", "torch", "transformers", "optimum", "tokenizers", "onnx", "gguf", "sentencepiece"}
)
QT = frozenset({"PySide6", "shiboken6", "pyqtgraph"})
NETWORK = frozenset(
    {"httpx", "httpcore", "requests", "urllib3", "aiohttp", "urllib.request", "http.client", "huggingface_hub"}
)
# The door, and the sockets behind it.
DOOR = frozenset({"edgellm.network", "edgellm.sockets"})
MODEL_HOMES = ("runtimes.llama", "runtimes.onnx", "runtimes.torch", "documents.embed", "workbench")


@dataclass(frozen=True)
class Import:
    """One import: of `target` by `module`, at `line`; `lazy` inside a function, `typing_only` for the type checker."""

    module: str
    target: str
    line: int
    lazy: bool
    typing_only: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _called_import(node: ast.Call) -> str:
    """The target of `importlib.import_module("x")` or `__import__("x")`; `CHOSEN` where it is not written out."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in ("import_module", "__import__") or not node.args:
        return ""
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else CHOSEN


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports_of(source: str, module: str, is_package: bool = False) -> Iterator[Import]:
    """Every import of a module's source; `from a import b` yields `a.b`."""

    def walk(node: ast.AST, lazy: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for name in child.names:
                    yield Import(module, name.name, child.lineno, lazy, typing_only)
            elif isinstance(child, ast.ImportFrom):
                base = _absolute(child, module, is_package)
                for name in child.names:
                    yield Import(module, f"{base}.{name.name}", child.lineno, lazy, typing_only)
            else:
                if isinstance(child, ast.Call) and (target := _called_import(child)):
                    yield Import(module, target, child.lineno, lazy, typing_only)
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, lazy or inside, typing_only or _is_type_checking(child))

    yield from walk(ast.parse(source), False, False)


def read(package: Path) -> dict[str, str]:
    """Module name -> source, for a package's folder."""
    sources = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def every_import(sources: Mapping[str, str]) -> list[Import]:
    """The imports of all modules."""
    packages = {name.rpartition(".")[0] for name in sources} | {"edgellm"}
    return [found for name, text in sources.items() for found in imports_of(text, name, name in packages)]


def room(module: str) -> str:
    """The room of a module: its second part."""
    return [*module.split("."), ""][1]


def _place(module: str) -> str:
    return "errors" if _belongs_to(module, [VALUES]) else room(module)


def _starts_a_face(found: Import) -> bool:
    """The command line may start the window and the server, when asked to: from `FACE_STARTERS` alone."""
    return found.module in FACE_STARTERS and found.lazy and room(found.target) in ("ui", "server")


def wrong_arrows(imports: Iterable[Import]) -> list[str]:
    """Imports that point up or sideways, and rooms that the table does not know."""
    wrong = []
    for found in imports:
        if found.target.split(".")[0] != "edgellm" or room(found.target) == "__version__":
            continue
        here, there = _place(found.module), _place(found.target)
        if here not in FLOORS or there not in FLOORS:
            wrong.append(f"{found}: no such room in the table")
            continue
        same_room = here == there or FLOORS[here] == FLOORS[there] == 0
        if not same_room and FLOORS[there] >= FLOORS[here] and not _starts_a_face(found):
            wrong.append(str(found))
    return wrong


def _belongs_to(target: str, libraries: Iterable[str]) -> bool:
    return any(target == name or target.startswith(f"{name}.") for name in libraries)


def _in_homes(module: str, homes: Iterable[str]) -> bool:
    return _belongs_to(module, [f"edgellm.{home}" for home in homes])


def _is_model_home(module: str) -> bool:
    """A home itself, or a file beside it with its name in front: `runtimes/llama_chat.py`."""
    return any(module.startswith(f"edgellm.{home}") for home in MODEL_HOMES)


def reached_at_import(sources: Mapping[str, str], imports: Iterable[Import], roots: Iterable[str]) -> dict[str, str]:
    """Every module that importing `roots` imports too -> who imports it. Lazy imports do not count."""
    eager: dict[str, list[Import]] = {}
    for found in imports:
        if not found.lazy and not found.typing_only:
            eager.setdefault(found.module, []).append(found)
    reached: dict[str, str] = {}
    waiting = [(root, "the start") for root in roots]
    while waiting:
        name, by = waiting.pop()
        while name.startswith("edgellm.") and name not in sources:
            name = name.rpartition(".")[0]  # a name inside a module
        if name in reached:
            continue
        reached[name] = by
        parents = [name.rsplit(".", level)[0] for level in range(1, name.count(".") + 1)]
        waiting += [(parent, name) for parent in parents if parent in sources]
        waiting += [(found.target, name) for found in eager.get(name, ())]
    return reached


SOURCES = read(PACKAGE)
IMPORTS = every_import(SOURCES)


def test_a_room_imports_only_rooms_below_it() -> None:
    assert wrong_arrows(IMPORTS) == []


def test_qt_lives_in_the_window_only() -> None:
    assert [str(found) for found in IMPORTS if _belongs_to(found.target, QT) and room(found.module) != "ui"] == []


def test_model_libraries_live_in_their_adapters_only() -> None:
    wrong = [found for found in IMPORTS if _belongs_to(found.target, MODEL_LIBRARIES)]
    assert [str(found) for found in wrong if not _is_model_home(found.module)] == []


def test_there_is_one_door_to_the_network() -> None:
    wrong = [found for found in IMPORTS if _belongs_to(found.target, NETWORK) and not found.typing_only]
    assert [str(found) for found in wrong if found.module not in DOOR] == []


def test_no_import_is_chosen_by_a_string_but_from_a_written_table() -> None:
    """The table of commands, and the two parts of llama_cpp that its stand-in looks through."""
    chosen = {found.module for found in IMPORTS if found.target == CHOSEN}
    assert chosen <= {"edgellm.cli.commands", "edgellm.runtimes.llama_library"}


def test_only_one_module_prints() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, text in SOURCES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert [place for place in wrong if not place.startswith("edgellm.cli.output:")] == []


@pytest.mark.parametrize(
    ("root", "banned"),
    [
        ("edgellm.app", MODEL_LIBRARIES | QT),
        ("edgellm.cli.main", MODEL_LIBRARIES | QT | {"numpy"}),
        ("edgellm.ui.main", MODEL_LIBRARIES | {"pyqtgraph", "numpy"}),
        ("edgellm.runtimes.registry", MODEL_LIBRARIES | QT),
        ("edgellm.engine.supervisor", MODEL_LIBRARIES | QT),
    ],
)
def test_importing_a_module_stays_light(root: str, banned: frozenset[str]) -> None:
    assert root in SOURCES
    reached = reached_at_import(SOURCES, IMPORTS, [root])
    assert [f"{name}, imported by {by}" for name, by in reached.items() if _belongs_to(name, banned)] == []


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_module_says_what_it_is_for_and_is_not_too_long(name: str) -> None:
    assert ast.get_docstring(ast.parse(SOURCES[name])), "a module needs a docstring"
    assert SOURCES[name].count("\n") <= 350


def test_the_reader_finds_what_it_is_meant_to_find() -> None:
    """The checks above would also pass if they saw nothing."""
    text = (
        "import torch\n"
        "from ..ui import chat\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from edgellm.server import api\n"
        "def later():\n"
        "    import llama_cpp.llama\n"
        "    importlib.import_module('onnxruntime')\n"
        "    importlib.import_module(name)\n"
    )
    found = {entry.target: entry for entry in imports_of(text, "edgellm.models.store")}
    assert {"torch", "edgellm.ui.chat", "edgellm.server.api", "llama_cpp.llama", "onnxruntime"} <= set(found)
    assert CHOSEN in found
    assert found["llama_cpp.llama"].lazy
    assert found["edgellm.server.api"].typing_only
    assert [line.split(" ")[-1] for line in wrong_arrows(found.values())] == ["edgellm.ui.chat", "edgellm.server.api"]


def test_sideways_arrows_are_wrong_but_for_the_one_that_starts_a_face() -> None:
    def arrow(module: str, target: str, lazy: bool) -> list[str]:
        return wrong_arrows([Import(module, target, 1, lazy, False)])

    assert arrow("edgellm.models.store", "edgellm.hardware.probe", True)
    assert arrow("edgellm.ui.main", "edgellm.cli.output", True)
    assert arrow("edgellm.cli.main", "edgellm.ui.main", False)
    assert arrow("edgellm.cli.chat", "edgellm.ui.main", True)
    assert arrow("edgellm.attic.box", "edgellm.errors", False)
    assert not arrow("edgellm.cli.main", "edgellm.ui.main", True)
    assert not arrow("edgellm.network", "edgellm.settings", False)
    assert not arrow("edgellm.chats.store", "edgellm.runtimes.base.Message", False)
    assert arrow("edgellm.chats.store", "edgellm.runtimes.registry.load", False)
    assert arrow("edgellm.runtimes.base", "edgellm.models.gguf", False)


def test_what_is_reached_at_import_follows_names_and_packages_but_not_functions() -> None:
    sources = {
        "edgellm": "",
        "edgellm.cli": "import numpy\n",
        "edgellm.cli.main": "from edgellm.app import App\ndef f():\n    import torch\n",
        "edgellm.app": "import rich.console\n",
    }
    reached = reached_at_import(sources, every_import(sources), ["edgellm.cli.main"])
    assert {"edgellm.app", "numpy", "rich.console"} <= set(reached)
    assert "torch" not in reached


_VERSION = "from edgellm.cli.main import main; raise SystemExit(main(['--version']))"


def test_asking_for_the_version_loads_neither_qt_nor_a_model_library() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", _VERSION],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert edgellm.__version__ in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "edgellm.cli.main" in loaded
    assert sorted(name for name in loaded if _belongs_to(name, MODEL_LIBRARIES | QT | {"numpy", "httpx"})) == []
