"""What this computer has, what was chosen for a model and why: one report, as plain values and as text.

Holds no path and no text of a person, so that it can be copied into a message. Printing is left to the faces.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from edgellm import __version__
from edgellm.errors import EdgeError
from edgellm.hardware.probe import Hardware
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.paths import Paths
from edgellm.runtimes import device, inventory, speed_file, speed_report
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.budget import gigabytes
from edgellm.runtimes.build import inspect
from edgellm.runtimes.ladder import ladder
from edgellm.runtimes.onnx import describe
from edgellm.runtimes.plans import kind_of
from edgellm.runtimes.select import Selection, choose
from edgellm.runtimes.speed import file_key, machine_name
from edgellm.runtimes.torch import describe as describe_torch
from edgellm.settings import Settings

_LARGEST_FILE = 1_000_000


class Source(Protocol):
    """The part of `App` that a report is made from."""

    @property
    def paths(self) -> Paths:
        """Where state lives."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    def hardware(self) -> Hardware:
        """This computer."""
        ...

    def model_path(self, name: str = "") -> Path:
        """The file of a model."""
        ...


def gather(app: Source, model: str = "") -> dict[str, Any]:
    """The whole report as plain values. A model that cannot be run is reported with its error, not raised."""
    hardware, build = app.hardware(), inspect()
    speeds = speed_file.load(app.paths.machine, machine_name(hardware, build))
    report: dict[str, Any] = {
        "edgellm": __version__,
        "python": platform.python_version(),
        "hardware": _hardware(hardware),
        **inventory.gather(hardware, build, app.settings),
        "speed": speed_report.section(speeds, device.threads(hardware, app.settings).value),
        "crashed_here": list(crashed_here(app.paths.machine)),
        "problem": None,
    }
    try:
        path = app.model_path(model)
        if path.is_dir():
            describe_it = describe_torch.model if kind_of(path) == "safetensors" else describe.model
            return report | describe_it(path, hardware, app.settings)
        header = read_header(path)
        report["model"] = _model(header)
        tuned = speeds.tuning(file_key(path.name, header.file_size))
        selection = choose(header, hardware, app.settings, build, tuned=tuned)
        report["selection"] = _selection(selection)
        report["ladder"] = [_step(step) for step in ladder(selection, hardware, build)]
    except EdgeError as error:
        report["problem"] = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    return report


def crashed_here(machine: Path) -> Iterator[str]:
    """What the engine noted in `machine.toml` about crashes, a line each. A broken file says nothing."""
    try:
        if machine.stat().st_size > _LARGEST_FILE:
            return
        document = tomllib.loads(machine.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    engine = document.get("engine")
    facts = engine.get("fact") if isinstance(engine, dict) else None
    for fact in facts if isinstance(facts, list) else ():
        if isinstance(fact, dict) and fact.get("result") in ("crashed", "marked"):
            name = str(fact.get("model", "")).split(":")[0]
            how = str(fact.get("placement", "")) or "not loaded by itself any more"
            yield f"{name} ({how}): {fact.get('what', '')}"


def _hardware(hardware: Hardware) -> dict[str, Any]:
    row = asdict(hardware)
    row["cpu"]["flags"] = sorted(hardware.cpu.flags)
    return row


def _model(header: GgufHeader) -> dict[str, Any]:
    return {
        "name": header.name,
        "architecture": header.architecture,
        "quantization": header.quantization,
        "parameters": header.parameters,
        "layers": header.block_count,
        "trained_context": header.context_length,
        "file_size": header.file_size,
    }


def _selection(selection: Selection) -> dict[str, Any]:
    budget = selection.budget
    return {
        "reason": selection.choice.reason,
        "fit": selection.fit,
        "warning": selection.warning,
        "budget": {**asdict(budget), "need": budget.need, "in_words": str(budget)},
        "parts": {name: {"value": part.value, "reason": part.reason} for name, part in selection.parts.items()},
    }


def _step(step: Choice[Placement]) -> dict[str, Any]:
    return {"placement": asdict(step.value), "reason": step.reason}


def as_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """A report of `gather` as lines for a person."""
    yield f"EdgeLLM {report['edgellm']}, Python {report['python']}, {report['hardware']['system']}"
    yield ""
    yield "This computer"
    yield from _hardware_lines(report["hardware"])
    yield ""
    yield "What is installed"
    yield from inventory.lines(report)
    yield ""
    yield "How fast it is"
    yield from speed_report.lines(report["speed"])
    if "model" in report:
        yield ""
        yield from _model_lines(report["model"])
    if "onnx_model" in report:
        yield ""
        yield from describe.model_lines(report)
    if "torch_model" in report:
        yield ""
        yield from describe_torch.model_lines(report)
    if "selection" in report:
        yield from _selection_lines(report["selection"])
    if report.get("ladder"):
        yield ""
        yield "What is tried, in this order, if that fails"
        for number, step in enumerate(report["ladder"][1:], 1):
            yield f"  {number}. {step['reason']}"
    if report["crashed_here"]:
        yield ""
        yield "What crashed here before"
        yield from (f"  {line}" for line in report["crashed_here"])
    if report["problem"]:
        yield ""
        yield f"Problem: {report['problem']['message']} {report['problem']['hint']}".rstrip()


def _hardware_lines(row: Mapping[str, Any]) -> Iterator[str]:
    cpu, memory, power = row["cpu"], row["memory"], row["power"]
    cores = f"{cpu['physical_cores']} physical and {cpu['logical_cores']} logical cores"
    yield f"  processor   {cpu['model']} ({cpu['architecture']}), {cores}"
    if cpu["limit"]:
        yield f"              {cpu['limit']}"
    yield f"  memory      {gigabytes(memory['free'])} free of {gigabytes(memory['total'])}"
    for gpu in row["gpus"]:
        driver = f", driver {gpu['driver']}" if gpu["driver"] else ""
        room = f", {gigabytes(gpu['free'])} free of {gigabytes(gpu['total'])}" if gpu["total"] else ""
        state = "" if gpu["usable"] else f"; not usable: {gpu['reason']}"
        yield f"  graphics    {gpu['name']} ({gpu['kind']}{driver}{room}){state}"
    if not row["gpus"]:
        yield "  graphics    no GPU for models was found"
    if power["on_battery"] is not None:
        level = f" at {power['percent']:.0f}%" if power["percent"] is not None else ""
        yield f"  power       {'on battery' if power['on_battery'] else 'plugged in'}{level}"
    yield from (f"  note        {note}" for note in row["notes"])


def _model_lines(model: Mapping[str, Any]) -> Iterator[str]:
    millions = model["parameters"] / 1e6
    size = f"{millions / 1000:.1f} billion" if millions >= 1000 else f"{millions:.0f} million"
    yield f"The model {model['name']}"
    yield (
        f"  {model['architecture']}, {size} parameters, {model['quantization'] or 'mixed weights'}, "
        f"{model['layers']} layers, trained for {model['trained_context']:,} tokens"
    )


def _selection_lines(selection: Mapping[str, Any]) -> Iterator[str]:
    verdict = {"fits": "It fits", "tight": "It fits tightly", "swap": "It does not fit into what is free"}
    yield f"  {verdict[selection['fit']]}: {selection['budget']['in_words']}"
    yield f"  {selection['reason']}"
    for name, part in selection["parts"].items():
        yield f"  {name:<11} {_value(part['value']):<14} {part['reason']}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value) or "-"
