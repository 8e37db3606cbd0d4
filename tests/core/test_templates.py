"""What templates can do, what they cannot, and that none of them runs away."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.errors import TemplateFailed
from nightowl.core.templates import LARGEST, LONGEST, Compiled, Missing

SHOP = {
    "name": "shop",
    "opened": 1_700_000_000.0,
    "resolved": None,
    "tags": Missing(team="eu", tier="1"),
    "of": ["b", "a"],
    "n": 3,
}


def rendered(template, /, **values):
    return Compiled(template).render({"shop": SHOP} | values)


def refusal(template, /, **values):
    with pytest.raises(TemplateFailed) as caught:
        rendered(template, **values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ shop.name | upper }} in {{ shop.tags.team }}", "SHOP in eu"),
        ("{{ shop['name'] }}{{ shop.of[0] }}{{ shop.of[-1:][0] }}{{ shop.name[1:3] }}", "shopbaho"),
        ("{% if shop.n > 2 and shop.name != 'x' %}many{% elif shop.n %}few{% else %}none{% endif %}", "many"),
        ("{% for name, value in shop.tags | items %}{{ loop.index }}:{{ name }}={{ value }};{% endfor %}",
         "1:team=eu;2:tier=1;"),
        ("{% for one in [] %}{% else %}nothing{% endfor %}", "nothing"),
        ("{% for one in shop.of if one != 'b' %}{{ one }}{% endfor %}", "a"),
        ("{% set who = shop.name ~ '/' ~ shop.n %}{{ who }} {{ shop.n - 1 + 2 }} {{ 'a' + 'b' }}", "shop/3 4 ab"),
        ("{{ 'yes' if shop.name in ['shop', 'db'] else 'no' }}", "yes"),
        ("[{{ shop.resolved }}][{{ shop.resolved | time }}][{{ shop.resolved | iso }}]", "[][][]"),
        ("{{ shop.opened | time }}", "2023-11-14 22:13:20 UTC"),
        ("{{ shop.opened | time('Europe/Paris') }}", "2023-11-14 23:13:20 CET"),
        ("{{ shop.opened | iso }}", "2023-11-14T22:13:20+00:00"),
        ("{{ 7509 | duration }}", "2 hours 5 minutes"),
        ("{{ shop.tags.nobody | default('all') }} {{ nothing | default('none') }}", "all none"),
        ("{{ shop.of | sort | join(', ') }} {{ shop.of | length }} {{ shop.of | first }} {{ shop.of | last }}",
         "a, b 2 b a"),
        ("{{ shop.name | replace('sh', 'h') | capitalize }} {{ '  x ' | trim }} {{ 2.678 | round(1) }}", "Hop x 2.7"),
        ("{{ shop.tags | tojson }} {{ 'a\"b' | tojson }}", '{"team":"eu","tier":"1"} "a\\"b"'),
        ("{{ 'a b/c' | urlencode }} {{ 'abcdef' | cut(3) }} {{ 'X' | lower }}", "a%20b%2Fc ab… x"),
        ("{{ shop.nix is defined }} {{ shop.n is number }}", "False True"),
        ("{% raw %}{{ as it is }}{% endraw %}{# not said #}", "{{ as it is }}"),
    ],
)  # fmt: skip
def test_a_template_puts_values_in_chooses_and_walks(template, text):
    assert rendered(template) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ shop.__class__ }}",
        "{{ shop.name.__class__.__mro__ }}",
        "{{ shop['__class__'] }}",
        "{{ shop.name.format }}",
        "{{ shop.items }}",
        "{{ shop.of.append }}",
        "{{ loop }}",
        "{% for one in shop.of %}{{ loop }}{% endfor %}",
        "{% for one in shop.of %}{{ loop._iterable }}{% endfor %}",
        "{{ self }}",
        "{{ self.__init__ }}",
        "{{ _meter }}",
        "{{ _meter.spend }}",
        "{{ range }}",
        "{{ lipsum }}",
        "{{ namespace }}",
        "{{ cycler.__init__.__globals__.os }}",
    ],
)
def test_nothing_but_the_values_can_be_reached(template):
    assert refusal(template)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ range(10) }}", "line 1: templates have no calls"),
        ("a\n{{ shop.name.upper() }}", "line 2: templates have no calls"),
        ("{{ 'a' * 1000000000 }}", "templates have no *"),
        ("{{ 9 ** 9 ** 9 }}", "templates have no **"),
        ("{{ '%1000000000d' % 1 }}", "templates have no %"),
        ("{{ shop.name | attr('upper') }}", "there is no filter attr; there are capitalize, cut,"),
        ("{{ 'x' | center(1000000000) }}", "there is no filter center"),
        ("{{ shop.of | _each(1) }}", "there is no filter _each"),
        ("{{ shop.n is divisibleby 3 }}", "there is no test divisibleby"),
        ("{% macro f() %}{% endmacro %}", "templates have no macro"),
        ("{% include '/etc/passwd' %}", "templates have no include"),
        ("{% import 'x' as y %}", "templates have no import"),
        ("{% extends 'x' %}", "templates have no extends"),
        ("{% block x %}{% endblock %}", "templates have no block"),
        ("{% filter upper %}{% endfilter %}", "templates have no filterblock"),
        ("{% set x %}{% endset %}", "templates have no assignblock"),
        ("{% set a.b = 1 %}", "line 1: "),
        ("{% for a in b recursive %}{% endfor %}", "a loop cannot be recursive"),
        ("{{ [shop, shop] }}", "a list can be made of texts and numbers only"),
        ("{{ {'a': 1} }}", "templates have no {...}"),
        ("{{ shop.name | upper(*shop.of) }}", "arguments cannot be unpacked"),
        ("{{ ", "line 1: "),
        ("{% if %}", "line 1: "),
        ("x" * (LONGEST + 1), f"it has {LONGEST + 1} characters, and may have {LONGEST}"),
    ],
)
def test_what_templates_do_not_have_is_said_when_they_are_read(template, why):
    with pytest.raises(TemplateFailed) as caught:
        Compiled(template)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ shop.nam }}", "there is no 'nam'; there are name, opened, resolved, tags, of, n"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ nothing.at.all }}", "'nothing' is undefined"),
        ("{{ nothing | upper }}", "'nothing' is undefined"),
        ("{{ shop.of[7] }}", "there is no item 7"),
        ("{{ shop }}", "a table or a list has no text of its own"),
        ("{{ shop.of }}", "a table or a list has no text of its own"),
        ("{{ 'a' + 1 }}", "+ stands between numbers, or + between texts"),
        ("{{ shop.of + shop.of }}", "+ stands between numbers, or + between texts"),
        ("{% for one in shop.n %}{% endfor %}", "a loop walks through a list or a table"),
        ("{{ shop.name | time }}", "the filter time does not take that"),
        ("{{ shop.opened | time('Mars/Base') }}", "there is no time zone 'Mars/Base'"),
        ("{{ shop.opened | time('../../etc/passwd') }}", "there is no time zone"),
        ("{{ 1e300 | time }}", "OverflowError"),
        ("{{ shop.name | upper(1) }}", "the filter upper does not take that: upper() takes 1"),
        ("{{ shop.name[0:1:0] }}", "ValueError"),
        ("{{ 'a' < 1 }}", "TypeError"),
    ],
)
def test_what_a_template_asks_of_the_wrong_value_is_said(template, why):
    assert why in refusal(template)


MANY = list(range(1000))


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in many %}" * 4 + "{% endfor %}" * 4,
        "{% for a in many %}{% for b in many if b == a %}{% endfor %}{% endfor %}",
        "{% for a in many %}{% for b in many %}" + "{% if a == b %}{% endif %}" * 300 + "{% endfor %}{% endfor %}",
        "{% for a in many %}{% for b in many %}{{ b | time('Europe/Paris') }}{% endfor %}{% endfor %}",
        "{% for a in many %}{% set x = " + " ~ ".join(["text"] * 60) + " %}{% endfor %}",
        "{% set x = 'aaaaaaaa' %}" + "{% set x = x ~ x %}" * 40,
        "{% set x = 'aaaaaaaa' %}" + "{% set x = x + x %}" * 40,
        "{% set x = 'aaaaaaaa' %}" + "{% set x = x | replace('a', x) %}" * 20,
        "{% set x = many | join(',') %}" + "{% set x = many | join(x) %}" * 20,
        "{{ '\"'" + " | tojson" * 200 + " }}",
        "{{ text" + " | urlencode" * 200 + " }}",
        "{% for a in many %}{{ text }}{% endfor %}",
    ],
)
def test_a_template_that_would_run_away_is_ended(template):
    began = process_time()
    assert refusal(template, many=MANY, text="é" * 4000)
    assert process_time() - began < 5


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
        "{{ " + "not " * 4000 + "1 }}",
        "{{ " + "1 + " * 4000 + "1 }}",
        "{% for a in [1] %}" * 400 + "{% endfor %}" * 400,
        "{{ 1" + "0" * 5000 + " }}",
    ],
)
def test_a_template_that_is_too_deep_is_refused_as_any_other(template):
    assert refusal(template)


def test_what_is_put_in_is_escaped_and_what_the_template_says_is_not():
    template = Compiled("<b>{{ name }}</b> {{ '<' }}", lambda text: text.replace("<", "&lt;"))
    assert template.render({"name": "<x>"}) == "<b>&lt;x></b> &lt;"


def test_the_values_that_a_template_asks_for_are_known():
    assert Compiled("{% set x = a %}{{ x }}{% for b in c %}{{ b.d }}{% endfor %}").names == {"a", "c"}


PIECES = st.sampled_from(
    ["{{ t }}", "{{ t | upper }}", "{{ t ~ t }}", "{% set t = t ~ t %}", "{% set t = t | replace('a', t) %}", "text"]
)


def nested(inner):
    return st.builds(
        "{{% for one in l %}}{}{{% endfor %}}".format, st.lists(inner, min_size=1, max_size=4).map("".join)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.recursive(PIECES, nested, max_leaves=12), max_size=12).map("".join))
def test_whatever_is_made_stays_within_its_bounds(template):
    began = process_time()
    try:
        made = Compiled(template).render({"t": "a" * 500, "l": MANY})
    except TemplateFailed:
        made = ""
    assert len(made) <= LARGEST
    assert process_time() - began < 5


@pytest.mark.parametrize("template", ["{{ 1 | round(-1000000000) }}", "{{ (0 - 900000000000000000) | time }}"])
def test_absurd_figures_are_refused_and_take_no_time(template):
    began = process_time()
    assert refusal(template)
    assert process_time() - began < 1.0


def test_numbers_are_rounded():
    assert rendered("{{ 2.345 | round(2) }} {{ 2.6 | round }}") == "2.35 3"
