"""Starts the window: application, services, event loop. The only module here that builds things.

Order matters: first the window is painted, then the engine starts in its thread, the chats are read in the
background, and measuring begins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from edgellm import __version__
from edgellm.ui import crash, language, markdown
from edgellm.ui.background import Background
from edgellm.ui.conversation import Conversation, Limits
from edgellm.ui.engine_worker import EngineWorker
from edgellm.ui.icons import app_icon
from edgellm.ui.keyboard import Keyboard
from edgellm.ui.models_work import ModelsWork, Runners
from edgellm.ui.notices import Notices
from edgellm.ui.remote_models import RemoteModels
from edgellm.ui.sampler import Sampler
from edgellm.ui.services import Services
from edgellm.ui.single import Instance
from edgellm.ui.startup import StartupReport
from edgellm.ui.theme import Theme
from edgellm.ui.window import Window

if TYPE_CHECKING:
    from edgellm.app import App

_LONG_JOBS, _CONNECTIONS, _READERS = 2, 3, 2
_DOCUMENTS_MS = 20_000
_MODELS_MS = 700  # the engine has its model by then, mostly, and need not share the processor


def run(app_factory: Callable[[], App]) -> int:
    """Show the window until it is closed; returns the exit status."""
    qt = application()
    app = app_factory()
    instance = Instance(app.paths.chats_db)
    if not instance.first:
        instance.raise_other()
        return 0
    crash.install(app.paths.logs)
    window = build(qt, app)
    instance.raised.connect(window.raise_up)
    window.painted.connect(lambda: start(window))
    window.show()
    status = qt.exec()
    finish(window)
    instance.close()
    return status


def application() -> QApplication:
    """The Qt application; the one that exists, if any."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    qt = QApplication(sys.argv[:1])
    qt.setApplicationName("EdgeLLM")
    qt.setApplicationVersion(__version__)
    qt.setDesktopFileName("edgellm")
    qt.setWindowIcon(app_icon())
    return qt


def build(qt: QApplication, app: App) -> Window:
    """The window with everything it needs. Nothing runs yet, except threads that wait."""
    language.install(qt, app.settings.language)
    theme = Theme(qt, app.settings.theme)
    worker = EngineWorker(app.engine, app.model_path)
    background = Background()

    def limits() -> Limits:
        return Limits(app.settings.temperature, app.settings.max_tokens)

    conversation = Conversation(app.store, background, worker, limits)
    sampler = Sampler(worker.engine_pid, worker.meter.speed)
    keyboard = Keyboard(app.settings.shortcuts)
    notices = Notices(theme)
    models = ModelsWork(app, Runners(Background(), Background(_LONG_JOBS), Background(_CONNECTIONS)), notices)
    remote = RemoteModels(app, Background())
    services = Services(
        app, theme, background, worker, conversation, notices, sampler, keyboard, models, remote, Background(_READERS)
    )
    window = Window(services)
    StartupReport(window)
    return window


def start(window: Window) -> None:
    """What takes time, once the window is on the screen."""
    services = window.services
    services.worker.load(services.app.settings.model)
    window.chat.start()
    services.background.run(markdown.warm_up)
    services.sampler.start()
    QTimer.singleShot(_MODELS_MS, services.models, services.models.start)
    QTimer.singleShot(_DOCUMENTS_MS, window, window.keep_documents)
    tell(services)


def tell(services: Services) -> None:
    """Say what was found wrong with the settings or the chats. It is said once, so it stays until it is closed."""
    app, notices = services.app, services.notices

    def say(found: str) -> None:
        if found:
            notices.say(found, stays=True)

    def read() -> str:
        return " ".join(filter(None, (app.notice, app.store().notice)))

    services.background.run(read, say, lambda _: say(app.notice))


def finish(window: Window) -> None:
    """End threads and engine, in an order in which nothing written is lost."""
    services = window.services
    services.sampler.close()
    services.models.close()
    services.remote.close()
    services.worker.close()
    services.reading.close()
    services.background.close()
    services.app.close()
