import pytest

from nightowl.config import Watched
from nightowl.core.errors import ConfigurationError

GOOD = '[check.a]\nurl = "http://a/"\n'
MORE = GOOD + '[check.b]\nurl = "http://b/"\n'


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "nightowl.toml"
    path.write_text(GOOD)
    return path


def replace(path, text):
    """Write as editors do: a new file in place of the old one."""
    new = path.with_name("new")
    new.write_text(text)
    new.replace(path)


def test_the_first_loading_must_succeed(tmp_path):
    with pytest.raises(ConfigurationError):
        Watched(tmp_path / "missing.toml")


def test_nothing_happens_while_nothing_changes(path):
    watched = Watched(path)
    before = watched.current
    assert watched.poll() is None
    assert watched.current is before


def test_a_changed_file_is_loaded_once(path):
    watched = Watched(path)
    replace(path, MORE)
    loaded = watched.poll()
    assert loaded is watched.current
    assert list(loaded.checks) == ["a", "b"]
    assert watched.poll() is None


def test_a_bad_file_keeps_the_old_configuration_and_says_why(path):
    watched = Watched(path)
    replace(path, GOOD + "every = 5")
    assert watched.poll() is None
    assert list(watched.current.checks) == ["a"]
    assert "check.a.every: found 5" in watched.error


def test_a_mended_file_takes_effect_and_clears_the_error(path):
    watched = Watched(path)
    replace(path, "nonsense")
    watched.poll()
    replace(path, MORE)
    assert list(watched.poll().checks) == ["a", "b"]
    assert watched.error == ""


def test_a_file_that_went_away_is_an_error_until_it_is_back(path):
    watched = Watched(path)
    path.unlink()
    assert watched.poll() is None
    assert "no such file" in watched.error
    path.write_text(MORE)
    assert watched.poll() is not None


def test_files_that_come_and_go_in_a_folder_are_noticed(path):
    watched = Watched(path.parent)
    other = path.with_name("other.toml")
    other.write_text('[check.b]\nurl = "http://b/"\n')
    assert list(watched.poll().checks) == ["a", "b"]
    other.unlink()
    assert list(watched.poll().checks) == ["a"]


def test_a_changed_secret_is_noticed(path):
    secret = path.with_name("secret")
    secret.write_text("one")
    path.write_text(GOOD + 'body = "${file:secret}"')
    watched = Watched(path)
    replace(secret, "two")
    assert watched.poll().checks["a"].target.body == "two"


def test_a_secret_that_was_missing_is_noticed_when_it_is_there(path):
    watched = Watched(path)
    replace(path, GOOD + 'body = "${file:secret}"')
    assert watched.poll() is None
    path.with_name("secret").write_text("one")
    assert watched.poll().checks["a"].target.body == "one"


def test_a_reload_can_be_asked_for(path):
    watched = Watched(path, environ={})
    assert watched.reload() == watched.current
