"""What of a person's settings changes a translation, as a fingerprint for the translation memory.

The limit of tokens does not: what was cut is not kept. Nor does what cannot count: a seed where nothing is drawn, or
the system prompt of a model that reads no conversation.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256

from edgellm.runtimes.base import ModelInfo
from edgellm.tasks import special
from edgellm.tasks.options import Options

_WAY = 2  # higher whenever this program asks in another way, so that better translations take the place of earlier ones
_DRAWING = ("top_p", "top_k", "min_p", "seed")  # count where one of several tokens is drawn


def fingerprint(info: ModelInfo, options: Options) -> str:
    """The same for two orders exactly where the model would be asked the same."""
    drawn = asdict(options.sampling)
    if options.sampling.temperature <= 0:
        drawn = {name: value for name, value in drawn.items() if name not in _DRAWING}
    system = "" if special.is_seq2seq(info) else options.system.strip()
    said = json.dumps([_WAY, drawn, system, options.stop], sort_keys=True)
    return sha256(said.encode("utf-8", "replace")).hexdigest()[:24]
