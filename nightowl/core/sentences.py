"""Sentences for people: what a verdict says, why, and seen from where."""

from __future__ import annotations

from datetime import UTC, datetime

from nightowl.core.values import State, Verdict

CAUSES = {
    "dns.nxdomain": "the name does not exist",
    "dns.servfail": "the name server failed",
    "dns.timeout": "the name look-up timed out",
    "dns.nodata": "the name has no address",
    "dns.malformed": "the name cannot be looked up",
    "connect.refused": "connection refused",
    "connect.timeout": "no answer to the connection",
    "connect.reset": "connection reset",
    "connect.unreachable": "address unreachable",
    "tls.expired": "TLS certificate expired",
    "tls.not_yet_valid": "TLS certificate not yet valid",
    "tls.untrusted": "TLS certificate not trusted",
    "tls.hostname": "TLS certificate is for another name",
    "tls.version": "no common TLS version",
    "tls.handshake": "TLS handshake failed",
    "tls.timeout": "TLS handshake timed out",
    "tls.client_cert": "client certificate refused",
    "tls.reset": "connection reset during the TLS handshake",
    "http.timeout_headers": "no answer in time",
    "http.timeout_body": "the answer did not end in time",
    "http.empty": "empty answer",
    "http.reset": "connection reset during the answer",
    "http.truncated": "the answer was cut short",
    "http.malformed": "the answer is not HTTP",
    "http.status": "unexpected status",
    "http.http2": "HTTP/2 error",
    "redirect.loop": "redirects in a circle",
    "redirect.limit": "too many redirects",
    "redirect.scheme": "redirected to a forbidden scheme",
    "redirect.no_location": "redirect without a target",
    "policy.address": "the address is not allowed from this location",
    "policy.port": "the port is not allowed from this location",
    "policy.scheme": "the scheme is not allowed",
    "limit.body": "the answer is too large",
    "limit.headers": "the headers are too large",
    "limit.decompressed": "the answer is too large when decompressed",
    "decode.gzip": "the compressed answer is broken",
    "decode.json": "the answer is not JSON",
    "decode.charset": "the answer is not in its charset",
    "assert.status": "unexpected status",
    "assert.body": "the answer does not have the expected text",
    "assert.json": "the answer's JSON is not as expected",
    "assert.header": "a header is not as expected",
    "assert.latency": "slower than expected",
    "assert.tls_expiry": "TLS certificate expires soon",
    "heartbeat.late": "the job did not call in time",
    "heartbeat.unfinished": "the job started and did not end in time",
    "heartbeat.failed": "the job said that it failed",
    "heartbeat.exit": "the job ended with an error",
    "task.late": "the task did not start in time",
    "task.unfinished": "the task started and did not end in time",
    "task.failed": "the task failed",
    "task.unheard": "not all events of the cluster were heard",
    "own.offline": "the location was offline",
}


def cause(reason: str, detail: str) -> str:
    """Say why: the attempt's own detail where it gave one, else the words of the reason class."""
    return detail or CAUSES.get(reason, reason)


def seen_from(verdict: Verdict) -> str:
    """Say how many of the locations asked agree with the verdict: ``seen from 2 of 3 locations``."""
    asked = len(verdict.places)
    if verdict.state is State.UNKNOWN:
        voted = sum(place.voted for place in verdict.places)
        return f"{voted} of {asked} locations answered"
    bad = (State.DOWN,) if verdict.state is State.DOWN else (State.DOWN, State.DEGRADED)
    wanted = (State.UP,) if verdict.state is State.UP else bad
    agreeing = sum(place.voted and place.state in wanted for place in verdict.places)
    return f"seen from {agreeing} of {asked} location{'' if asked == 1 else 's'}"


def verdict_sentence(verdict: Verdict) -> str:
    """Return for example ``down: TLS certificate expired, seen from 3 of 3 locations``."""
    why = cause(verdict.reason, verdict.detail) if verdict.state is not State.UP else ""
    said = f"{verdict.state}: {why}" if why else f"{verdict.state}"
    return f"{said}, {seen_from(verdict)}" if verdict.places else said


def moment(when: float) -> str:
    """Unix seconds as date and time: ``2026-11-20 18:55:07 UTC``."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
