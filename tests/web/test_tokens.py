"""Colours can be told apart, and the whole stays light."""

import gzip
import re

import pytest

from nightowl.web.assets import FOLDER

TOKENS = (FOLDER / "tokens.css").read_text()

TEXT_ON = {
    ("text", "soft", "link"): ("page", "card", "sunken", "hover"),
    ("up-text", "degraded-text", "down-text", "unknown-text", "paused-text"): ("card", "page", "hover"),
    ("text",): ("up-tint", "degraded-tint", "down-tint", "unknown-tint"),
    ("rail-text", "rail-strong", "rail-bad"): ("rail", "rail-hover"),
    ("on-main",): ("main",),
}
SHAPE_ON = {
    ("up", "degraded", "down", "unknown", "paused", "edge", "focus"): ("page", "card", "hover"),
    ("up",): ("up-tint",),
    ("degraded",): ("degraded-tint",),
    ("down",): ("down-tint",),
    ("unknown",): ("sunken",),
    ("dns", "connect", "tls", "first_byte", "transfer", "rest"): ("card", "sunken"),
    ("brand", "rail-edge"): ("rail",),
}


def colours(theme):
    """Each token's colour in a theme."""
    both = re.findall(r"--([\w-]+): (?:light-dark\((#\w{6}), (#\w{6})\)|(#\w{6}));", TOKENS)
    return {name: (light, dark)[theme] if light else always for name, light, dark, always in both}


def luminance(colour):
    """Relative luminance, by WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT_ON, 4.5), (SHAPE_ON, 3.0)], ids=["text", "shapes"])
def test_every_colour_stands_out_from_what_it_is_on(theme, pairs, least):
    known = colours(theme)
    weak = [
        f"{front} on {back}: {contrast(known[front], known[back]):.2f}"
        for fronts, backs in pairs.items()
        for front in fronts
        for back in backs
        if contrast(known[front], known[back]) < least
    ]
    assert not weak


def test_every_colour_has_a_light_and_a_dark_form():
    assert len(re.findall(r"^  --", TOKENS, re.MULTILINE)) == len(colours(0))


def test_all_scripts_and_styles_together_stay_under_sixty_kilobytes_compressed():
    files = [path for path in FOLDER.rglob("*") if path.suffix in {".js", ".css"}]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) < 60_000


def test_assets_are_named_by_their_content_and_kept_for_a_year(client):
    name = re.search(r"/static/app\.[0-9a-f]{10}\.css", client.get("/").text)[0]
    answer = client.get(name, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/app.0000000000.css").status_code == 404
    assert client.get("/static/..%2Fapp.py").status_code == 404
