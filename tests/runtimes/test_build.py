"""What is found of an installed llama.cpp, from its files alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgellm.errors import UsageError
from edgellm.runtimes import build, registry
from edgellm.runtimes.base import Placement


def make(package: Path, *files: str) -> None:
    for name in files:
        file = package.parent / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_variants_best_first_and_graphics(tmp_path: Path) -> None:
    lib = "llama_cpp/lib/"
    make(
        tmp_path / "llama_cpp",
        lib + "libllama.so",
        lib + "libggml-cpu-haswell.so",
        lib + "libggml-cpu-x64.so",
        lib + "libggml-cpu-icelake.so",
        lib + "libggml-vulkan.so",
        "bin/libggml-cpu-zen4.so",
    )
    found = build.inspect_folder(tmp_path / "llama_cpp", "1.2")
    assert found.variants == ("zen4", "icelake", "haswell", "x64")
    assert found.gpu_backends == ("vulkan",)
    assert found.library("haswell") == tmp_path / lib / "libggml-cpu-haswell.so"
    assert found.library("zen4") == tmp_path / "bin/libggml-cpu-zen4.so"
    assert found.library("vulkan") == tmp_path / lib / "libggml-vulkan.so"
    assert found.library("missing") is None


def test_a_plain_build_has_no_variants(tmp_path: Path) -> None:
    make(
        tmp_path / "llama_cpp",
        "llama_cpp/lib/libllama.so",
        "llama_cpp/lib/libggml-cpu.so",
        "llama_cpp/lib/libggml-cpu.so.0",
    )
    found = build.inspect_folder(tmp_path / "llama_cpp", "1")
    assert found.variants == ()
    assert found.library_dir == tmp_path / "llama_cpp/lib"


def test_nothing_installed(tmp_path: Path) -> None:
    assert build.inspect_folder(tmp_path / "llama_cpp", "") == build.Build()


def test_inspecting_imports_no_model_library() -> None:
    code = (
        "import sys; from edgellm.runtimes.build import inspect; found = inspect(); assert found.version, found;"
        "assert not {'llama_cpp', 'numpy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_runtime_is_named() -> None:
    with pytest.raises(UsageError, match="no runtime tea"):
        registry.load(Path("x"), Placement(runtime="tea"))
