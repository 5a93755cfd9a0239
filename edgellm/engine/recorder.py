"""Keeps the speed of every real answer, so that advice about this computer gets better with each."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from edgellm.engine.status import Run
from edgellm.errors import EdgeError
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.runtimes import folder_facts, prediction, speed_file, versions
from edgellm.runtimes.folder_facts import Facts
from edgellm.runtimes.speed import Sample, file_key, way_of
from edgellm.runtimes.workload import work

_log = logging.getLogger(__name__)
_FOLDERS = ("onnx", "torch")
_SHORTEST_READING = 32  # words; what is read faster than this says more about the pipe than about the model
_PAUSE = 5.0  # seconds between two readings that are kept: indexing asks many times a second


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a model's files: looking again for every answer would take longer than keeping it."""

    model: str
    header: GgufHeader | None = None
    facts: Facts | None = None


class Recorder:
    """Give it to an `Engine` as its `on_finish`. It never raises, and never holds an answer up: it comes after it."""

    def __init__(self, machine: Path) -> None:
        self._machine = machine
        self._lock = threading.Lock()  # one recorder may serve several engines
        self._known = _Known("")
        self._read_at = float("-inf")

    def __call__(self, run: Run) -> None:
        """Keep one run, if its speed means something."""
        if not self._counts(run):
            return
        try:
            sample = self._folder(run) if run.placement.runtime in _FOLDERS else self._file(run)
        except (EdgeError, OSError) as error:
            _log.info("a run was not kept: %s", type(error).__name__)
            return
        speed_file.record(self._machine, run.machine, sample, prediction.foresee)

    def _counts(self, run: Run) -> bool:
        if run.placement.runtime not in ("llama", *_FOLDERS):
            return False
        if not run.reads:
            return run.finish.new_tokens >= speed_file.SHORTEST
        now = time.monotonic()
        with self._lock:
            if run.words < _SHORTEST_READING or now - self._read_at < _PAUSE:
                return False
            self._read_at = now
        return True

    def _file(self, run: Run) -> Sample:
        known, placement = self._known, run.placement
        if known.model != run.model or known.header is None:
            known = self._known = _Known(run.model, header=read_header(run.path))
        header = known.header
        assert header is not None
        return Sample(
            key=file_key(run.path.name, header.file_size),
            title=header.name,
            work=work(header, placement.context),
            way=way_of(placement, header.block_count),
            finish=run.finish,
            words=run.words,
        )

    def _folder(self, run: Run) -> Sample:
        known, placement = self._known, run.placement
        name = f"{run.model} {placement.precision}"
        if known.model != name or known.facts is None:
            known = self._known = _Known(name, facts=folder_facts.facts(run.path, placement))
        facts = known.facts
        assert facts is not None
        return Sample(
            facts.key,
            facts.title,
            facts.work,
            facts.way(placement),
            run.finish,
            run.words,
            versions.named(placement.runtime),
        )
