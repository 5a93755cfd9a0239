"""An ONNX model and the execution providers, for the report of `edgellm doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgellm.hardware.probe import Hardware
from edgellm.runtimes.budget import gigabytes
from edgellm.runtimes.onnx import choice
from edgellm.runtimes.onnx.folder import read_folder
from edgellm.settings import Settings


def providers(hardware: Hardware) -> list[dict[str, Any]]:
    """Every execution provider: usable or not, and why."""
    return [asdict(provider) for provider in choice.providers(hardware)]


def provider_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The same for a person."""
    usable = [f"{row['name']} ({row['reason']})" for row in rows if row["usable"]]
    yield f"  ONNX on     {', '.join(usable) or 'nothing'}"
    yield from (f"              not {row['name']}: {row['reason']}" for row in rows if not row["usable"])


def model(path: Path, hardware: Hardware, settings: Settings) -> dict[str, Any]:
    """What the folder holds and how it is run. Raises an `EdgeError`."""
    folder = read_folder(path)
    steps = choice.rungs(folder, hardware, settings)
    return {
        "onnx_model": {
            "name": path.name,
            "architecture": folder.architecture,
            "kind": folder.kind,
            "precision": folder.precision,
            "size": folder.size,
        },
        "ladder": [{"placement": asdict(step.value), "reason": step.reason} for step in steps],
    }


def model_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The same for a person."""
    row = report["onnx_model"]
    yield f"The model {row['name']}"
    yield f"  {row['architecture']} ({row['kind']}), {row['precision']}, {gigabytes(row['size'])} of weights"
    yield f"  {report['ladder'][0]['reason']}"
