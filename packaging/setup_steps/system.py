"""System libraries, fonts and tools: found by trying, installed as root on Debian and Ubuntu, otherwise named.

Only Linux needs any of this; Windows and macOS bring what Qt needs. Python packages are left to `environment.py`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from setup_steps.say import Problem, command_line, quiet, say

LINUX = sys.platform.startswith("linux")

# What Qt's widgets need to be imported at all, then what its X11 and Wayland plug-ins need: file -> Debian package.
_QT: Mapping[str, str] = MappingProxyType(
    {
        "libEGL.so.1": "libegl1",
        "libGL.so.1": "libgl1",
        "libfontconfig.so.1": "libfontconfig1",
        "libfreetype.so.6": "libfreetype6",
        "libdbus-1.so.3": "libdbus-1-3",
        "libglib-2.0.so.0": "libglib2.0-0",
        "libgssapi_krb5.so.2": "libgssapi-krb5-2",
        "libxkbcommon.so.0": "libxkbcommon0",
        "libzstd.so.1": "libzstd1",
    }
)
_X11: Mapping[str, str] = MappingProxyType(
    {
        "libX11.so.6": "libx11-6",
        "libX11-xcb.so.1": "libx11-xcb1",
        "libxcb.so.1": "libxcb1",
        "libxcb-cursor.so.0": "libxcb-cursor0",
        "libxcb-icccm.so.4": "libxcb-icccm4",
        "libxcb-image.so.0": "libxcb-image0",
        "libxcb-keysyms.so.1": "libxcb-keysyms1",
        "libxcb-randr.so.0": "libxcb-randr0",
        "libxcb-render-util.so.0": "libxcb-render-util0",
        "libxcb-render.so.0": "libxcb-render0",
        "libxcb-shape.so.0": "libxcb-shape0",
        "libxcb-shm.so.0": "libxcb-shm0",
        "libxcb-sync.so.1": "libxcb-sync1",
        "libxcb-xfixes.so.0": "libxcb-xfixes0",
        "libxcb-xkb.so.1": "libxcb-xkb1",
        "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    }
)
_WAYLAND: Mapping[str, str] = MappingProxyType(
    {"libwayland-client.so.0": "libwayland-client0", "libwayland-cursor.so.0": "libwayland-cursor0"}
)
_ENGINE: Mapping[str, str] = MappingProxyType({"libgomp.so.1": "libgomp1", "libstdc++.so.6": "libstdc++6"})

# A character of each script that the program shows: fontconfig is asked for a font that has it -> Debian package.
_FONTS: Mapping[str, str] = MappingProxyType(
    {"4f60": "fonts-noto-cjk", "3042": "fonts-noto-cjk", "d55c": "fonts-noto-cjk", "1f600": "fonts-noto-color-emoji"}
)

_TRY = """
import ctypes, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError as error:
        print(name, error, sep="\\t")
"""
_PLUGINS = "lib/python*/site-packages/PySide6/Qt/plugins/platforms"


def has_display() -> bool:
    """Whether a window can be shown. On Linux a local display's socket has to be there, not only its variable."""
    if not LINUX:
        return not (sys.platform == "darwin" and "SSH_CONNECTION" in os.environ)
    wayland = os.environ.get("WAYLAND_DISPLAY", "")
    if wayland and (Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / wayland).exists():
        return True
    display = os.environ.get("DISPLAY", "")
    host, _, screen = display.rpartition(":")
    if not screen:
        return False
    if host not in ("", "unix"):
        return True
    return Path(f"/tmp/.X11-unix/X{screen.split('.')[0]}").exists()


def missing_libraries(python: Path, wanted: Iterable[str | Path]) -> dict[str, str]:
    """Those shared libraries that the dynamic loader cannot load, with its reason; tried in a child process."""
    status, output = quiet([python, "-c", _TRY, *wanted])
    if status != 0:
        raise Problem("The system libraries could not be tried.", output.strip()[-300:])
    return dict(line.split("\t", 1) for line in output.splitlines() if "\t" in line)


def _missing_fonts() -> set[str]:
    """Debian packages of the fonts without which some texts are empty boxes."""
    if not shutil.which("fc-list"):
        return {"fontconfig", *_FONTS.values()}
    missing = set()
    for character, package in _FONTS.items():
        status, output = quiet(["fc-list", f":charset={character}", "family"])
        if status == 0 and not output.strip():
            missing.add(package)
    return missing


