"""Whatever is written: a configuration, or ``ConfigurationError``."""

import contextlib
import json

import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightowl.config import check_from_spec, load, spec_to_toml
from nightowl.config.models import BY_KIND, LATER_TABLES, NAMED, SINGLE
from nightowl.config.refusals import keys
from nightowl.config.showing import effective
from nightowl.core.errors import ConfigurationError

OF_KINDS = [model for kinds in BY_KIND.values() for model in kinds.values()]
MODELS = [*SINGLE.values(), *(model for model in NAMED.values() if model), *OF_KINDS]
KEYS = st.sampled_from(sorted({key for model in MODELS for key in keys(model)} | {"a", "kind", "use"}))
TABLES = st.sampled_from([*SINGLE, *NAMED, *LATER_TABLES, "unknown"])
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["a", "http://a/", "tcp://a:1", "http://[", "1m", "${env:A}", "${file:a}", "slack", "email", "10.0.0.0/8"]
    ),
)
LEAVES = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.datetimes(), st.dates(), st.times())
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4), max_leaves=12
)
TREES = st.dictionaries(
    TABLES, VALUES | st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(KEYS, VALUES)), max_size=5
)
SPECS = st.dictionaries(KEYS, VALUES, max_size=6)
EASY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


@EASY
@given(tree=TREES)
def test_any_toml_is_a_configuration_or_refused(tmp_path, tree):
    path = tmp_path / "nightowl.toml"
    path.write_text(tomli_w.dumps(tree), encoding="utf-8")
    with contextlib.suppress(ConfigurationError):
        load(path, environ={"A": "a"})
        json.dumps(effective(path, environ={"A": "a"}))


@EASY
@given(raw=st.binary(max_size=100) | st.text(alphabet="[]{}=\"'\\#.,\n ab1${}:", max_size=60).map(str.encode))
def test_any_bytes_are_a_configuration_or_refused(tmp_path, raw):
    path = tmp_path / "nightowl.toml"
    path.write_bytes(raw)
    with contextlib.suppress(ConfigurationError):
        load(path, environ={})


@EASY
@given(spec=SPECS)
def test_any_spec_is_a_check_or_refused(spec):
    with contextlib.suppress(ConfigurationError):
        check_from_spec("a", {"url": "http://a/"} | spec, locations=["a"])


@EASY
@given(spec=SPECS)
def test_any_spec_that_is_taken_can_be_stored_and_exported(tmp_path, spec):
    spec = {"url": "http://a/", "locations": ["local"]} | spec
    try:
        check = check_from_spec("a", spec, locations=["local"])
    except ConfigurationError:
        return
    (tmp_path / "nightowl.toml").write_text(spec_to_toml({"a": json.loads(json.dumps(spec))}), encoding="utf-8")
    assert load(tmp_path / "nightowl.toml", environ={}).checks["a"] == check
