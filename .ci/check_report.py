"""Checks the quickstart's report: complete, strict, and the same in page, table and JSON."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

folder = Path(sys.argv[1])


def refuse(text: str) -> None:
    raise ValueError(f"report.json holds {text}")


report = json.loads((folder / "report.json").read_text(), parse_constant=refuse)
assert list(report)[:5] == ["design", "contrasts", "factors", "arms", "guards"], list(report)
design = report["design"]
assert (design["configs"], design["seeds"], design["balanced"]) == (7, 5, True), design
assert design["scope"] == "seeds-and-queries", design
declared = [contrast for contrast in report["contrasts"] if contrast["declared"]]
assert len(declared) == 3, [contrast["name"] for contrast in declared]
for contrast in declared:
    assert contrast["metric"] == "test/rsum" and 0 < contrast["p"] <= contrast["p_adjusted"] <= 1, contrast
    assert contrast["ci"][0] < contrast["estimate"] < contrast["ci"][1], contrast
    assert contrast["verdict"] in {"better", "worse", "equivalent", "undecided"}, contrast
arms = [arm for arm in report["arms"] if arm["metric"] == "test/rsum"]
assert len(arms) == 7 and all(arm["trials"] == 6 and arm["seeds"] == 5 for arm in arms), arms
chance, ceiling = 10.6, 473.0
assert all(chance < arm["mean"] < ceiling for arm in arms), arms
assert not [guard for guard in report["guards"] if guard["severity"] == "error"], report["guards"]

with (folder / "contrasts.csv").open() as file:
    rows = {(row["name"], row["metric"], row["scope"]): row for row in csv.DictReader(file)}
for contrast in report["contrasts"]:
    row = rows[contrast["name"], contrast["metric"], contrast["scope"]]
    assert math.isclose(float(row["estimate"]), contrast["estimate"], rel_tol=1e-9), (row, contrast)
page = (folder / "report.html").read_text()
for contrast in declared:
    assert contrast["name"].replace("+", "+") in page, contrast["name"]
assert "<script src" not in page and "<link" not in page
print(
    f"the report of {len(arms)} arms, {design['seeds']} seeds and {len(report['contrasts'])} contrasts is sound"
)
