"""Draw the logo and the favicon: a neuron whose two inputs become one decision.

``python -m tools.logo`` writes both to ``web/static``; they are committed, and a test holds them
against this file.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "web" / "static"
BLUE, VERMILLION, WHITE = "#0072B2", "#D55E00", "#FFFFFF"


def mark(x: float, y: float, size: float) -> str:
    """Return the mark as SVG elements in a square of the given corner and size."""

    def place(across: float, down: float) -> str:
        return f"{x + across * size:g},{y + down * size:g}"

    def circle(across: float, down: float, radius: float, colour: str) -> str:
        cx, cy = place(across, down).split(",")
        return f'<circle cx="{cx}" cy="{cy}" r="{radius * size:g}" fill="{colour}"/>'

    stroke = f'fill="none" stroke="{WHITE}" stroke-width="{0.05 * size:g}" stroke-linecap="round"'
    box = f'width="{size:g}" height="{size:g}" rx="{0.2 * size:g}"'
    return "".join(
        [
            f'<rect x="{x:g}" y="{y:g}" {box} fill="{BLUE}"/>',
            f'<path d="M{place(0.2, 0.28)} L{place(0.55, 0.5)} L{place(0.2, 0.72)}" {stroke}/>',
            f'<path d="M{place(0.55, 0.5)} L{place(0.85, 0.5)}" {stroke}/>',
            circle(0.2, 0.28, 0.09, WHITE),
            circle(0.2, 0.72, 0.09, WHITE),
            circle(0.55, 0.5, 0.17, VERMILLION),
            f'<path d="M{place(0.47, 0.57)} H{place(0.55, 0.57).split(",")[0]} '
            f'V{place(0.55, 0.43).split(",")[1]} H{place(0.63, 0.43).split(",")[0]}" '
            f'fill="none" stroke="{WHITE}" stroke-width="{0.035 * size:g}"/>',
        ]
    )


def draw() -> dict[str, str]:
    """Return both drawings, file name to SVG text."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img">'
    # A badge that is legible on light and on dark ground: white letters on blue.
    badge = f'<rect width="300" height="96" rx="16" fill="{BLUE}"/>'
    words = (
        f'<g font-family="DejaVu Sans, Verdana, sans-serif" font-weight="bold" fill="{WHITE}">'
        '<text x="100" y="45" font-size="29">Perceptron</text>'
        '<text x="100" y="78" font-size="29">to PEFT</text></g>'
    )
    title = "<title>Perceptron to PEFT</title>"
    return {
        "favicon.svg": head.format(64, 64) + title + mark(0, 0, 64) + "</svg>\n",
        "logo.svg": head.format(300, 96) + title + badge + mark(4, 4, 88) + words + "</svg>\n",
    }


if __name__ == "__main__":
    for name, text in draw().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
