"""The main window: composes rail, top bar, pages and strip, and routes their signals. It decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from edgellm.errors import EdgeError
from edgellm.runtimes.remote_address import is_remote
from edgellm.ui.chat_page import ChatPage
from edgellm.ui.details import Details, report
from edgellm.ui.engine_client import Status
from edgellm.ui.engine_worker import Job
from edgellm.ui.language import tr
from edgellm.ui.model_selector import ModelSelector, is_starter_name, shown_name
from edgellm.ui.pages import Page, SoonPage, pages
from edgellm.ui.rail import Rail
from edgellm.ui.remote_place import Place, place_of_status
from edgellm.ui.services import Services
from edgellm.ui.settings_page import READ_AGAIN, RELOADS, REMOTE, SettingsPage
from edgellm.ui.shortcut_sheet import Sheet
from edgellm.ui.strip import Strip
from edgellm.ui.task_page import TaskPage

SIZE = (1220, 840)
_SMALLEST = (760, 520)


class Window(QMainWindow):
    """`painted` is sent once, after the window was first drawn: what takes time begins then."""

    painted = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.status: Status | None = None
        self._was_painted = False
        self._waits = ""  # what is said about a model that waits for its turn
        self._pages: tuple[Page, ...] = pages()
        self._built: dict[int, QWidget] = {}
        self.setWindowTitle("EdgeLLM")
        self.resize(*SIZE)
        self.setMinimumSize(*_SMALLEST)
        self.rail = Rail(services.theme, self._pages, services.keyboard)
        self.selector = ModelSelector(services)
        self.strip = Strip(services.theme, services.app.settings.offline)
        self.stack = QStackedWidget()
        self._title = QLabel()
        self._arrange()
        self.chat = self._open_chat_page()
        self._connect()
        self._add_shortcuts()

    def open_page(self, number: int) -> QWidget:
        """Show a page, building it when it is first opened."""
        page = self._page(number)
        if isinstance(page, SettingsPage):
            page.reload()
        self.stack.setCurrentWidget(page)
        self.rail.show_page(number)
        self._title.setText(self._pages[number].title)
        return page

    def open_key(self, key: str) -> QWidget:
        """Show the page with this key."""
        return self.open_page(self._number(key))

    def keep_documents(self) -> None:
        """Let the Documents page look after what was added to it, also before anybody opens it."""
        if self.services.app.paths.library_db.exists():
            self._page(self._number("documents"))

    def _number(self, key: str) -> int:
        return next(number for number, page in enumerate(self._pages) if page.key == key)

    def _page(self, number: int) -> QWidget:
        if number not in self._built:
            page = self._pages[number].make(self.services)
            self._built[number] = page
            self.stack.addWidget(page)
            self._connect_page(page)
        return self._built[number]

    def raise_up(self) -> None:
        """Come to the front: another start of the program asks for it."""
        self.setWindowState(self.windowState() & ~self.windowState().WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def show_details(self, text: str) -> None:
        """Open the details dialog."""
        dialog = Details(self, text, self.status, self._place)
        dialog.open()

    def show_shortcuts(self) -> None:
        """Open the sheet of shortcuts."""
        sheet = Sheet(self, self.services)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def show_place(self) -> None:
        """What answers, and where it is: the settings may name another server since."""
        if self.status is not None:
            self.selector.show_status(self.status, self._place)
            self.strip.show_status(self.status, self._place)
            self.chat.welcome.show_place(self._place)

    def _arrange(self) -> None:
        self._title.setProperty("role", "page-title")
        top = QFrame()
        top.setObjectName("top")
        bar = QHBoxLayout(top)
        bar.setContentsMargins(20, 8, 14, 8)
        bar.addWidget(self._title)
        bar.addStretch(1)
        bar.addWidget(self.selector)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(top)
        right.addWidget(self.stack, 1)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addLayout(right, 1)
        center = QWidget()
        column = QVBoxLayout(center)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(middle, 1)
        column.addWidget(self.strip)
        self.setCentralWidget(center)
        self.services.notices.float_over(self.stack)

    def _open_chat_page(self) -> ChatPage:
        page = self.open_page(0)
        assert isinstance(page, ChatPage)
        return page

    def _connect(self) -> None:
        services, worker = self.services, self.services.worker
        self.rail.chosen.connect(self.open_page)
        self.selector.chosen.connect(self._choose_model)
        self.strip.details_wanted.connect(self._ask_details)
        self.strip.offline_wanted.connect(self._set_offline)
        worker.waiting.connect(self._on_waiting)
        worker.loading.connect(self._on_loading)
        worker.ready.connect(self._on_status)
        worker.failed.connect(self._on_failed)
        worker.too_large.connect(self._on_too_large)
        worker.told_kind.connect(self.chat.show_kind)
        services.conversation.ended.connect(self._on_ended)
        services.models.use_wanted.connect(self._choose_model)
        services.models.page_wanted.connect(lambda: self.open_key("models"))
        services.models.unlock_wanted.connect(lambda: self._set_offline(False))
        services.models.offered.connect(self.chat.welcome.show_offer)
        services.models.activities_changed.connect(self._show_offered_download)
        self.chat.welcome.offer.wanted.connect(self._on_offer)
        services.sampler.sampled.connect(self.strip.show_sample)

    def _connect_page(self, page: QWidget) -> None:
        if isinstance(page, SoonPage):
            page.wanted.connect(self._on_wanted)
        elif isinstance(page, SettingsPage):
            page.changed.connect(self._on_setting)
            page.shortcuts_wanted.connect(self.show_shortcuts)

    def _add_shortcuts(self) -> None:
        def on_chat(action: Callable[[], None]) -> Callable[[], None]:
            def act() -> None:
                self.open_page(0)
                action()

            return act

        actions: dict[str, Callable[[], object]] = {
            "new": on_chat(self.chat.new_chat),
            "search": on_chat(self.chat.open_search),
            "find": self._find,
            "settings": lambda: self.open_key("settings"),
            "stop": self._escape,
            "help": self.show_shortcuts,
            "quit": self.close,
        }
        for number in range(len(self._pages)):
            actions[f"page-{number + 1}"] = partial(self.open_page, number)
        self.services.keyboard.bind(self, actions)

    def _escape(self) -> None:
        """Stop what the open page does, or else the answer of the chat."""
        escape = getattr(self.stack.currentWidget(), "escape", self.chat.escape)
        escape()

    def _find(self) -> None:
        """Find on the open page, or in the chat where the page has nothing to find in."""
        opener = getattr(self.stack.currentWidget(), "open_find", None)
        if opener is None:
            self.open_page(0)
            opener = self.chat.open_find
        opener()

    def _on_status(self, status: Status) -> None:
        another = self.status is None or self.status.model != status.model
        self.status = status
        self.show_place()
        self.chat.show_status(status, is_starter_name(status.model))
        if another:
            self.services.models.refresh()

    @property
    def _place(self) -> Place | None:
        return place_of_status(self.status, self.services.app.settings) if self.status is not None else None

    def _on_waiting(self, name: str) -> None:
        """A model was asked for in the middle of work."""
        self.selector.show_waiting(name)
        self._waits = tr("{name} loads when this is done.").format(name=shown_name(name))
        self.services.notices.say(self._waits, tr("Stop the work"), self.services.worker.stop, stays=True)

    def _on_loading(self, name: str) -> None:
        if self._waits and self.services.notices.text == self._waits:
            self.services.notices.hide()
        self._waits = ""
        self.selector.show_loading(name)

    def _on_failed(self, error: EdgeError) -> None:
        self._show_no_model(error)
        self.services.notices.complain(error)

    def _on_too_large(self, name: str, error: EdgeError) -> None:
        self._show_no_model(error)
        worker = self.services.worker
        self.services.notices.complain(error, tr("Load anyway"), lambda: worker.load(name, asked=True, anyway=True))

    def _show_no_model(self, error: EdgeError) -> None:
        self.status = None
        self.selector.show_failed()
        self.strip.show_no_model(error.message)
        self.chat.welcome.show_place(None)
        self.chat.show_no_model()

    def _on_ended(self, job: Job) -> None:
        self.strip.show_speed(job)

    def _choose_model(self, name: str) -> None:
        if self._save(model=name):
            self.services.worker.load(name, asked=True)

    def _on_offer(self, action: str, name: str) -> None:
        self.services.models.act_on_offer(action, name)
        if action == "others":
            self.open_key("models")

    def _show_offered_download(self) -> None:
        card = self.chat.welcome.offer
        if card.offer is not None:
            card.show_activity(self.services.models.feed.activity(card.offer.name))

    def _set_offline(self, on: bool) -> None:
        if self._save(offline=on):
            words = (
                tr("The offline lock is on.") if on else tr("The offline lock is off; nothing is sent unless you ask.")
            )
            self.services.notices.say(words, tr("Undo"), lambda: self._set_offline(not on))
        self._show_lock()

    def _show_lock(self) -> None:
        self.strip.show_offline(self.services.app.settings.offline)
        self.show_place()
        self.services.models.show_lock()

    def _save(self, **values: object) -> bool:
        try:
            self.services.app.save_settings(**values)
        except EdgeError as error:
            self.services.notices.complain(error)
            return False
        return True

    def _on_setting(self, name: str, value: object) -> None:
        app, notices = self.services.app, self.services.notices
        if name == "theme":
            self.services.theme.choose(str(value))
        elif name == "offline":
            self._show_lock()
        elif name in READ_AGAIN:
            self.services.models.show_lock()
            self.services.models.refresh()
        elif name == "language":
            notices.say(tr("The language changes when EdgeLLM is started again."))
        elif name in RELOADS or (name in REMOTE and is_remote(app.settings.model)):
            self.show_place()
            notices.say(
                tr("The change applies when the model is loaded again."),
                tr("Load now"),
                lambda: self.services.worker.load(app.settings.model, asked=True),
            )

    def _on_wanted(self, action: str, command: str) -> None:
        if action == "copy":
            QGuiApplication.clipboard().setText(command)
            self.services.notices.say(tr("Copied. Paste it into a terminal."))
        else:
            self.open_page(0)

    def _ask_details(self) -> None:
        app, status = self.services.app, self.status
        self.services.background.run(lambda: report(app, status), self.show_details, self.services.notices.complain)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Notice the first time the window is drawn."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the draft and stop what runs; `main` ends the rest."""
        for page in self._built.values():
            if isinstance(page, ChatPage | TaskPage):
                page.flush()
        self.services.conversation.stop()
        super().closeEvent(event)
