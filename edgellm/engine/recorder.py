"""Keeps the speed of every real answer, so that advice about this computer gets better with each."""

from __future__ import annotations

import logging
from pathlib import Path

from edgellm.engine.status import Run
from edgellm.errors import EdgeError
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.runtimes import prediction, speed_file
from edgellm.runtimes.speed import Sample, file_key, way_of
from edgellm.runtimes.workload import work

_log = logging.getLogger(__name__)


class Recorder:
    """Give it to an `Engine` as its `on_finish`. It never raises, and never holds an answer up: it comes after it."""

    def __init__(self, machine: Path) -> None:
        self._machine = machine
        self._known: tuple[str, GgufHeader] | None = None  # a header with a large vocabulary takes a while to read

    def __call__(self, run: Run) -> None:
        """Keep one run, if its speed means something."""
        if run.placement.runtime != "llama" or run.finish.new_tokens < speed_file.SHORTEST:
            return
        try:
            header = self._header(run)
        except EdgeError as error:
            _log.info("a run was not kept: %s", error.message)
            return
        placement = run.placement
        sample = Sample(
            key=file_key(run.path.name, header.file_size),
            title=header.name,
            work=work(header, placement.context),
            way=way_of(placement, header.block_count),
            finish=run.finish,
            words=run.words,
        )
        speed_file.record(self._machine, run.machine, sample, prediction.foresee)

    def _header(self, run: Run) -> GgufHeader:
        if self._known is None or self._known[0] != run.model:
            self._known = (run.model, read_header(run.path))
        return self._known[1]
