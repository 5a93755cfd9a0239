"""The whole files that passages were found in, for a model whose context holds them.

Their text is put together from the passages in the library, so that no file is read again and every place stays the
same. Whether it fits is counted in `consultation.py`; here it is estimated, so that nothing large is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgellm.documents import whole
from edgellm.documents.library import Library
from edgellm.documents.retrieve import Passage
from edgellm.tasks.consultation import Wider
from edgellm.tasks.extract import Extract

# So many of the best passages must be in one file before that file is read instead of the passages
_BEST = 3
# Characters a token; hardly any text has more, so what is larger than this cannot fit
_LONGEST_TOKEN = 8


def of(library: Library, found: Sequence[Passage], name: str = "") -> Wider:
    """First the whole collection (all of them without a name), then the file that the best passages are in."""

    def wider(room: int) -> Iterator[tuple[Extract, ...]]:
        characters = room * _LONGEST_TOKEN
        if files := whole.collection(library, characters, name):
            yield tuple(map(Extract.of_passages, files))
        if len({one.path for one in found[:_BEST]}) == 1 and (passages := whole.around(library, characters, found[0])):
            yield (Extract.of_passages(passages),)

    return wider
