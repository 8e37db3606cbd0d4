"""Targets that mean harm: the right reason in time, in little memory, and nothing touched that the guard forbids."""

import _socket
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from urllib.parse import quote

import msgspec
import pytest
from msgspec.structs import replace

from nightowl.core.values import Attempt, Expect, Network, Policy, State, Target
from tests.adapters.probes.hostile_run import Job, Result

RUNNER = Path(__file__).with_name("hostile_run.py")
HERE = Policy(reach="internet", allow=(Network("127.0.0.1/32"),))
"""The internet, and of this machine one address."""
TIMEOUT = 2.0
BRIEF = 0.6
GRACE = 0.5
LEAST = 50
"""Attempts at once."""
GROWTH = 64 << 10
"""KiB that a process may grow: twice what fifty bodies of the greatest size take; a few in full would be more."""
HEAVY = ("half_gigabyte", "endless", "bomb", "endless_headers", "endless_hints")
WANTED = Expect(body="never there")

HTTP = {
    "loris": "http.timeout_headers",
    "loris_in_body": "http.timeout_body",
    "silent": "http.timeout_headers",
    "slow_headers": "http.timeout_headers",
    "slow_body": "http.timeout_body",
    "reset": "http.reset",
    "reset_in_headers": "http.reset",
    "reset_in_body": "http.reset",
    "empty": "http.empty",
    "truncated": "http.truncated",
    "chunks_truncated": "http.truncated",
    "chunks_garbled": "http.malformed",
    "chunk_of_endless_size": "http.malformed",
    "endless_chunk_extension": "http.timeout_body",
    "crumbs": "limit.body",
    "length_too_small": "",
    "length_negative": "http.malformed",
    "two_lengths": "http.malformed",
    "huge_length": "http.malformed",
    "half_gigabyte": "limit.body",
    "endless": "limit.body",
    "endless_headers": "limit.headers",
    "endless_header": "limit.headers",
    "endless_hints": "limit.headers",
    "endless_trailer": "limit.headers",
    "bomb": "limit.decompressed",
    "bomb_in_bomb": "",  # not what can be decompressed, so nothing is
    "gzip_truncated": "decode.gzip",
    "redirect_loop": "redirect.loop",
    "redirect_far": "redirect.limit",
    "redirect_to_file": "redirect.scheme",
    "fine": "",
}
H2C = {
    "http2_goaway": "http.http2",
    "http2_reset": "http.http2",
    "http2_garbage": "http.http2",
    "http2_pings": "http.timeout_headers",
}
CERTIFICATES = {
    "good": "",
    "expired": "tls.expired",
    "early": "tls.not_yet_valid",
    "stranger": "tls.untrusted",
    "self_signed": "tls.untrusted",
    "chain_incomplete": "tls.untrusted",
    "misnamed": "tls.hostname",
    "named_in_subject_only": "tls.hostname",
    "demanding": "tls.client_cert",
    "old": "tls.version",
    "weak": "tls.handshake",
}
HANDSHAKES = {
    "silent": "tls.timeout",
    "half_handshake": "tls.timeout",
    "dripping_handshake": "tls.timeout",
    "endless_handshake": "tls.handshake",
    "garbage": "tls.handshake",
    "plain_http": "tls.handshake",
    "empty": "tls.reset",
    "reset_in_handshake": "tls.reset",
}
METADATA = [
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[fd00:ec2::254]/",
    "http://user@169.254.169.254:80/",
]


@pytest.fixture
def forbidden() -> Iterator[list[str]]:
    """A listener where nobody may come; ``visits``, and its address at the end."""
    visits: list[str] = []
    listener = socket.create_server(("127.0.0.66", 0), backlog=256)

    def accept() -> None:
        try:
            while True:
                peer, address = listener.accept()
                peer.close()
                visits.append(str(address))
        except OSError:
            pass

    thread = threading.Thread(target=accept)
    thread.start()
    yield [f"127.0.0.66:{listener.getsockname()[1]}"]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    assert visits == []


@pytest.fixture
def hostile(faults, certificates, forbidden):
    """Every hostile target, as a job and the reason that is right."""

    def job(kind, port, path="/", **fields):
        url = f"{kind}://127.0.0.1:{port}{path}"
        return Job(Target(kind=kind, url=url, timeout=TIMEOUT, ca=certificates.authority, **fields), HERE)

    found = {f"http {name}": (job("http", faults.serve(name)), reason) for name, reason in HTTP.items()}
    for name, reason in H2C.items():
        found[f"h2c {name}"] = job("http", faults.serve(name), http_version="h2c"), reason
    for name, reason in CERTIFICATES.items():
        found[f"certificate {name}"] = job("https", faults.serve("fine", getattr(certificates, name)())), reason
    for name, reason in HANDSHAKES.items():
        found[f"handshake {name}"] = job("https", faults.serve(name, speaks_first=True)), reason
    redirecting = faults.serve("redirect_as_asked")
    for url in [*METADATA, f"http://{forbidden[0]}/", f"http://0x7f000042:{forbidden[0].partition(':')[2]}/"]:
        path = f"/?to={quote(url, safe='')}" if "?" in url else f"/?to={url}"
        found[f"redirect to {url}"] = job("http", redirecting, path), "policy.address"
    url = f"tcp://{forbidden[0]}"
    found["tcp forbidden"] = Job(Target(kind="tcp", url=url, timeout=TIMEOUT), HERE), "policy.address"
    return found


