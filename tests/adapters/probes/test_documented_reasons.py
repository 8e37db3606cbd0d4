"""Every reason that the code can give is explained to users, and the other way round."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
CLASSES = "dns|connect|tls|http|redirect|policy|limit|decode|assert|celery|own"
REASON = rf"(?:{CLASSES})\.[a-z0-9_]+"


def test_the_page_and_the_code_know_the_same_reasons():
    elsewhere = [ROOT / "nightowl/cli/probe_output.py", ROOT / "nightowl/core/verdict.py"]
    sources = [*(ROOT / "nightowl/adapters/probes").glob("*.py"), *elsewhere]
    code = {found for source in sources for found in re.findall(rf'"({REASON})"', source.read_text())}
    page = set(re.findall(rf"`({REASON})`", (ROOT / "docs/reasons.md").read_text()))

    assert page - code == {"policy.address", "policy.port"}  # made of the guard's answers
    assert code - page == {"celery.accumulate"}  # which is a task
