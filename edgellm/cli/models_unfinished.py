"""Which unfinished download a typed name means: its own name, one of the catalog, or the repository it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.models.download_records import Record


def find(app: App, name: str) -> Record | None:
    """The one download that `name` means; None when there is none, or several."""
    records = app.downloads().unfinished()
    card = app.card(name)
    names = {name, card.name if card else name}
    same = [record for record in records if record.name in names]
    same = same or [record for record in records if record.card.repo == name.partition(":")[0] != ""]
    return same[0] if len(same) == 1 else None
