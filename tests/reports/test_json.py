"""`report.json` as data: the contract of its keys, and its strictness."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from crosscut_reports.render.json import as_data, render
from crosscut_reports.result import Result

CONTRACT = {
    "design": ["configs", "seeds", "queries", "clusters", "factors", "balanced", "scope"],
    "contrasts": [
        "name", "metric", "scope", "declared", "estimate", "se", "df", "statistic", "p", "p_adjusted", "ci",
        "verdict", "wins", "ties", "losses", "sd_seed", "sd_query", "sd_residual", "seeds_to_decide",
    ],
    "factors": ["factor", "metric", "scope", "F", "df1", "df2", "p", "p_adjusted"],
    "arms": ["arm", "metric", "mean", "ci", "seeds", "trials"],
    "guards": ["guard", "severity", "message"],
}  # fmt: skip


def parsed(result: Result) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    data: dict[str, Any] = json.loads(render(result), parse_constant=refuse)
    return data


def test_the_contract_comes_first_and_in_its_order(rich: Result) -> None:
    data = parsed(rich)
    assert list(data)[: len(CONTRACT)] == list(CONTRACT)
    for key, keys in CONTRACT.items():
        for row in data[key] if isinstance(data[key], list) else [data[key]]:
            assert list(row)[: len(keys)] == keys


def test_counts_are_integers_and_factors_hold_their_levels(rich: Result, seeds_only: Result) -> None:
    design = parsed(rich)["design"]
    assert [design[key] for key in ("configs", "seeds", "queries", "clusters")] == [6, 5, 6000, 1000]
    assert design["factors"] == {"backbone": ["scan-t2i", "sgraf"], "constraints": ["none", "ccr", "ccr+ccs"]}
    assert design["balanced"] is True
    assert parsed(seeds_only)["design"]["queries"] is None


def test_figures_are_there_at_full_precision(rich: Result) -> None:
    for row, contrast in zip(parsed(rich)["contrasts"], rich.contrasts, strict=True):
        assert row["estimate"] == contrast.estimate
        assert contrast.ci is not None
        assert row["ci"] == list(contrast.ci)
        assert row["p"] == contrast.p
        assert row["weights"] == dict(contrast.weights)


def test_tuning_failures_attention_and_provenance_are_there(rich: Result) -> None:
    data = parsed(rich)
    assert data["tuning"][1]["values"] == {"constraints.ccr.weight": 1.31623, "local": True}
    assert data["failures"][0]["reason"] == "the loss was NaN at step 212"
    assert data["attention"]["scan-t2i, none"]["test/attention_f1"] == {"mean": 0.412, "sd": 0.011}
    assert data["provenance"] == dict(rich.context.provenance)
    assert (data["planned"], data["recorded"]) == (31, 30)


def test_a_nan_is_refused_with_its_place(rich: Result) -> None:
    broken = replace(rich, contrasts=(replace(rich.contrasts[0], p=math.nan),))
    with pytest.raises(
        ValueError, match=r"report\.json\.contrasts\[0\]\.p: expected a number or null, found NaN"
    ):
        as_data(broken)


def test_a_missing_seed_and_an_open_bound_are_null(rich: Result) -> None:
    arm = replace(rich.arms[0], values=(1.0, math.nan), ci=(-math.inf, 2.0))
    row = parsed(replace(rich, arms=(arm,)))["arms"][0]
    assert row["values"] == [1.0, None]
    assert row["ci"] == [None, 2.0]
