"""A model on a server in the window: it is listed when the menu opens, answers, and the strip says where it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from desk import Desk, nameless, wait
from keyring.backends import fail
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QLabel

from edgellm.settings import Settings
from edgellm.ui.details import Details
from edgellm.ui.remote_place import Place, place_of
from edgellm.ui.settings_page import SettingsPage
from tests.loopback_chat import ChatServer, answer, silent, status

Open = Callable[..., Desk]
FAR = "https://box.example:8443"
KEY = "sk-canary0123456789"


def _menu(desk: Desk) -> list[QAction]:
    """The menu as it stands after it was opened and the server has answered."""
    menu, remote = desk.window.selector.menu, desk.window.services.remote
    menu.aboutToShow.emit()
    wait(lambda: not remote.listing.words.startswith("Asking"), "the server")
    desk.window.selector._list()
    return [action for action in menu.actions() if action.text()]


def _texts(actions: list[QAction]) -> list[str]:
    return [action.text() for action in actions]


def _away(desk: Desk) -> bool:
    return bool(desk.window.strip._device.label.property("away"))


def test_a_server_is_asked_when_the_menu_opens_and_its_model_answers(open_desk: Open) -> None:
    with ChatServer(answer("Good", " day"), models=("small", "large")) as server:
        desk = open_desk()
        desk.ready()
        assert server.log == []
        assert not any("127.0.0.1" in text for text in _texts(_menu(desk)))
        desk.app.save_settings(remote_address=server.address)
        assert server.log == []
        actions = _menu(desk)
        texts = _texts(actions)
        host = server.address.partition("://")[2]
        assert f"{host}: another program on this computer" in texts
        assert {"small (the server's usual one)", "small", "large"} <= set(texts)
        next(action for action in actions if action.text() == "large").trigger()
        wait(lambda: desk.window.status is not None and desk.window.status.model == "large", "the server's model")
        assert desk.app.settings.model == "remote:large"
        strip, selector = desk.window.strip, desk.window.selector
        assert strip.device.accessibleName() == f"Device: Another program on this computer answers ({host})."
        assert not _away(desk)
        assert selector.button.accessibleName() == "Model: large (another program on this computer)"
        view = desk.say("Hello")
        assert view.message.text == "Good day"
        checked = [action.text() for action in _menu(desk) if action.isChecked()]
        assert checked == ["large"]
        details = Details(desk.window, "", desk.window.status, desk.window._place)
        words = [label.text() for label in details.findChildren(QLabel)]
        assert f"Remote server {host}" in words
        assert "Threads" not in words
        details.deleteLater()


def test_a_model_elsewhere_is_said_plainly_wherever_the_model_is_named(open_desk: Open) -> None:
    with ChatServer(answer("Hi")) as server:
        desk = open_desk(reply="Local.")
        desk.ready()
        desk.app.save_settings(remote_address=server.address)
        desk.window._choose_model("remote")
        wait(lambda: desk.window.status is not None and desk.window.status.model == "small", "the server's model")
        desk.app.save_settings(remote_address=FAR)  # the next answer would come from there
        desk.window._on_setting("remote_address", FAR)
        strip, selector = desk.window.strip, desk.window.selector
        assert strip.device.accessibleName() == (
            "Device: The offline lock keeps box.example:8443 away; without it, what you write leaves this machine."
        )
        desk.window._set_offline(False)
        assert strip.device.accessibleName() == "Device: Leaves this machine: what you write goes to box.example:8443."
        assert desk.chat.welcome._where.text() == "Leaves this machine: what you write goes to box.example:8443."
        desk.window._set_offline(True)
        assert _away(desk)
        assert selector.button.accessibleName() == "Model: small (leaves this machine)"
        assert "box.example" in selector.button.toolTip()
        texts = _texts(_menu(desk))
        assert "box.example:8443: leaves this machine" in texts
        assert "The offline lock is on, so box.example:8443 is not asked." in texts
        desk.window._choose_model(str(Path(desk.app.paths.settings.parent, "told.fake.json")))
        wait(lambda: desk.window.status is not None and desk.window.status.model == "told", "the model of this machine")
        assert not _away(desk)
        assert strip.device.accessibleName().startswith("Device: CPU")
        assert desk.chat.welcome._where.text().startswith("Everything happens on this computer.")


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (status(500, {"error": "broken"}), ""),
        (status(401, {"error": {"message": "no key"}}), ""),
        ((), "The server has no model loaded."),
    ],
)
def test_what_goes_wrong_is_one_line_of_the_menu(open_desk: Open, models: object, said: str) -> None:
    with ChatServer(answer("Hi"), models=models) as server:  # type: ignore[arg-type]
        desk = open_desk()
        desk.ready()
        desk.app.save_settings(remote_address=server.address)
        lines = [action for action in _menu(desk) if not action.isEnabled()]
        assert len(lines) == 2, _texts(lines)  # where it is, and what happened
        assert lines[1].text() == said if said else lines[1].text().strip()
        assert desk.window.services.notices.text == ""
        if not said:
            desk.window._choose_model("remote:none")
            wait(lambda: desk.window.services.notices.text, "the sentence")
            wait(lambda: desk.window.status is not None and desk.window.status.model == "told", "the model before")


def test_a_server_that_says_nothing_does_not_hold_up_the_end(open_desk: Open) -> None:
    with ChatServer(answer("Hi"), models=silent) as server:
        desk = open_desk()
        desk.ready()
        desk.app.save_settings(remote_address=server.address)
        desk.window.selector.menu.aboutToShow.emit()
        wait(lambda: server.log, "the question")
        assert any(text.startswith("Asking") for text in _texts(desk.window.selector.menu.actions()))
        begun = time.monotonic()
        desk.close()
        assert time.monotonic() - begun < 8


def test_the_key_is_kept_shown_as_kept_and_forgotten(open_desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    with ChatServer(answer("Hi")) as server:
        desk = open_desk()
        desk.ready()
        page = desk.window.open_key("settings")
        assert isinstance(page, SettingsPage)
        row = page.key
        assert not row.field.isEnabled()
        desk.app.save_settings(remote_address=server.address)
        page.reload()
        assert row.field.isEnabled()
        assert not row.button.isEnabled()
        row.field.setText(KEY)
        assert row.field.displayText() != KEY
        row.button.click()
        wait(lambda: row.button.text() == "Forget", "the key")
        assert row.field.text() == ""
        assert KEY not in desk.window.services.notices.text
        _menu(desk)
        assert server.log[-1].headers.get("authorization") == f"Bearer {KEY}"
        row.button.click()
        wait(lambda: row.button.text() == "Keep", "no key")
        desk.window.selector.menu.aboutToShow.emit()
        wait(lambda: len(server.log) == 2, "the server")
        assert "authorization" not in server.log[-1].headers
        row.field.setText("two words\n")
        row.button.click()
        wait(lambda: "token" in desk.window.services.notices.text, "the refusal")
        assert list(nameless(page)) == []
        assert desk.window.findChild(QDialog) is None


def test_where_a_server_is_comes_from_its_address() -> None:
    assert place_of(Settings()) is None
    assert place_of(Settings(remote_address="http://a:b@c")) is None
    assert place_of(Settings(remote_address="http://127.0.0.1:8080/v1")) == Place("127.0.0.1:8080", local=True)
    assert place_of(Settings(remote_address="http://[::1]:80")) == Place("[::1]:80", local=True)
    assert place_of(Settings(remote_address=f"{FAR}/openai/v1")) == Place("box.example:8443", local=False, locked=True)
    assert place_of(Settings(remote_address=FAR, offline=False)) == Place("box.example:8443", local=False)
