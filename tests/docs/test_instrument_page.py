"""What the guide to the instrument shows works."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from nightowl_instrument import checkpoint

PAGE = (Path(__file__).parents[2] / "docs" / "instrument.md").read_text()


def test_the_worked_example_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (code,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    keep = f'keep="file://{tmp_path}"'
    code = code.replace("lasts=300)", f"lasts=300, {keep})").replace(
        'checkpoint("export-orders")', f'checkpoint("export-orders", {keep})'
    )
    (tmp_path / "example.py").write_text(code)
    with checkpoint("export-orders", keep=f"file://{tmp_path}") as place:
        place.save(40)
        kept = (tmp_path / "export-orders.json").read_text()
    (tmp_path / "export-orders.json").write_text(kept)  # as if that job had been killed
    example = runpy.run_path(str(tmp_path / "example.py"))
    assert example["export_orders"]() == 60
    assert example["exported"] == list(range(41, 101))
    assert not (tmp_path / "export-orders.json").exists()
