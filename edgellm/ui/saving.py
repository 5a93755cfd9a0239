"""Where a result may be saved: anywhere but in place of what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgellm.errors import UsageError
from edgellm.ui.language import tr


def spare(target: Path, sources: Iterable[Path]) -> None:
    """Raise `UsageError` where `target` is one of the sources. Looks at the disk."""
    if target.exists() and any(path.exists() and target.samefile(path) for path in sources):
        raise UsageError(tr("The result cannot take the place of its source."), tr("Choose another name."))
