import json

import pytest
from msgspec.structs import replace

from nightowl.core.notice_template import problem, variables, write


def test_a_template_says_what_a_notice_is_about(notice, incident):
    template = {
        "subject": "[{{ incident.severity }}] {{ incident.subject }} ({{ tags.team }})",
        "body": "{{ sentence }}\nSince {{ incident.opened | time }} ({{ lasted | duration }}): {{ url }} {{ runbook }}",
    }
    made, remark = write(template, notice())
    assert made["subject"] == "[critical] shop (shop)"
    assert made["body"].splitlines() == [
        "shop is down: connection refused, seen from 3 of 3 locations.",
        "Since 2023-11-14 22:13:20 UTC (4 minutes): https://owl.example/incidents/5f2c https://wiki.example/shop",
    ]
    assert remark == ""


def test_other_incidents_are_there_for_a_loop(notice, incident):
    told = replace(notice(), others=(replace(incident, subject="db"), replace(incident, subject="mail")))
    made, _ = write({"body": "{% for one in others %}- {{ one.subject }}\n{% endfor %}"}, told)
    assert made["body"] == "- db\n- mail\n"


def test_a_part_that_fails_is_missing_and_said_and_the_others_stand(notice):
    made, remark = write({"subject": "{{ incident.reslved }}", "body": "{{ step }}"}, notice())
    assert made == {"body": "firing"}
    assert remark.startswith("the template of the subject fails, so the built-in one was used: there is no 'reslved'")


def test_a_part_that_is_no_template_at_all_loses_no_notice(notice):
    made, remark = write({"text": "{{ ", "body": "{{ range(9) }}"}, notice())
    assert made == {}
    assert "unexpected" in remark
    assert "no calls" in remark


def test_very_long_texts_are_cut_before_a_template_sees_them(notice, incident):
    long = replace(incident, summary="s" * 100_000, subject="n" * 100_000, tags={"t": "v" * 100_000})
    found = variables(replace(notice(incident=long), others=(long,) * 1000))
    assert len(found["sentence"]) == len(found["tags"]["t"]) == len(found["others"][0]["subject"]) == 4000
    assert len(found["others"]) == 100


@pytest.mark.parametrize(
    ("template", "kind", "words"),
    [
        ("{{ sentence }}", "", ""),
        ("{% if step == 'resolved' %}{{ incident.resolved | time }}{% endif %}{{ tags.nobody }}", "", ""),
        ("{{ range(9) }}", "syntax", "no calls"),
        ("{{ sentense }} {{ sms }}", "name", "incident, tags, step,"),
        ("{{ sentense }} {{ sms }}", "name", "there is no sentense, sms"),
        ("{{ incident.tag }}", "value", "there is no 'tag'"),
        ("{% if step == 'resolved' %}{{ incident.ended }}{% endif %}", "value", "(at the step resolved)"),
        ("{% if others %}{{ others[0].nix }}{% endif %}", "value", "(at the step raised)"),
        ("{{ incident.acknowledged | duration }}", "value", "(at the step firing)"),
        ("{{ tags.team ~ incident.tags.team | round }}", "value", "the filter round does not take that"),
    ],
)
def test_what_keeps_a_template_from_working_is_found_by_trying_it_at_every_step(template, kind, words):
    found, why = problem(template)
    assert found == kind
    assert words in why


def test_json_that_a_quote_would_break_is_found():
    assert problem('{"text": "{{ sentence }}"}', is_json=True)[0] == "json"
    assert problem('{"text": {{ sentence | tojson }}}', is_json=True) == ("", "")
    assert problem('{"team": "{{ tags.team }}"}', is_json=True)[0] == "json"
    assert problem('{"at": {{ incident.resolved }}}', is_json=True)[0] == "json"
    assert problem('{"at": {{ incident.resolved | tojson }}}', is_json=True) == ("", "")


@pytest.mark.parametrize("value", ["heading", "incident.subject", "incident.summary", "tags.path"])
def test_json_that_the_labels_of_a_rule_would_break_is_found(value):
    found, why = problem('{"a": "{{ %s }}"}' % value, is_json=True)  # noqa: UP031
    assert found == "json"
    assert "tojson" in why
    assert problem('{"a": {{ %s | tojson }}}' % value, is_json=True) == ("", "")  # noqa: UP031


def test_a_part_that_is_to_be_json_and_is_none_is_missing(notice, incident):
    template = {"body": '{"a": "{{ incident.subject }}"}'}
    labelled = replace(incident, kind="rule", subject='slow{check="shop"}')
    assert write(template, notice(), is_json=True) == ({"body": '{"a": "shop"}'}, "")
    made, remark = write(template, notice(incident=labelled), is_json=True)
    assert made == {}
    assert remark.startswith("the template of the body fails, so the built-in one was used: it makes no JSON")
    assert write({"body": "NaN"}, notice(), is_json=True)[0] == {}
    assert write(template, notice(incident=labelled))[1] == ""


def test_every_value_can_be_told_as_json(notice, incident):
    made, remark = write({"body": "{{ incident | tojson }}"}, notice())
    assert remark == ""
    assert json.loads(made["body"])["tags"] == incident.tags
