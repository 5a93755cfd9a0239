"""Equal files of two models become one file with two names, where the file system can: the space is taken once.

The new file, which was just checked, takes the place of the old one, so that damage never spreads.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from edgellm.models import disk
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest

_SMALLEST = 1 << 20


def share(fresh: Path, manifest: Manifest, models: Iterable[Installed]) -> None:
    """Let files of `models` that equal one of `manifest`, whose files lie in `fresh`, be the same file as it.

    Small files are not worth it. What cannot be linked stays as it is.
    """
    known = {(file.sha256, file.size): fresh / file.path for file in manifest.files if file.size >= _SMALLEST}
    for model in models:
        for file in model.manifest.files if model.manifest and not model.problem else ():
            source = known.get((file.sha256, file.size))
            if source is not None:
                with suppress(OSError):
                    _replace(source, model.home / file.path)


def _replace(source: Path, target: Path) -> None:
    if os.path.samefile(source, target):
        return
    temporary = target.with_name(f".{uuid.uuid4().hex[:12]}.link")
    if disk.link(source, temporary):
        try:
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
