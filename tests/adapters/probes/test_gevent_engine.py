"""The same attempts on gevent's hub, in a process that was patched first."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from nightowl.core.values import Attempt, Expect, State, Target
from tests.adapters.probes.test_icmp import may_ping

RUNNER = Path(__file__).with_name("under_gevent.py")
FAULTS = {
    "fine": "",
    "silent": "http.timeout_headers",
    "slow_body": "http.timeout_body",
    "reset": "http.reset",
    "empty": "http.empty",
    "truncated": "http.truncated",
    "chunks_garbled": "http.malformed",
    "endless": "limit.body",
    "bomb": "limit.decompressed",
    "unavailable": "http.status",
    "redirect_loop": "redirect.loop",
}


class Answer(msgspec.Struct):
    attempts: list[Attempt]
    pause: float


@pytest.fixture
def attempts():
    """Run targets at once in a patched process."""

    def run(targets):
        ran = subprocess.run(
            [sys.executable, RUNNER], input=msgspec.json.encode(targets), capture_output=True, timeout=120, check=False
        )
        assert ran.returncode == 0, ran.stderr.decode()
        return msgspec.json.decode(ran.stdout, type=Answer)

    return run


def test_faults_have_the_same_reasons_on_the_hub(faults, certificates, attempts):
    ports = {fault: faults.serve(fault) for fault in FAULTS}
    http = [Target(kind="http", url=f"http://127.0.0.1:{ports[fault]}/", timeout=3.0) for fault in ports]
    secure = faults.serve("fine", certificates.good())
    expired = faults.serve("fine", certificates.expired())
    rest = [
        Target(kind="https", url=f"https://127.0.0.1:{secure}/", ca=certificates.authority),
        Target(kind="https", url=f"https://127.0.0.1:{expired}/", ca=certificates.authority),
        Target(kind="http", url="http://no-such-name.invalid/"),
        Target(kind="tcp", url=f"tcp://localhost:{ports['fine']}", family="4"),
        Target(kind="tcp", url=f"tcp://127.0.0.1:{ports['silent']}", timeout=0.5, send="x", expect=Expect(banner="x")),
        Target(kind="tcp", url="tcp://no-such-name.invalid:80"),
    ]

    answer = attempts(http + rest)

    reasons = [attempt.reason for attempt in answer.attempts]
    assert reasons[: len(http)] == list(FAULTS.values())
    assert reasons[len(http) : len(http) + 2] == ["", "tls.expired"]
    assert reasons[-4].startswith("dns.")
    assert reasons[-3:-1] == ["", "http.timeout_headers"]
    assert reasons[-1].startswith("dns.")


def test_blocking_probes_have_the_same_reasons_on_the_hub(faults, certificates, name_server, attempts):
    good, expired = (faults.serve("silent", made) for made in (certificates.good(), certificates.expired()))
    ca, resolver = certificates.authority, name_server.address
    cases = [
        (Target(kind="tls", url=f"tls://127.0.0.1:{good}", ca=ca), ""),
        (Target(kind="tls", url=f"tls://127.0.0.1:{expired}", ca=ca), "tls.expired"),
        (Target(kind="tls", url=f"tls://127.0.0.1:{faults.serve('silent')}", timeout=0.5), "tls.timeout"),
        (Target(kind="dns", url="dns://large.example", resolver=resolver, record="TXT"), ""),
        (Target(kind="dns", url="dns://silent.example", resolver=resolver, timeout=0.5), "dns.timeout"),
        (Target(kind="icmp", url="icmp://127.0.0.1"), "" if may_ping() else "own.permission"),
    ]

    answer = attempts([target for target, _ in cases])

    assert [attempt.reason for attempt in answer.attempts] == [reason for _, reason in cases]


def test_other_greenlets_go_on_while_thousands_of_attempts_run(faults, attempts):
    url = f"http://127.0.0.1:{faults.serve('fine')}/"

    answer = attempts([Target(kind="http", url=url, timeout=60.0)] * 2000)

    assert {attempt.state for attempt in answer.attempts} == {State.UP}
    assert answer.pause < 1.0  # a starved greenlet would not run before all of them have ended


def test_answers_are_judged_beside_the_hub(faults, attempts):
    url = f"http://127.0.0.1:{faults.serve('fine')}/"
    targets = [Target(kind="http", url=url, expect=Expect(regex=regex)) for regex in ("sh.p$", "basket")] * 20

    answer = attempts(targets)

    assert [attempt.reason for attempt in answer.attempts] == ["", "assert.body"] * 20


def test_the_package_does_not_import_gevent():
    code = "import sys, nightowl.adapters.probes, nightowl.cli.probe; sys.exit('gevent' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.redis
@pytest.mark.rabbitmq
def test_canaries_and_mail_servers_have_the_same_reasons_on_the_hub(faults, redis_url, rabbitmq_url, attempts):
    silent = [faults.serve("silent", speaks_first=True) for _ in range(3)]
    cases = [
        (Target(kind="celery", url=redis_url, timeout=1.0), "celery.no_worker"),
        (Target(kind="celery", url=rabbitmq_url), "celery.no_worker"),
        (Target(kind="celery", url=f"redis://127.0.0.1:{silent[0]}", timeout=0.5), "celery.broker"),
        (Target(kind="celery", url=f"amqp://127.0.0.1:{silent[1]}", timeout=0.5), "celery.broker"),
        (Target(kind="smtp", url=f"smtp://127.0.0.1:{silent[2]}", timeout=0.5), "http.timeout_headers"),
    ]

    answer = attempts([target for target, _ in cases])

    assert [attempt.reason for attempt in answer.attempts] == [reason for _, reason in cases]
    assert answer.pause < 1.0
