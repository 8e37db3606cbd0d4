"""Looking names up: a resolver that stalls delays its own names only, and its errors have their reasons."""

import _socket
import socket
import threading

import pytest

from nightowl.adapters.probes import loop_thread, thread_engine
from nightowl.adapters.probes.built_in import BUILT_IN
from nightowl.core.values import Policy, State, Target

ANYWHERE = Policy(reach="any")


@pytest.fixture
def resolver(monkeypatch):
    """A resolver that answers as a name says: ``stalled...``, an error's number, or else loopback."""
    released = threading.Event()
    asked = []

    def getaddrinfo(host, port, family=0, kind=0, protocol=0, flags=0):
        asked.append(host)
        word = host.partition(".")[0]
        if word.startswith("stalled"):
            released.wait(30)
        if word.startswith("error"):
            raise socket.gaierror(-int(word[5:]), "as asked")
        return [(socket.AF_INET, kind, protocol, "", ("127.0.0.1", port))]

    monkeypatch.setattr(_socket, "getaddrinfo", getaddrinfo)
    yield asked
    released.set()


@pytest.fixture
def run(resolver):
    """Run attempts at URLs at once; their results by URL."""
    engine = thread_engine(BUILT_IN)
    engine.start()

    def run(urls, timeout=5.0):
        results, all_ended = [], threading.Event()

        def keep(url):
            def ended(attempt):
                results.append((url, attempt))
                if len(results) == len(urls):
                    all_ended.set()

            return ended

        for url in urls:
            target = Target(kind=url.partition(":")[0], url=url)
            engine.submit(target, ANYWHERE, 1.0 if "stalled" in url else timeout, keep(url))
        assert all_ended.wait(30)
        return results

    yield run
    engine.stop()


@pytest.mark.parametrize(
    "name", ["shop.example", "Shop.EXAMPLE", "shop.example.", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"]
)
def test_a_name_is_looked_up_and_its_time_counts(name, run, faults):
    [(_, attempt)] = run([f"http://{name}:{faults.serve('fine')}/"])

    assert (attempt.state, attempt.address) == (State.UP, "127.0.0.1")
    assert attempt.phases.dns > 0
    assert b"Host: " in faults.requests[0]


def test_stalled_names_do_not_hold_up_the_others(run, faults):
    port = faults.serve("fine")
    stalled = [f"{kind}://stalled{number}.example:{port}/" for number in range(20) for kind in ("http", "tcp")]

    results = run([*stalled, f"http://shop.example:{port}/", f"tcp://shop.example:{port}"])

    assert {attempt.reason for url, attempt in results if "stalled" in url} <= {"dns.timeout", "own.busy"}
    assert {attempt.state for url, attempt in results if "shop" in url} == {State.UP}


def test_a_look_up_under_way_is_shared(run, resolver):
    run(["http://stalled.example/"] * 20)

    assert resolver == ["stalled.example"]


def test_a_look_up_that_never_began_says_nothing_of_the_target(resolver, monkeypatch, request):
    monkeypatch.setattr(loop_thread, "LOOKUPS", 1)
    run = request.getfixturevalue("run")

    results = run(["http://stalled1.example/", "http://stalled2.example/"])

    assert sorted((attempt.reason, attempt.state) for _, attempt in results) == [
        ("dns.timeout", State.DOWN),
        ("own.busy", State.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (-socket.EAI_NONAME, "dns.nxdomain"),
        (-socket.EAI_NODATA, "dns.nodata"),
        (-socket.EAI_AGAIN, "dns.servfail"),
        (-socket.EAI_FAIL, "dns.servfail"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_an_error_of_the_resolver_has_its_reason(kind, number, reason, run):
    [(_, attempt)] = run([f"{kind}://error{number}.example:80"])

    assert (attempt.reason, attempt.state) == (reason, State.DOWN)
    assert attempt.phases.dns > 0
    assert attempt.phases.connect is None


def test_a_redirect_to_a_name_looks_it_up(run, faults):
    final = faults.serve("fine")

    [(_, attempt)] = run([f"http://127.0.0.1:{faults.serve('redirect_as_asked')}/?to=http://shop.example:{final}/"])

    assert attempt.state is State.UP
