"""The steps of bootstrap.py that can be tried without a network: layout of the wheel, progress, stamps, sentences."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

import bootstrap
from setup_steps import llama, say, system, wheel_layout
from setup_steps.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
RECORD = "llama_cpp_python-1.dist-info/RECORD"


def _raw_wheel(path: Path) -> None:
    files = {
        "bin/libggml-cpu-haswell.so": b"haswell",
        "lib/libllama.so": b"a second copy",
        "include/llama.h": b"header",
        "llama_cpp/__init__.py": b"code",
        "llama_cpp/lib/libllama.so": b"llama",
        "llama_cpp/lib/libllama.so.0": b"llama",
        "llama_cpp/lib/libllama.so.0.5.0": b"llama",
        "llama_cpp/lib/libggml-base.so.0": b"base",
        RECORD: b"old",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def test_the_cpu_libraries_move_beside_the_others_and_copies_go(tmp_path: Path) -> None:
    _raw_wheel(tmp_path / "raw.whl")
    wheel_layout.tidy(tmp_path / "raw.whl", tmp_path / "tidy.whl")
    with zipfile.ZipFile(tmp_path / "tidy.whl") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    record = contents.pop(RECORD).decode().splitlines()
    assert contents == {
        "llama_cpp/lib/libggml-cpu-haswell.so": b"haswell",
        "llama_cpp/__init__.py": b"code",
        "llama_cpp/lib/libllama.so": b"llama",
        "llama_cpp/lib/libllama.so.0": b"llama",
        "llama_cpp/lib/libggml-base.so.0": b"base",
    }
    digest = urlsafe_b64encode(hashlib.sha256(b"haswell").digest()).rstrip(b"=").decode()
    assert f"llama_cpp/lib/libggml-cpu-haswell.so,sha256={digest},7" in record
    assert len(record) == len(contents) + 1
    assert record[-1] == f"{RECORD},,"


def test_progress_speaks_every_five_percent(capsys: pytest.CaptureFixture[str]) -> None:
    progress = llama.Progress()
    for done in range(1, 201):
        progress.read(f"  [{done}/200] c++ -c some/file.cpp")
        progress.read("warning: something [99%] inside a line")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 20
    assert " 50 %" in lines[9]
    assert "left" in lines[9]
    assert "100 %" in lines[-1]
    assert "left" not in lines[-1]


def test_progress_reads_make_too(capsys: pytest.CaptureFixture[str]) -> None:
    llama.Progress().read("[ 37%] Building CXX object")
    assert " 37 %" in capsys.readouterr().out


def test_each_way_to_build_has_its_own_place_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    usual, native = llama.recipe("0.3.36"), llama.recipe("0.3.36", native=True)
    assert native.arguments == ()
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_VULKAN=ON")
    own = llama.recipe("0.3.36")
    assert own.arguments[-1] == "-DGGML_VULKAN=ON"
    assert len({usual.key, native.key, own.key, llama.recipe("0.3.37").key}) == 4


def test_every_cpu_variant_is_built_on_linux_laptops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "-DGGML_CPU_ALL_VARIANTS=ON" in llama.recipe("1").arguments
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert "-DGGML_METAL=ON" in llama.recipe("1").arguments


@pytest.fixture
def checkout(tmp_path: Path) -> Environment:
    """A folder with what the stamp depends on, and an interpreter."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    environment = Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    return environment


def test_nothing_is_done_again_until_something_changes(checkout: Environment) -> None:
    assert not checkout.is_current("core")
    checkout.write_stamp("test")
    assert checkout.is_current("core")
    assert checkout.is_current("test")
    assert not checkout.is_current("core", native=True)
    with (checkout.root / "constraints.txt").open("a", encoding="utf-8") as file:
        file.write("one==1\n")
    assert not checkout.is_current("core")
    checkout.write_stamp("core")
    assert checkout.is_current("core")
    assert not checkout.is_current("test")


def test_a_broken_stamp_or_a_lost_interpreter_is_no_stamp(checkout: Environment) -> None:
    checkout.write_stamp("core")
    checkout.python.unlink()
    assert not checkout.is_current("core")
    checkout.python.touch()
    assert checkout.is_current("core")
    (checkout.folder / "edgellm-stamp.json").write_text(json.dumps([1]), encoding="utf-8")
    assert not checkout.is_current("core")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the dynamic loader of Linux")
def test_missing_libraries_are_found_by_trying() -> None:
    found = system.missing_libraries(Path(sys.executable), ["libc.so.6", "libnothing-of-this-name.so.9"])
    assert list(found) == ["libnothing-of-this-name.so.9"]
    assert "cannot open shared object file" in found["libnothing-of-this-name.so.9"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names the command for Debian")
def test_without_root_the_exact_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(say.Problem) as caught:
        system.need_compiler()
    assert caught.value.fix.endswith("sudo apt-get update && sudo apt-get install -y --no-install-recommends cmake g++")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for sockets as Linux has them")
def test_a_display_that_is_only_a_variable_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not system.has_display()
    monkeypatch.setenv("DISPLAY", ":9731")
    assert not system.has_display()
    monkeypatch.setenv("DISPLAY", "desk:0")
    assert system.has_display()


def test_a_failure_is_a_sentence(tmp_path: Path) -> None:
    """A checkout that lost a file: no traceback."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    done = subprocess.run(
        [sys.executable, "bootstrap.py", "run"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "constraints.txt" in done.stdout
    assert done.stderr == ""


def test_an_old_python_can_read_the_script_far_enough_to_say_so() -> None:
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_set_up_needs_the_standard_library_only() -> None:
    known = sys.stdlib_module_names | {"setup_steps"}
    for path in (ROOT / "bootstrap.py", *(ROOT / "packaging" / "setup_steps").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert [name for name in names if name.split(".")[0] not in known] == [], path.name


@pytest.mark.parametrize(
    ("words", "command", "native", "rest"),
    [
        (["run"], "run", False, []),
        (["run", "--version"], "run", False, ["--version"]),
        (["run", "--native", "translate", "--to", "fr", "run"], "run", True, ["translate", "--to", "fr", "run"]),
        (["--native", "test", "-k", "engine"], "test", True, ["-k", "engine"]),
    ],
)
def test_what_follows_the_command_goes_on(words: list[str], command: str, native: bool, rest: list[str]) -> None:
    options, arguments = bootstrap._parse(words)
    assert (options.command, options.native, arguments) == (command, native, rest)
