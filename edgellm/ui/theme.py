"""Colors of the window: light, dark and high contrast, following the system or a setting.

The style sheet is `assets/theme/window.qss`, a text with `$names` for the colors below. Icons are left to `icons.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from edgellm.paths import assets_dir

_LATIN_FAMILIES = ("Inter", "Noto Sans", "Noto Sans CJK SC")
_PLAIN_DEFAULTS = ("dejavu sans", "sans serif", "sans", "bitstream vera sans", "fixed", "helvetica")
_MONOSPACE = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Menlo", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono")
POINT_SIZE = 10.5
_SIZES = {"small": 0.86, "value": 1.14, "heading": 1.24, "title": 1.71}


@dataclass(frozen=True, slots=True)
class Colors:
    """One theme. `code_style` names a Pygments style; all others are `#rrggbb`."""

    name: str
    window: str
    surface: str
    raised: str
    rail: str
    border: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    tint: str
    hover: str
    selection: str
    code: str
    danger: str
    warning: str
    good: str
    code_style: str

    @property
    def dark(self) -> bool:
        """Whether the text is lighter than what it stands on."""
        return QColor(self.window).lightness() < 128


LIGHT = Colors(
    name="light",
    window="#f5f7f8",
    surface="#ffffff",
    raised="#ffffff",
    rail="#ebeff1",
    border="#d9dfe3",
    text="#182026",
    muted="#55626d",
    accent="#0b7285",
    accent_hover="#095d6d",
    on_accent="#ffffff",
    tint="#e0f1f4",
    hover="#e2e8eb",
    selection="#b9e0e8",
    code="#f3f5f7",
    danger="#b3261e",
    warning="#8a5a00",
    good="#1b7a3d",
    code_style="friendly",
)
DARK = Colors(
    name="dark",
    window="#14181c",
    surface="#1a1f24",
    raised="#20262c",
    rail="#101417",
    border="#2d353c",
    text="#e6eaed",
    muted="#9ca8b2",
    accent="#4fc3d4",
    accent_hover="#7ad6e3",
    on_accent="#062025",
    tint="#173138",
    hover="#262d34",
    selection="#21596a",
    code="#12161a",
    danger="#ff8a80",
    warning="#f0b866",
    good="#79d29a",
    code_style="github-dark",
)
CONTRAST_DARK = Colors(
    name="high contrast, dark",
    window="#000000",
    surface="#000000",
    raised="#000000",
    rail="#000000",
    border="#ffffff",
    text="#ffffff",
    muted="#ffffff",
    accent="#ffe14d",
    accent_hover="#fff0a0",
    on_accent="#000000",
    tint="#1c1c1c",
    hover="#333333",
    selection="#005a9e",
    code="#000000",
    danger="#ff9e9e",
    warning="#ffe14d",
    good="#7dff9b",
    code_style="github-dark",
)
CONTRAST_LIGHT = Colors(
    name="high contrast, light",
    window="#ffffff",
    surface="#ffffff",
    raised="#ffffff",
    rail="#ffffff",
    border="#000000",
    text="#000000",
    muted="#000000",
    accent="#00429d",
    accent_hover="#002f70",
    on_accent="#ffffff",
    tint="#f0f0f0",
    hover="#dddddd",
    selection="#ffe14d",
    code="#ffffff",
    danger="#8c0000",
    warning="#5c3c00",
    good="#005a1e",
    code_style="bw",
)


class Theme(QObject):
    """The theme in use. `changed` is sent after the application's palette and style sheet were replaced."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: str) -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice
        self._template = Template((assets_dir() / "theme" / "window.qss").read_text(encoding="utf-8"))
        self.colors = LIGHT
        app.setStyle("Fusion")
        app.setFont(_font(app))
        app.styleHints().colorSchemeChanged.connect(lambda _: self._apply())
        self._apply()

    def choose(self, choice: str) -> None:
        """Use a theme: `system`, `light`, `dark` or `contrast`."""
        if choice != self._choice:
            self._choice = choice
            self._apply()

    def _apply(self) -> None:
        self.colors = _pick(self._choice, self._app)
        self._app.setPalette(palette(self.colors))
        values = asdict(self.colors)
        values["theme_folder"] = (assets_dir() / "theme").as_posix()
        values["brightness"] = "dark" if self.colors.dark else "light"
        values["mono"] = monospace().family()
        base = QFontInfo(self._app.font()).pointSizeF()  # sizes follow the font of the desktop
        values.update({name: f"{base * factor:.2f}" for name, factor in _SIZES.items()})
        self._app.setStyleSheet(self._template.substitute(values))
        self.changed.emit()


def _pick(choice: str, app: QApplication) -> Colors:
    hints = app.styleHints()
    dark = hints.colorScheme() == Qt.ColorScheme.Dark if choice in ("system", "contrast") else choice == "dark"
    high = choice == "contrast" or hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast
    if high:
        return CONTRAST_DARK if dark else CONTRAST_LIGHT
    return DARK if dark else LIGHT


def palette(colors: Colors) -> QPalette:
    """The palette that goes with the style sheet, for everything that is painted by hand or by Qt itself."""
    made, role = QPalette(), QPalette.ColorRole
    pairs = {
        role.Window: colors.window,
        role.WindowText: colors.text,
        role.Base: colors.surface,
        role.AlternateBase: colors.raised,
        role.Text: colors.text,
        role.Button: colors.raised,
        role.ButtonText: colors.text,
        role.BrightText: colors.danger,
        role.Highlight: colors.selection,
        role.HighlightedText: colors.text,
        role.Link: colors.accent,
        role.LinkVisited: colors.accent,
        role.ToolTipBase: colors.raised,
        role.ToolTipText: colors.text,
        role.PlaceholderText: colors.muted,
        role.Mid: colors.border,
        role.Accent: colors.accent,
    }
    for key, value in pairs.items():
        made.setColor(key, QColor(value))
    for key in (role.Text, role.ButtonText, role.WindowText):
        made.setColor(QPalette.ColorGroup.Disabled, key, QColor(colors.muted))
    return made


def _font(app: QApplication) -> QFont:
    """The desktop's font; where there is no desktop that sets one, the best of what is installed."""
    font = app.font()
    if font.family().casefold() in _PLAIN_DEFAULTS:
        found = [family for family in _LATIN_FAMILIES if QFontDatabase.hasFamily(family)]
        if found:
            font = QFont(found[0])
        font.setPointSizeF(POINT_SIZE)
    return font


def monospace() -> QFont:
    """The font of code."""
    return QFont(_monospace_family())


@cache
def _monospace_family() -> str:
    """Looked up once: asking for a family is slow."""
    found = next((family for family in _MONOSPACE if QFontDatabase.hasFamily(family)), "")
    return found or QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
