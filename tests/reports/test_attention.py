"""Attention metrics as rows, and over a sweep of thresholds."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

from crosscut_reports.attention import others, rows
from crosscut_reports.render import figures, write
from crosscut_reports.result import Result

SWEPT = {
    "test/attention_precision": (40.0, 2.0),
    "test/attention_recall": (50.0, 3.0),
    "test/attention_f1": (44.4, 1.0),
    "test/attention_f1_weight_0.1": (41.0, 1.5),
    "test/attention_f1_weight_0.05": (39.0, math.nan),
    "test/attention_f1_iou_0.3": (60.0, 1.0),
    "test/attention_f1_iou_0.3_weight_0.1": (61.0, 1.0),
    "noisy/attention_f1": (20.0, 1.0),
    "noisy/attention_f1_weight_0.1": (19.0, 1.0),
}


def swept(result: Result) -> Result:
    arms = [arm.arm for arm in result.arms[:2]]
    attention = {arms[0]: SWEPT, arms[1]: {**SWEPT, "odd": (1.0, 0.1)}}
    return replace(result, context=replace(result.context, attention=attention))


def test_rows_come_by_split_then_thresholds_those_that_were_set_first() -> None:
    found = [(row.split, row.iou, row.weight, sorted(row.parts)) for row in rows({"a": SWEPT})]
    assert found == [
        ("noisy", None, None, ["f1"]),
        ("noisy", None, 0.1, ["f1"]),
        ("test", None, None, ["f1", "precision", "recall"]),
        ("test", None, 0.05, ["f1"]),
        ("test", None, 0.1, ["f1"]),
        ("test", 0.3, None, ["f1"]),
        ("test", 0.3, 0.1, ["f1"]),
    ]
    assert [row.swept for row in rows({"a": SWEPT})].count(False) == 2


def test_arms_stand_side_by_side_in_their_order_and_other_metrics_are_kept() -> None:
    both = {"b": SWEPT, "a": {**SWEPT, "attention_of_mine": (1.0, 0.1)}}
    assert [row.arm for row in rows(both)][:4] == ["b", "a", "b", "a"]
    assert others(both) == ["attention_of_mine"]
    assert rows({}) == [] and others({}) == []


def test_the_figure_shows_the_weights_of_test_and_the_tables_have_all(rich: Result, tmp_path: Path) -> None:
    result = swept(rich)
    drawn = figures.draw(result)["attention"]
    marks = [dict(element.items()) for element in ElementTree.fromstring(drawn).iter()]
    shown = {(m["data-metric"], m["data-threshold"], m["data-value"]) for m in marks if "data-threshold" in m}
    assert shown == {("f1", "0.1", "41.000 ± 1.500"), ("f1", "0.05", "39.000")}
    write(result, tmp_path)
    page, text = ((tmp_path / f"report.{end}").read_text() for end in ("html", "md"))
    for told in ("61.0 ± 1.0", "19.0 ± 1.0", "40.0 ± 2.0"):
        assert told in page and told in text
    assert ">odd<" in page and "| odd |" in text
    assert "All thresholds" in page and "as set" in text


def test_without_a_sweep_of_weights_it_shows_overlaps_and_without_any_there_is_no_figure(
    rich: Result,
) -> None:
    assert "attention" not in figures.draw(rich)
    plain = {name: spread for name, spread in SWEPT.items() if "weight" not in name}
    attention = {rich.arms[0].arm: plain}
    drawn = figures.draw(replace(rich, context=replace(rich.context, attention=attention)))["attention"]
    assert 'data-threshold="0.3"' in drawn and "overlap above which a region is relevant" in drawn
