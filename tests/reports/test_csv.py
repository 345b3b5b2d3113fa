"""The CSV tables of a report."""

from __future__ import annotations

import csv
import io

from crosscut_reports.render.csv import arms, contrasts
from crosscut_reports.result import Result


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_for_every_contrast_at_full_precision(rich: Result) -> None:
    table = rows(contrasts(rich))
    assert len(table) == len(rich.contrasts)
    for row, contrast in zip(table, rich.contrasts, strict=True):
        assert contrast.ci is not None
        assert row["name"] == contrast.name
        assert float(row["estimate"]) == contrast.estimate
        assert (float(row["ci_low"]), float(row["ci_high"])) == contrast.ci
        assert row["declared"] == str(contrast.declared).lower()
        assert row["verdict"] == contrast.verdict


def test_an_empty_cell_where_there_is_no_figure(seeds_only: Result) -> None:
    row = rows(contrasts(seeds_only))[0]
    assert row["sd_query"] == row["clusters"] == row["seeds_to_decide"] == ""
    assert rows(arms(seeds_only))[0]["trials"] == ""


def test_a_row_for_every_arm_and_metric_with_its_levels(rich: Result) -> None:
    table = rows(arms(rich))
    assert len(table) == len(rich.arms)
    for row, arm in zip(table, rich.arms, strict=True):
        assert (row["arm"], row["metric"], float(row["mean"])) == (arm.arm, arm.metric, arm.mean)
        assert {key: row[f"factor:{key}"] for key in arm.levels} == dict(arm.levels)


def test_names_with_commas_quotes_and_marks_come_back_whole(hostile: Result) -> None:
    assert [row["name"] for row in rows(contrasts(hostile))] == [c.name for c in hostile.contrasts]
    assert [row["arm"] for row in rows(arms(hostile))] == [arm.arm for arm in hostile.arms]
