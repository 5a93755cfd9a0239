"""Every runtime and what it can use here: usable or not, and why; for the report of `edgellm doctor`.

Nothing is loaded and no server is asked. The providers of ONNX Runtime and the devices of PyTorch are described by
their own modules.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

from edgellm.errors import SettingsError
from edgellm.hardware.probe import Hardware
from edgellm.runtimes import device, variants
from edgellm.runtimes.build import Build
from edgellm.runtimes.onnx import describe
from edgellm.runtimes.remote_address import Address
from edgellm.runtimes.torch import describe as describe_torch
from edgellm.runtimes.torch import extra
from edgellm.settings import Settings

# Kind of runtime: the package it needs, its distribution, and what it is for
_RUNTIMES = {
    "llama": ("llama_cpp", "llama-cpp-python", "GGUF models"),
    "onnx": ("onnxruntime", "onnxruntime", "ONNX models"),
    "torch": ("torch", "torch", "safetensors models and the workbench"),
}
_REMOTE = "models on a server"


def gather(hardware: Hardware, build: Build, settings: Settings) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "build": _build(build, hardware),
        "runtimes": [*(_runtime(name) for name in _RUNTIMES), _remote(settings)],
        "providers": describe.providers(hardware),
        "torch": describe_torch.ways(hardware),
    }


def _build(build: Build, hardware: Hardware) -> dict[str, Any]:
    rows = []
    for name in build.variants:
        why = variants.missing(name, hardware.cpu)
        rows.append({"name": name, "usable": not why, "reason": why})
    gpus = [
        {"name": gpu.name, "usable": not (why := device.problem(gpu, build)), "reason": why} for gpu in hardware.gpus
    ]
    backends = [
        {"name": kind, "usable": found.value, "reason": found.reason}
        for kind, found in device.backends(hardware, build).items()
    ]
    return {
        "version": build.version,
        "variants": rows,
        "gpu_backends": list(build.gpu_backends),
        "gpus": gpus,
        "backends": backends,
    }


def _runtime(name: str) -> dict[str, Any]:
    package, distribution, purpose = _RUNTIMES[name]
    row = {"name": name, "for": purpose, "installed": True, "usable": True, "version": "", "reason": ""}
    if importlib.util.find_spec(package) is None:
        reason = f"Run: {extra.COMMAND}" if name == "torch" else f"Run: pip install {distribution}"
        return row | {"installed": False, "usable": False, "reason": reason}
    try:
        row["version"] = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        row["version"] = ""
    if name == "torch" and (lacking := extra.missing()):
        return row | {"usable": False, "reason": lacking}
    return row


def _remote(settings: Settings) -> dict[str, Any]:
    """The server of the settings. Its host is named, because the person who copies the report set it."""
    row = {"name": "remote", "for": _REMOTE, "installed": True, "usable": False, "version": "", "reason": ""}
    if not settings.remote_address.strip():
        return row | {"reason": "off: no address is set"}
    try:
        address = Address.of(settings.remote_address)
    except SettingsError as error:
        return row | {"reason": f"off: {error.message} {error.hint}"}
    if settings.offline and not address.local:
        return row | {"reason": "off: the offline lock is on, and the server is another computer"}
    where = "another program on this computer" if address.local else "it leaves this computer"
    return row | {"usable": True, "reason": f"on when the model is remote; {where}"}


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """What `gather` found, as lines for a person."""
    for runtime in report["runtimes"]:
        yield f"  {runtime['name']:<11} {_state(runtime)} ({runtime['for']})"
    build = report["build"]
    if build["version"]:
        yield from _llama_lines(build)
    yield from describe.provider_lines(report["providers"])
    yield from describe_torch.way_lines(report["torch"])


def _state(row: Mapping[str, Any]) -> str:
    if not row["installed"]:
        return f"not installed. {row['reason']}"
    if row["name"] == "remote":
        return str(row["reason"])
    version = row["version"] or "installed"
    return version if row["usable"] else f"{version}, not usable: {row['reason']}"


def _llama_lines(build: Mapping[str, Any]) -> Iterator[str]:
    if build["variants"]:
        usable = [row["name"] for row in build["variants"] if row["usable"]]
        yield f"  CPU parts   {', '.join(usable) or 'none runs here'}"
        yield from _refused(build["variants"])
    else:
        yield "  CPU parts   one, linked in"
    ready = [f"{row['name']} ({row['reason']})" for row in build["backends"] if row["usable"]]
    yield f"  GPU parts   {', '.join(ready) or 'none'}"
    yield from _refused(build["backends"])


def _refused(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"              not {row['name']}: {row['reason']}" for row in rows if not row["usable"])
