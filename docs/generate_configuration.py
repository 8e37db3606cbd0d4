"""Writes the reference of keys into ``docs/configuration.md``, below its introduction."""  # noqa: INP001 - a script, not a module

from __future__ import annotations

from pathlib import Path

from nightowl.config.reference import render

PAGE = Path(__file__).with_name("configuration.md")
MARK = "<!-- From here on generated from the models by docs/generate_configuration.py. -->\n"


def page() -> str:
    """Return the page as it ought to be: the introduction as it stands there, and the reference."""
    introduction, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise SystemExit(f"{PAGE} has lost its mark: {MARK}")
    return f"{introduction}{mark}\n{render()}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
