"""Tiny models for one pair of languages each, put into a home as if they came from the catalog."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgellm.models import manifest
from edgellm.models.manifest import Manifest, ManifestFile
from tests import tiny_onnx


def install(home: Path, source: str, target: str) -> Path:
    """The folder of a model from one language (code) to another."""
    exported, _ = tiny_onnx.seq2seq("marian")
    folder = home / "models" / f"opus-mt-{source}-{target}"
    shutil.copytree(exported, folder)
    words = folder / "tokenizer.json"
    # a model for one pair has no tokens that stand for languages
    words.write_text(words.read_text(encoding="utf-8").replace("__en__", "__e__").replace("__fr__", "__f__"))
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = tuple(ManifestFile(path.relative_to(folder).as_posix(), path.stat().st_size, "0" * 64) for path in paths)
    languages = (source, target)
    made = Manifest(name=folder.name, files=files, format="onnx", tasks=("translate",), languages=languages)
    manifest.write(folder, made)
    return folder
