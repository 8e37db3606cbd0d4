"""``nightowl backtest``."""

import json

import pytest
from click.testing import CliRunner

from nightowl.cli import main

RULES = """
[rule.backlog]
metric = "celery_queue_length"
where = { queue_name = "emails" }
above = 100
for = "1m"
[rule.quiet]
metric = "nothing"
above = 1
"""


def row(queue, at, value):
    return f'celery_queue_length{{cluster="shop",queue_name="{queue}"}},{at},{value}'


@pytest.fixture
def run(tmp_path):
    rules, samples = tmp_path / "rules.toml", tmp_path / "week.csv"
    rules.write_text(RULES)

    def run(rows, *more):
        samples.write_text("\n".join(rows))
        arguments = ["backtest", "--rules", str(rules), "--samples", str(samples), "--every", "30s", *more]
        return CliRunner().invoke(main, arguments)

    return run


BURST = [
    row(queue, at, 500 if 300 <= at < 450 and queue == "emails" else 5)
    for at in range(0, 900, 30)
    for queue in ("emails", "pdf")
]
EMAILS = 'celery_queue_length{cluster="shop",queue_name="emails"}'
MOVES = [[300.0, "OK", "PENDING"], [360.0, "PENDING", "FIRING"], [450.0, "FIRING", "OK"]]


def test_json_has_every_rule_with_the_transitions_of_its_series(run):
    assert json.loads(run(BURST, "--json").output) == {"backlog": {EMAILS: MOVES}, "quiet": {}}


def test_a_head_line_late_and_doubled_rows_and_other_ways_to_write_time_change_nothing(run):
    quoted = [f'"{each.rpartition(",")[0].rpartition(",")[0].replace(chr(34), chr(34) * 2)}"' for each in BURST]
    iso = [f"{name},{_iso(each)},{each.rpartition(',')[2]}" for name, each in zip(quoted, BURST, strict=True)]
    shuffled = ["series,ts,value", *reversed(iso), *iso[:7]]
    assert json.loads(run(shuffled, "--json").output)["backlog"] == {EMAILS: MOVES}


def _iso(line):
    seconds = int(line.split(",")[-2])
    return f"1970-01-01T00:{seconds // 60:02}:{seconds % 60:02}Z"


def test_people_read_how_often_it_would_have_paged(run):
    assert run(BURST).output.splitlines() == [
        "backlog: would have paged once",
        f"1970-01-01T00:05:00Z\t{EMAILS}\tOK -> PENDING",
        f"1970-01-01T00:06:00Z\t{EMAILS}\tPENDING -> FIRING",
        f"1970-01-01T00:07:30Z\t{EMAILS}\tFIRING -> OK",
        "quiet: would have paged never, as it matches no series",
    ]


def test_the_span_is_bounded_by_from_and_to(run):
    found = json.loads(run(BURST, "--json", "--from", "420", "--to", "1970-01-01T00:07:00Z").output)
    assert found["backlog"] == {EMAILS: [[420.0, "OK", "PENDING"]]}


def test_all_malformed_rows_are_told_at_once(run):
    found = run(["a,1", "a,x,2", "a,3,y", "a{,4,1", "a,5,1"])
    assert found.exit_code == 1
    assert [line.partition(": ")[2].partition(":")[0] for line in found.output.splitlines()] == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
    ]


def test_each_part_of_a_malformed_row_is_told_apart(run):
    lines = run(["a,1", "a,x,2", "a,3,y", "a{,4,1", "a{,x,1"]).output.splitlines()
    allowed = [line.partition("allowed: series,ts,value")[2] for line in lines]
    series = ' with a series such as queue_length{queue="mail"}'
    time = "a ts of Unix seconds, or such as 2026-11-29T03:00Z"
    assert allowed == ["", f" with {time}", " with a value that is a number", series, f"{series}, and {time}"]


def test_a_rule_that_was_mostly_unknown_does_not_reassure(run):
    seldom = [row("emails", at, 5) for at in range(0, 6000, 600)]
    assert run(seldom).output.splitlines()[0] == (
        "backlog: would have paged never, but it was unknown for 75% of the time: no current sample"
    )


@pytest.mark.parametrize(
    ("option", "value"), [("--every", "30"), ("--every", "0s"), ("--from", "soon"), ("--to", "nan")]
)
def test_a_bad_option_says_what_is_allowed(run, option, value):
    found = run(BURST, option, value)
    assert found.exit_code == 2
    assert f"found '{value}', allowed:" in found.output


def test_a_configuration_without_rules_is_one_mistake(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text("")
    found = CliRunner().invoke(main, ["backtest", "--rules", str(path)])
    assert (found.exit_code, found.output) == (2, f"{path}: rule: found no rule, allowed: at least one [rule.NAME]\n")


def test_rules_on_sources_are_named_and_left_out(tmp_path):
    rules, samples = tmp_path / "rules.toml", tmp_path / "samples.csv"
    rules.write_text(
        '[source.p]\nkind = "prometheus"\nurl = "http://p/"\n'
        '[rule.asked]\nsource = "p"\nquery = "up"\nbelow = 1\n'
        '[rule.named]\nsource = "p"\nmetric = "up"\nbelow = 1\n'
    )
    samples.write_text("up,0,1\nup,30,0\n")
    tried = CliRunner().invoke(main, ["backtest", "--rules", str(rules), "--samples", str(samples), "--json"])
    assert "asked: left out, as it looks at the source p" in tried.stderr
    assert json.loads(tried.stdout) == {"named": {"up": [[30.0, "OK", "FIRING"]]}}
