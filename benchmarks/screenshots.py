"""Takes the pictures of the documentation: the real window, the real engine, the built-in starter, a virtual screen.

Run: python -m benchmarks.screenshots [--model FILE.gguf] [--only NAME]

Everything happens in a home of its own that is thrown away. The pictures go to docs/screenshots.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import pictures_models, pictures_tasks, pictures_window
from benchmarks.display import screen
from benchmarks.studio import Studio

SCENES: Mapping[str, tuple[Callable[[Studio], None], Mapping[str, str]]] = {
    "tour": (pictures_window.tour, {"theme": "light", "language": "en"}),
    "dark": (pictures_window.dark, {"theme": "dark", "language": "en"}),
    "chinese": (pictures_window.chinese, {"theme": "light", "language": "zh_CN"}),
    "remote": (pictures_window.remote, {"theme": "light", "language": "en"}),
    "models": (pictures_models.models, {"theme": "light", "language": "en"}),
    "summarize": (pictures_tasks.summarize, {"theme": "light", "language": "en"}),
    "summarize-dark": (pictures_tasks.summarize, {"theme": "dark", "language": "en"}),
    "models-dark": (pictures_models.models, {"theme": "dark", "language": "en"}),
    "models-contrast": (pictures_models.models, {"theme": "contrast", "language": "en"}),
    "documents": (pictures_tasks.documents, {"theme": "light", "language": "en"}),
    "documents-dark": (pictures_tasks.documents, {"theme": "dark", "language": "en"}),
    "documents-chinese": (pictures_tasks.documents, {"theme": "light", "language": "zh_CN"}),
    "classify": (pictures_tasks.classify, {"theme": "light", "language": "en"}),
    "classify-dark": (pictures_tasks.classify, {"theme": "dark", "language": "en"}),
    "translate": (pictures_tasks.translate, {"theme": "light", "language": "en"}),
    "translate-dark": (pictures_tasks.translate, {"theme": "dark", "language": "en"}),
    "translate-chinese": (pictures_tasks.translate, {"theme": "light", "language": "zh_CN"}),
    "models-chinese": (pictures_models.models, {"theme": "light", "language": "zh_CN"}),
}


def main() -> int:
    """Take all pictures, each scene in a process of its own: a language stays installed for the life of one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="", help="another model than the built-in one")
    parser.add_argument("--only", choices=list(SCENES), default="")
    arguments = parser.parse_args()
    if not arguments.only:
        commands = [[sys.executable, "-m", "benchmarks.screenshots", "--only", scene] for scene in SCENES]
        model = ["--model", arguments.model] if arguments.model else []
        return max(os.spawnv(os.P_WAIT, sys.executable, [*command, *model]) for command in commands)
    with tempfile.TemporaryDirectory() as folder, screen(virtual=True):
        os.environ["EDGELLM_HOME"] = folder
        scene, overrides = SCENES[arguments.only]
        if scene is pictures_models.models:
            Path(folder, "models.toml").write_text(pictures_models.own_catalog(), encoding="utf-8")
        if arguments.model:
            store = Path(folder) / "models"
            store.mkdir()
            shutil.copyfile(arguments.model, store / "candidate.gguf")
            overrides = {**overrides, "model": "candidate"}
        studio = Studio(overrides)
        try:
            scene(studio)
        finally:
            studio.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
