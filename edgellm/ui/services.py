"""What the window's pages are given: the program's services and the few objects that live as long as the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgellm.ui.background import Runner
from edgellm.ui.conversation import Conversation
from edgellm.ui.engine_worker import EngineWorker
from edgellm.ui.keyboard import Keyboard
from edgellm.ui.models_work import ModelsWork
from edgellm.ui.notices import Notices
from edgellm.ui.remote_models import RemoteModels
from edgellm.ui.sampler import Sampler
from edgellm.ui.theme import Theme

if TYPE_CHECKING:
    from edgellm.app import App


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every page's constructor."""

    app: App
    theme: Theme
    background: Runner
    worker: EngineWorker
    conversation: Conversation
    notices: Notices
    sampler: Sampler
    keyboard: Keyboard
    models: ModelsWork
    remote: RemoteModels
    reading: Runner
