"""Keys of locations: their text, where they may stand, and that nobody sees them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.config.keys import new_key, read_key
from nightowl.config.showing import effective

ALLOWED = 'a key as "nightowl keys new" prints it, or a list of two of them while one replaces the other'
ONE, TWO, THREE = new_key(), new_key(), new_key()


def test_keys_are_new_each_time_and_hold_32_bytes():
    assert ONE != TWO
    assert len(read_key(ONE).secret) == 32


@given(st.one_of(st.text(max_size=60), st.text("abcXYZ019-_", min_size=43, max_size=43).map("owl1-{}".format)))
def test_a_text_is_one_key_or_none(text):
    try:
        key = read_key(text)
    except ValueError:
        return
    assert len(key.secret) == 32


@pytest.mark.parametrize(
    "text",
    [ONE[:-1], ONE + "A", "owl2-" + ONE[5:], ONE.replace("-", "=", 1), f"{ONE}\n", ""],
    ids=["cut", "longer", "version", "separator", "line", "empty"],
)
def test_a_text_that_was_cut_or_changed_is_no_key(text):
    with pytest.raises(ValueError, match="not a location key"):
        read_key(text)


def test_a_location_has_one_key_or_two(configured):
    text = f'[location.one]\nkey = "{ONE}"\n[location.two]\nkey = ["{TWO}", "{ONE}"]\n[location.none]'
    places = configured(text).locations
    assert places["one"].keys == (read_key(ONE),)
    assert places["two"].keys == (read_key(TWO), read_key(ONE))
    assert places["none"].keys == ()


@pytest.mark.parametrize("value", ['"word"', "[]", "7", '["{0}", "{0}"]', '["{0}", "{1}", "{2}"]', '["{0}", 7]', '""'])
def test_what_is_no_key_is_refused_and_not_repeated(mistakes, value):
    found, allowed = mistakes(f"[location.x]\nkey = {value.format(ONE, TWO, THREE)}")["location.x.key"]
    assert allowed == ALLOWED
    assert "owl1-" not in found
    assert "word" not in found


def test_a_key_comes_from_a_file_or_a_variable(configured, tmp_path):
    (tmp_path / "x.key").write_text(f"{ONE}\n")
    places = configured('[location.x]\nkey = ["${file:x.key}", "${env:KEY}"]', KEY=TWO).locations
    assert places["x"].keys == (read_key(ONE), read_key(TWO))


def test_keys_are_shown_to_nobody(configured, tmp_path):
    (tmp_path / "x.key").write_text(ONE)
    loaded = configured(f'[location.x]\nkey = "{ONE}"\n[location.y]\nkey = ["${{file:x.key}}", "{TWO}"]')
    shown = effective(tmp_path / "nightowl.toml")
    assert shown["location"]["x"]["key"] == "***"
    assert shown["location"]["y"]["key"] == ["${file:x.key}", "***"]
    for said in (json.dumps(shown), repr(loaded), str(loaded.locations["x"])):
        assert ONE not in said
        assert str(read_key(ONE).secret) not in said
