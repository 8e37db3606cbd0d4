"""Regular expressions that would take the memory of the machine are refused before they are compiled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nightowl.core.patterns import ALLOWED, DEEPEST, LONGEST, MOST, bounded

COMPILER = """
import json, resource, sys
import regex
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
for line in sys.stdin:
    try:
        regex.compile(json.loads(line))
        print("compiled", flush=True)
    except regex.error as error:
        print("refused", error, flush=True)
"""

BOMBS = [
    "(((a{1000}){1000}){1000})",
    "((a{1000}){1000})",
    "(?:(?:ab{200}){200}){200}",
    "((a{1000,}){1000,})",
    "(?:" * 40 + "a" + ")+" * 40,
    f"a{{{MOST + 1}}}",
    "[](a{1000}){1000}",
    r"\[(a{1000}){1000}\]",
    "[[:alpha:](](a{1000}){1000}",
    r"(?#\))(a{1000}){1000}",
    "(a{1000})(?#aside){1000}",
    "(?x)( a {1000} ){1000}",
    "(?V1)[[a](]((a{1000}){1000})",
    "(a{100}(?1)?){100}(?R)",
    "(?P<n>a{1000})(?&n){1000}",
    "(?(1)a|b)",
    "[[:]",
    "(?:foo){e<=1}",
    "(?:foo){1<=e<=3}",
    "(?:foo){2i+1d<4}",
    "(" * (DEEPEST + 1) + ")" * (DEEPEST + 1),
    "a" * (LONGEST + 1),
]
WRITTEN = [
    r"version \d+\.\d+",
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z$",
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"(?i)\bok\b(?# the shop's word)",
    r'{"status": "(?:ok|fine)"}',
    r"(?P<quote>['\"]).*?(?P=quote)",
    r"(?<!not )(?=ready)\p{Lu}{3,}[[:digit:]]*+",
    r"[^](){1000}]{100}",
    "(?s:begin.{0,5000}end){1,100}",
]

CHARACTERS = [
    "a",
    ".",
    r"\d",
    r"\(",
    r"\[",
    "[a-z]",
    "[](]",
    "[^](]",
    "[[]",
    r"[\]]",
    "[a{9}]",
    "[[:alpha:])]",
    r"\p{L}",
]
ATOMS = st.sampled_from([*CHARACTERS, r"\p{L", "(?#x)", "(?#)()", "(?i)", "{", "{1", "}", "\\"])
COUNTS = st.sampled_from(["", "", "*", "+", "?", "+?", "{0}", "{2}", "{30}", "{500}", "{3000,}", "{,40}", "{20,50}++"])
OPENINGS = st.sampled_from(["(", "(?:", "(?=", "(?<!", "(?>", "(?|", "(?i-m:", "(?<n>"])
REPEATED = st.builds("".join, st.lists(st.builds("{}{}".format, ATOMS, COUNTS), min_size=1, max_size=5))
PATTERNS = st.recursive(
    REPEATED, lambda inner: st.builds("{}{}{}){}{}".format, REPEATED, OPENINGS, inner, COUNTS, COUNTS), max_leaves=8
)


@pytest.fixture(scope="module")
def compiled() -> Iterator[Callable[[str], str]]:
    """Compile a pattern in a process that may use 400 MiB, and say what became of it; nothing if it died of it."""
    with subprocess.Popen([sys.executable, "-c", COMPILER], stdin=-1, stdout=-1, text=True) as child:
        assert child.stdin
        assert child.stdout
        give, take = child.stdin, child.stdout

        def ask(pattern: str) -> str:
            give.write(json.dumps(pattern) + "\n")
            give.flush()
            return take.readline().strip()

        yield ask
        give.close()


@pytest.mark.parametrize("pattern", BOMBS)
def test_a_pattern_that_is_huge_or_cannot_be_counted_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="at most 20000 with its repetitions written out") as refused:
        bounded(pattern)
    assert str(refused.value) == ALLOWED


@pytest.mark.parametrize("pattern", WRITTEN)
def test_patterns_as_people_write_them_are_let_through(pattern: str, compiled: Callable[[str], str]) -> None:
    assert compiled(bounded(pattern)) == "compiled"


@given(PATTERNS)
@example(f"(?:{'.' * (MOST // 500)}){{480}}")
@example("(?:(a|b)(c|d)){900}")
@example(f"[a-z0-9_]{{{MOST // 11}}}")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_let_through_compiles_in_little_memory(compiled: Callable[[str], str], pattern: str) -> None:
    try:
        bounded(pattern)
    except ValueError:
        return
    assert compiled(pattern).startswith(("compiled", "refused"))
