"""A check as a command that anybody can run; secrets masked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from nightowl.core.values import Target
from nightowl.web.masking import MASK, mask, mask_url

_VERSIONS = {"1.0": "--http1.0", "1.1": "--http1.1", "2": "--http2", "h2c": "--http2-prior-knowledge"}


def command(target: Target, auth: Mapping[str, Any]) -> str:
    """An http or https target as a curl command; empty for other kinds. Of ``auth`` only the kind is told."""
    if target.kind not in ("http", "https"):
        return ""
    words = ["curl", "--verbose", "--max-time", f"{target.timeout:g}", *_http(target, auth)]
    if target.family != "any":
        words.append(f"-{target.family}")
    if not target.verify:
        words.append("--insecure")
    return shlex.join([*words, mask_url(target.url)])


def _http(target: Target, auth: Mapping[str, Any]) -> list[str]:
    words = ["--request", target.method] if target.method != "GET" else []
    words += [_VERSIONS[target.http_version]] if target.http_version else []
    words += ["--location", "--max-redirs", str(target.redirects)] if target.redirects else []
    words += ["--user-agent", target.user_agent] if target.user_agent else []
    words += ["--user", MASK] if "basic" in auth else []
    words += ["--header", f"Authorization: Bearer {MASK}"] if "bearer" in auth else []
    for name, value in mask(target.headers).items():
        words += ["--header", f"{name}: {value}"]
    return words + (["--data", target.body] if target.body else [])
