"""How rich text looks in the window's colors: the style sheet of answers and results."""

from __future__ import annotations

from edgellm.ui.theme import Colors, monospace


def style(colors: Colors, size: float) -> str:
    """The style sheet of a document; `size` is that of its text in points."""
    mono = f"font-family: '{monospace().family()}'; font-size: {size * 0.93:.1f}pt"
    return f"""
        body, p, li, td, th {{ color: {colors.text}; line-height: 142%; }}
        p {{ margin-top: 0; margin-bottom: 8px; }}
        h1 {{ font-size: {size * 1.5:.1f}pt; margin: 6px 0 8px 0; }}
        h2 {{ font-size: {size * 1.28:.1f}pt; margin: 6px 0 6px 0; }}
        h3, h4, h5, h6 {{ font-size: {size * 1.1:.1f}pt; margin: 4px 0 4px 0; }}
        ul, ol {{ margin-top: 0; margin-bottom: 8px; }}
        a {{ color: {colors.accent}; }}
        td.bar {{ background-color: {colors.accent}; }}
        td.said {{ padding-left: 12px; }}
        td.said p {{ color: {colors.muted}; margin-bottom: 2px; }}
        span.hit {{ background-color: {colors.selection}; }}
        .faint {{ color: {colors.muted}; }}
        code {{ {mono}; background-color: {colors.hover}; }}
        pre {{ {mono}; color: {colors.text}; margin: 0; line-height: 135%; }}
        table {{ margin-bottom: 8px; }}
        table.grid {{ border-color: {colors.border}; border-style: solid; border-collapse: collapse; }}
        th {{ background-color: {colors.hover}; font-weight: 600; text-align: left; }}
    """
