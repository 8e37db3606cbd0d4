"""What a vault seals opens under the same secret and bond, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.vault import Vault
from nightowl.core.errors import Refused
from nightowl.core.secrecy import is_sealed

MINE, OTHER = Vault(b"a" * 32), Vault(b"b" * 32)


@given(st.text(), st.text())
def test_a_sealed_text_opens_where_it_belongs(text, bond):
    sealed = MINE.seal(text, bond)
    assert is_sealed(sealed)
    assert Vault(b"a" * 32).open(sealed, bond) == text
    assert MINE.seal(text, bond) == sealed


@given(st.text(), st.text(), st.text())
def test_it_opens_nowhere_else(text, bond, another):
    if bond != another:
        assert MINE.seal(text, bond).rpartition(":")[2] != MINE.seal(text, another).rpartition(":")[2]
        with pytest.raises(Refused, match="another check, key or host"):
            MINE.open(MINE.seal(text, bond), another)


def test_another_secret_is_named_as_the_cause():
    with pytest.raises(Refused, match=r"another \[server\] secret_key"):
        OTHER.open(MINE.seal("pw", "x"), "x")


@pytest.mark.parametrize("at", [0, 20, -1])
def test_a_damaged_text_does_not_open(at):
    head, mark, box = MINE.seal("password", "x").rpartition(":")
    letters = list(box)
    letters[at] = "B" if letters[at] == "A" else "A"
    with pytest.raises(Refused):
        MINE.open(f"{head}{mark}{''.join(letters)}", "x")