def run(engine, jobs):
    ran = subprocess.run(
        [sys.executable, RUNNER, engine], input=msgspec.json.encode(jobs), capture_output=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return msgspec.json.decode(ran.stdout, type=Result)


@pytest.mark.parametrize("engine", ["thread", "gevent"])
def test_all_hostile_targets_at_once_are_told_in_time_and_in_little_memory(engine, hostile):
    assert len(hostile) >= LEAST
    result = run(engine, [job for job, _ in hostile.values()])

    found = {name: attempt.reason for name, attempt in zip(hostile, result.attempts, strict=True)}
    assert found == {name: reason for name, (_, reason) in hostile.items()}
    assert result.grown < GROWTH
    late = sorted(seconds for seconds in result.seconds if seconds > TIMEOUT + GRACE)
    if late:  # a loaded machine, or ours: alone they tell
        slow = [job for job, reason in hostile.values() if "timeout" in reason]
        assert max(run(engine, slow).seconds) < TIMEOUT + GRACE, late


def test_each_hostile_target_alone_is_told_in_time(hostile, engine):
    for name, (job, reason) in hostile.items():
        target = replace(job.target, timeout=BRIEF)
        for last in (False, True):  # once more where this machine was slow
            attempt, seconds = alone(engine, target, job.policy)
            assert (name, attempt.reason) == (name, reason)
            if seconds < BRIEF + GRACE:
                break
            assert not last, (name, seconds)


def alone(engine, target, policy):
    ended: SimpleQueue[Attempt] = SimpleQueue()
    began = monotonic()
    engine.submit(target, policy, target.timeout, ended.put)
    return ended.get(timeout=30), monotonic() - began


@pytest.mark.parametrize("engine", ["thread", "gevent"])
def test_fifty_of_the_heaviest_at_once_take_little_memory(engine, hostile):
    heavy = {name: hostile[f"http {name}"] for name in HEAVY}
    jobs = [(replace_target(job, timeout=20.0, expect=WANTED), reason) for job, reason in heavy.values()] * 10

    result = run(engine, [job for job, _ in jobs])

    assert [attempt.reason for attempt in result.attempts] == [reason for _, reason in jobs]
    assert result.grown < GROWTH


def replace_target(job, **fields):
    return Job(replace(job.target, **fields), job.policy)


@pytest.fixture
def fickle(monkeypatch, forbidden):
    """A resolver that answers ``turns.example`` with the next of these addresses each time; which it gave."""
    given: list[str] = []
    turns = cycle([["127.0.0.1"], ["127.0.0.66"], ["127.0.0.66", "127.0.0.1"], ["169.254.169.254"], ["::ffff:7f00:42"]])

    def getaddrinfo(host, port, *_rest):
        found = next(turns) if host == "turns.example" else [host]
        given.extend(found)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in each], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port)) for each in found]

    monkeypatch.setattr(_socket, "getaddrinfo", getaddrinfo)
    return given


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_name_that_changes_its_address_leads_nowhere_else(kind, engine, fickle, forbidden):
    port = int(forbidden[0].partition(":")[2])
    with socket.create_server(("127.0.0.1", port), backlog=64):
        target = Target(kind=kind, url=f"{kind}://turns.example:{port}", timeout=BRIEF, expect=Expect(banner="x"))
        found = [alone(engine, target, HERE)[0] for _ in range(10)]

    assert len(fickle) >= len(found)
    allowed = [attempt for attempt in found if not attempt.reason.startswith("policy.")]
    assert {attempt.address for attempt in allowed} == {"127.0.0.1"}
    assert {attempt.reason for attempt in found} - {"http.timeout_headers"} == {"policy.address"}
    assert all(attempt.state is State.DOWN for attempt in found)


def test_a_name_that_changes_its_address_between_redirects_leads_nowhere_else(engine, faults, fickle, forbidden):
    port = int(forbidden[0].partition(":")[2])
    final = faults.serve("redirect_as_asked")
    url = f"http://turns.example:{final}/?to=http://turns.example:{port}/"

    attempt, _ = alone(engine, Target(kind="http", url=url, timeout=5.0), HERE)

    assert fickle == ["127.0.0.1", "127.0.0.66"]
    assert (attempt.reason, attempt.address) == ("policy.address", "127.0.0.66")


def test_the_listener_that_must_not_be_visited_would_notice():
    with socket.create_server(("127.0.0.66", 0)) as listener:
        address = f"127.0.0.66:{listener.getsockname()[1]}"
        job = Job(Target(kind="tcp", url=f"tcp://{address}", timeout=TIMEOUT), Policy(reach="any"))
        assert run("thread", [job]).attempts[0].state is State.UP
