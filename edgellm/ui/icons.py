"""The program's own icons: small SVG drawings under `assets/theme/icons`, painted in the colors of the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPainterPath, QPixmap
from PySide6.QtSvg import QSvgRenderer

from edgellm.paths import assets_dir

_SCALES = (1, 2)


def icon(name: str, color: str, active: str = "", size: int = 24, disabled: str = "") -> QIcon:
    """The drawing `name` in `color`; a checked button shows it in `active`, one that cannot be used in `disabled`."""
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(pixmap(name, color, size, scale), QIcon.Mode.Normal, QIcon.State.Off)
        if active:
            made.addPixmap(pixmap(name, active, size, scale), QIcon.Mode.Normal, QIcon.State.On)
        if disabled:
            made.addPixmap(pixmap(name, disabled, size, scale), QIcon.Mode.Disabled, QIcon.State.Off)
    return made


def pixmap(name: str, color: str, size: int = 24, scale: float = 2) -> QPixmap:
    """The drawing as a pixmap of `size` device-independent pixels."""
    return QPixmap.fromImage(_drawn(name, color, size, scale))


@lru_cache(maxsize=400)
def _drawn(name: str, color: str, size: int, scale: float) -> QImage:
    source = (assets_dir() / "theme" / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(source.replace("currentColor", color).encode()))
    image = QImage(QSize(size, size) * scale, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


def app_icon(accent: str = "#0b7285") -> QIcon:
    """The mark of the program: a rounded tile with two lines of text and a cursor."""
    made = QIcon()
    for size in (16, 32, 64, 128):
        made.addPixmap(_mark(size, accent))
    return made


def _mark(size: int, accent: str) -> QPixmap:
    canvas = QPixmap(size, size)
    canvas.fill(Qt.GlobalColor.transparent)
    painter = QPainter(canvas)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 32, size / 32)
    tile = QPainterPath()
    tile.addRoundedRect(QRectF(1, 1, 30, 30), 8, 8)
    painter.fillPath(tile, QColor(accent))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#ffffff"))
    for x, y, width in ((7, 9, 18), (7, 14.5, 12), (7, 20, 8)):
        painter.drawRoundedRect(QRectF(x, y, width, 3), 1.5, 1.5)
    painter.setBrush(QColor("#ffd166"))
    painter.drawRoundedRect(QRectF(18, 19, 3, 5.5), 1, 1)
    painter.end()
    return canvas
