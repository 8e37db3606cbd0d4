"""The reference page is current, and every example in the documentation works."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

from nightowl.config import load
from nightowl.config.keys import new_key
from nightowl.config.models import BY_KIND, NAMED, SINGLE
from nightowl.config.numbered import NUMBERED
from nightowl.config.schema import schema
from nightowl.config.starter import STARTER
from nightowl.core.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{index}")
    for page in sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md"])
    if page.name != "plugins.md"  # whose blocks need the plug-in, and are tried with it
    for index, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    )
]
GIVEN = {
    "NIGHTOWL_SECRET": "0123456789abcdef0123456789abcdef",
    "NIGHTOWL_DATABASE": "postgresql://owl:pw@db.example/owl",
    "NIGHTOWL_BROKER": "redis://broker.example",
    "NIGHTOWL_SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "SHOP_PROBE": "owl:pw",
    "NIGHTOWL_OFFICE_KEY": new_key(),
    "ALICE_HASH": "$argon2id$v=19$m=65536",
}
"""Variables whose values have a form of their own."""


def environment(text):
    names = re.findall(r"\$\{env:(\w+)\}", text)
    return {name: "https://hooks.example/x" if name.endswith(("URL", "WEBHOOK")) else "word" for name in names} | GIVEN


PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def with_files(text, folder):
    """Put text files in place of those that an example names."""

    def named(found):
        (folder / Path(found[1]).name).write_text(new_key() if found[1].endswith(".key") else "text")
        return "${file:" + Path(found[1]).name + "}"

    def beside(found):
        (folder / Path(found[1]).name).write_text(PEM)
        return f'"{Path(found[1]).name}"'

    return re.sub(r'"([^"\s]+\.pem)"', beside, re.sub(r"\$\{file:([^}]+)\}", named, text))


def loads(text, folder):
    (folder / "nightowl.toml").write_text(with_files(text, folder), encoding="utf-8")
    return load(folder / "nightowl.toml", environ=environment(text))


def test_the_reference_is_current():
    spec = importlib.util.spec_from_file_location("generate_configuration", ROOT / "docs/generate_configuration.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == module.PAGE.read_text(encoding="utf-8"), "run docs/generate_configuration.py"


ELSEWHERE = ("[NO03]", "[NO05]", "[NO06]", "[NO40]")


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_in_the_documentation_loads(block, tmp_path):
    """It is an excerpt: the locations, templates, channels and sources that it names may stand elsewhere."""
    mistakes = ()
    try:
        loads(block, tmp_path)
    except ConfigurationError as refused:
        mistakes = refused.mistakes
    assert [str(one) for one in mistakes if not one.allowed.endswith(ELSEWHERE)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_file_loads_and_draws_no_hint_but_that_nobody_is_told(path, tmp_path):
    loaded = loads(path.read_text(encoding="utf-8"), tmp_path)
    assert {hint.number for hint in loaded.hints} <= {"NO23"}


def test_the_full_example_has_every_table():
    whole = tomllib.loads((ROOT / "examples/full.toml").read_text(encoding="utf-8"))
    assert set(whole) == {*SINGLE, *NAMED}


def test_the_starter_loads_as_it_is_and_with_everything_switched_on(tmp_path):
    loads(STARTER, tmp_path)
    loads(re.sub(r"^# (?=[\[a-z].*(\]|=))", "", STARTER, flags=re.MULTILINE), tmp_path)


def test_every_key_and_number_is_explained():
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    of_kinds = [model for kinds in BY_KIND.values() for model in kinds.values()]
    for model in [*SINGLE.values(), *(model for model in NAMED.values() if model), *of_kinds]:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert f"`{field.alias or name}`" in page
    assert all(number in page for number in NUMBERED)


def test_the_schema_speaks_the_language_of_the_file():
    made = schema()
    assert set(made["properties"]) == {*SINGLE, *NAMED}
    assert made["$defs"]["Check"]["properties"]["every"]["default"] == "1m"
    assert made["$defs"]["Email"]["required"] == ["kind", "host", "from", "to"]
    assert '"null"' not in json.dumps(made)
    assert made["additionalProperties"] is False
