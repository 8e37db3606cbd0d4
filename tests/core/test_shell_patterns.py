"""Shell patterns in the language of others."""

import re
from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.shell_patterns import expression, quoted

PATTERNS = st.text(alphabet="ab*?[]!-.|\\^x", max_size=8)
TEXTS = st.text(alphabet="ab[]!-.|\\^x*?", min_size=1, max_size=8)


@given(PATTERNS, TEXTS)
def test_an_expression_matches_what_its_pattern_does(pattern, text):
    try:
        compiled = re.compile(f"(?s:{expression(pattern)})\\Z")
    except re.error:  # an empty range such as [b-a], which matches nothing
        assert not fnmatchcase(text, pattern)
        return
    assert bool(compiled.match(text)) == fnmatchcase(text, pattern)


@given(TEXTS)
def test_a_quoted_text_matches_itself_alone(text):
    assert re.fullmatch(quoted(text), text)
    assert not re.fullmatch(quoted(text), f"{text}x")
