"""All benchmarks, one after another: ``python -m benchmarks``, or some: ``python -m benchmarks director``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

AVAILABLE = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))

for name in sys.argv[1:] or AVAILABLE:
    if name not in AVAILABLE:
        raise SystemExit(f"no benchmark is called {name}; there are {', '.join(AVAILABLE)}")
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