def need_venv() -> None:
    """`python3 -m venv` needs a package of its own on Debian."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if LINUX and shutil.which("apt-get"):
        _install({package}, "Python's venv module")
        return
    raise Problem(
        "This Python cannot make virtual environments: its venv or ensurepip module is missing.",
        "Install the full Python 3.11 or newer, then run this again.",
    )


def need_compiler() -> None:
    """A C++ compiler, for building llama.cpp once. cmake and ninja come as Python packages where they are missing."""
    names = ("cl", "clang-cl", "g++", "clang++") if sys.platform == "win32" else ("c++", "g++", "clang++")
    if os.environ.get("CXX") or any(shutil.which(name) for name in names):
        return
    if sys.platform == "darwin":
        raise Problem("A C++ compiler is needed to build llama.cpp.", "Run: xcode-select --install")
    if sys.platform == "win32":
        if _visual_studio():
            return
        raise Problem(
            "A C++ compiler is needed to build llama.cpp.",
            "Run: winget install Microsoft.VisualStudio.2022.BuildTools "
            '--override "--wait --passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"',
        )
    _install({"g++", "cmake"}, "a C++ compiler", {"g++": "gcc-c++"})


def _visual_studio() -> bool:
    """CMake finds Visual Studio by itself, so its compiler need not be on the path."""
    folder = os.environ.get("PROGRAMFILES(X86)", "")
    return bool(folder) and (Path(folder) / "Microsoft Visual Studio" / "Installer" / "vswhere.exe").exists()


def need_engine(python: Path) -> None:
    """What llama.cpp's libraries are linked to."""
    if LINUX:
        absent = missing_libraries(python, _ENGINE)
        _install({_ENGINE[name] for name in absent}, "libraries of the engine", _sonames(absent))


def need_window(python: Path, tests: bool) -> None:
    """What a window needs; with `tests` also Xvfb, and then fonts are a must rather than a wish."""
    if not LINUX:
        return
    wanted = {**_QT, **_X11}
    if os.environ.get("WAYLAND_DISPLAY"):
        wanted.update(_WAYLAND)
    absent = missing_libraries(python, wanted)
    packages = {wanted[name] for name in absent}
    other = _sonames(absent)
    if tests and not shutil.which("Xvfb"):
        packages.add("xvfb")
        other["xvfb"] = "xorg-x11-server-Xvfb"
    fonts = _missing_fonts()
    if tests or (fonts and _can_install()):
        packages |= fonts
    elif fonts:
        say(f"Some texts will show as empty boxes. To add the fonts: {_apt_line(fonts)}")
    _install(packages, "libraries of the window", other)
    _try_plugin(python)


def _try_plugin(python: Path) -> None:
    """The real thing at last: Qt's own plug-in for X11, whose needs may have changed since the table was written."""
    plugins = sorted(python.parent.parent.glob(f"{_PLUGINS}/libqxcb.so"))
    for reason in missing_libraries(python, plugins).values():
        raise Problem(
            f"Qt cannot open windows here: {reason}",
            "Install the package that holds this library, or use edgellm in the terminal: bootstrap.py run demo",
        )


def _sonames(absent: Iterable[str]) -> dict[str, str]:
    """For package managers that can find a package by a library it holds."""
    every = {**_QT, **_X11, **_WAYLAND, **_ENGINE}
    return {every[name]: f"{name}()(64bit)" for name in absent}


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _can_install() -> bool:
    return _is_root() and bool(shutil.which("apt-get"))


def _apt_line(packages: Iterable[str]) -> str:
    names = " ".join(sorted(packages))
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {names}"


def _install(packages: set[str], what: str, other: Mapping[str, str] | None = None) -> None:
    """Install Debian packages as root, or stop with the command that installs them here."""
    if not packages:
        return
    names = sorted(packages)
    if not _can_install():
        raise Problem(
            f"Missing on this system: {what}.", f"Run this, then try again: {_install_line(names, other or {})}"
        )
    say(f"Installing {what}: {' '.join(names)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    quiet(["apt-get", "update"], timeout=300)
    status, output = quiet(["apt-get", "install", "-y", "--no-install-recommends", *names], timeout=1800)
    if status != 0:
        reason = next((line[3:] for line in output.splitlines() if line.startswith("E: ")), "apt-get failed.")
        raise Problem(f"Could not install {what}: {reason}", f"Try: {_apt_line(names)}")


def _install_line(names: list[str], other: Mapping[str, str]) -> str:
    if shutil.which("apt-get"):
        return _apt_line(names)
    for manager in (["dnf", "install", "-y"], ["zypper", "install", "-y"]):
        if shutil.which(manager[0]):
            return command_line(["sudo", *manager, *(other.get(name, name) for name in names)])
    return f"install with your package manager what Debian calls {', '.join(names)}"
