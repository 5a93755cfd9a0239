"""Whether what long prompts left in the KV cache is kept on the disk: only where the settings ask for it.

What is kept gives the text of documents back to whoever can read the files. So nothing is kept by itself, and when the
setting is off what was kept before is removed.
"""

from __future__ import annotations

import os
import shutil

from edgellm.engine.protocol import Keep
from edgellm.paths import Paths
from edgellm.settings import Settings


def chosen(paths: Paths, settings: Settings) -> Keep | None:
    """Where, and how much; None for nowhere."""
    if settings.prompt_cache > 0:
        return Keep(os.fsencode(paths.prompts), settings.prompt_cache << 20)
    if paths.prompts.is_dir():
        shutil.rmtree(paths.prompts, ignore_errors=True)
    return None
