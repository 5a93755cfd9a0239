"""A safetensors model and what PyTorch can use, for the report of `edgellm doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgellm.hardware.probe import Hardware
from edgellm.runtimes.budget import gigabytes
from edgellm.runtimes.torch import choice, extra
from edgellm.runtimes.torch.folder import read_folder
from edgellm.settings import Settings


def ways(hardware: Hardware) -> list[dict[str, Any]]:
    """Every device and kind of numbers: usable or not, and why."""
    return [asdict(way) for way in choice.ways(hardware)]


def way_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The same for a person; nothing where PyTorch is not installed, which the list of runtimes says."""
    usable = [f"{row['name']} ({row['reason']})" for row in rows if row["usable"]]
    if usable:
        yield f"  torch on    {', '.join(usable)}"
        yield from (f"              not {row['name']}: {row['reason']}" for row in rows if not row["usable"])


def model(path: Path, hardware: Hardware, settings: Settings) -> dict[str, Any]:
    """What the folder holds and how it is run. Raises an `EdgeError`."""
    folder = read_folder(path)
    steps = choice.rungs(folder, hardware, settings)
    return {
        "torch_model": {
            "name": path.name,
            "architecture": folder.architecture,
            "kind": folder.row.kind,
            "precision": folder.precision,
            "parameters": folder.parameters,
            "size": folder.size,
            "trained_context": folder.context,
            "torch": extra.version(),
        },
        "ladder": [{"placement": asdict(step.value), "reason": step.reason} for step in steps],
    }


def model_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The same for a person."""
    row = report["torch_model"]
    yield f"The model {row['name']}"
    yield (
        f"  {row['architecture']} ({row['kind']}), {row['parameters'] / 1e6:,.0f} million parameters in"
        f" {row['precision']}, {gigabytes(row['size'])}, trained for {row['trained_context']:,} tokens"
    )
    yield f"  {report['ladder'][0]['reason']}"
