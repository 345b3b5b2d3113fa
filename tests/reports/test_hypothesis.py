"""Which contrasts a declared hypothesis stands for, in each of its forms, and which forms are refused."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from crosscut_reports.contrast import ContrastError
from crosscut_reports.hypothesis import Hypothesis, contrasts, name_of

BACKBONES, CONSTRAINTS = ("scan", "vse++"), ("none", "ccr", "ccr+ccs")
LEVELS = {
    f"{backbone}, {constraint}": {"backbone": backbone, "constraints": constraint}
    for backbone in BACKBONES
    for constraint in CONSTRAINTS
    if (backbone, constraint) != ("vse++", "ccr+ccs")
}


def named(declared: Any) -> dict[str, dict[str, float]]:
    return {one.name: dict(one.weights) for one in contrasts([declared], LEVELS)}


def test_the_short_form_is_one_contrast_on_the_primary_metric() -> None:
    (found,) = contrasts([{"constraints": "ccr vs none"}], LEVELS)
    assert found.name == "constraints: ccr vs none"
    assert found.declared and found.metrics == () and found.family is None
    assert found.weights == {"scan, ccr": 0.5, "scan, none": -0.5, "vse++, ccr": 0.5, "vse++, none": -0.5}


def test_the_long_form_names_it_and_its_metrics_and_its_family() -> None:
    declared = {
        "compare": {"constraints": "ccr vs none", "backbone": "scan vs vse++"},
        "name": "does ccr need attention",
        "metrics": ["test/i2t_r1", "test/t2i_r1"],
        "family": "secondary",
    }
    (found,) = contrasts([declared], LEVELS)
    assert (found.name, found.metrics, found.family) == (
        "does ccr need attention",
        ("test/i2t_r1", "test/t2i_r1"),
        "secondary",
    )
    assert found.weights == {"scan, ccr": 1, "scan, none": -1, "vse++, ccr": -1, "vse++, none": 1}


def test_all_pairs_have_the_later_level_on_the_left() -> None:
    found = named({"constraints": "all pairs"})
    pairs = [f"constraints: {b} vs {a}" for a, b in combinations(CONSTRAINTS, 2)]
    assert list(found) == pairs
    assert found["constraints: ccr+ccs vs ccr"] == {"scan, ccr+ccs": 1, "scan, ccr": -1}


def test_each_against_one_leaves_that_one_out() -> None:
    assert list(named({"constraints": "each vs ccr"})) == [
        "constraints: none vs ccr",
        "constraints: ccr+ccs vs ccr",
    ]


def test_several_may_keep_to_a_level_where_pairs_that_never_meet_are_left_out() -> None:
    found = named({"constraints": "all pairs", "backbone": "vse++"})
    assert found == {
        "constraints: ccr vs none at backbone=vse++": {"vse++, ccr": 1, "vse++, none": -1},
    }


def test_arms_are_compared_by_name_in_pairs_or_with_one() -> None:
    assert len(named({"arm": "all pairs"})) == 10
    found = named({"arm": "each vs scan, none"})
    assert list(found) == [f"{arm} vs scan, none" for arm in LEVELS if arm != "scan, none"]
    assert found["vse++, ccr vs scan, none"] == {"vse++, ccr": 1, "scan, none": -1}


def test_a_name_stands_before_each_of_several() -> None:
    found = named({"compare": {"constraints": "each vs none"}, "name": "q"})
    assert list(found) == ["q: constraints: ccr vs none", "q: constraints: ccr+ccs vs none"]


def test_weights_are_taken_as_they_are() -> None:
    weights = {"scan, ccr+ccs": 1, "scan, ccr": -0.5, "scan, none": -0.5, "vse++, none": 0}
    (found,) = contrasts([{"weights": weights, "name": "both against either"}], LEVELS)
    assert found.name == "both against either" and found.kind == "hypothesis" and found.declared
    assert found.weights == {"scan, none": -0.5, "scan, ccr": -0.5, "scan, ccr+ccs": 1}


def test_a_level_of_that_very_name_is_meant_where_there_is_one() -> None:
    levels = {a: {"pairs": a} for a in ("all pairs", "each", "some")}
    (found,) = contrasts([{"pairs": "each vs some"}], levels)
    assert found.weights == {"each": 1, "some": -1}
    with pytest.raises(ContrastError, match="this compares nothing"):
        contrasts([{"pairs": "all pairs"}], levels)


@pytest.mark.parametrize(
    "declared",
    [
        {"constraints": "ccr vs none"},
        {"compare": {"constraints": "all pairs"}, "family": "f"},
        {"compare": {"constraints": "ccr vs none"}, "name": "n", "metrics": ["a", "b"]},
        {"weights": {"scan, ccr": 1.0, "scan, none": -1.0}, "name": "n", "family": "f"},
    ],
)
def test_its_plain_form_is_read_back(declared: dict[str, Any]) -> None:
    parsed = Hypothesis.parse(declared)
    assert parsed.plain() == declared
    assert Hypothesis.parse(parsed.plain()) == parsed == Hypothesis.parse(parsed)


def test_what_it_is_called() -> None:
    assert (
        name_of({"constraints": "ccr vs none", "backbone": "scan"})
        == "constraints: ccr vs none, backbone: scan"
    )
    assert name_of({"compare": {"constraints": "all pairs"}, "name": "n"}) == "n"


@pytest.mark.parametrize(
    ("declared", "keys", "message"),
    [
        ("ccr vs none", (), "found 'ccr vs none', expected factors with two of their levels"),
        (None, (), "found nothing, expected factors"),
        ({}, (), "expected factors"),
        ({"constraints": 3}, ("constraints",), "found 3, expected factors"),
        ({"constraints": " "}, ("constraints",), "expected factors"),
        ({"compare": {}}, ("compare",), "found an empty mapping"),
        ({"compare": {"a": "b vs c"}, "metric": "m"}, ("metric",), "unknown key.*did you mean 'metrics'"),
        ({"compare": {"a": "b vs c"}, "weights": {"a": 1}}, (), "found both compare and weights"),
        ({"weights": {"a": 1, "b": -1}}, ("name",), "weights of arms need a name"),
        ({"weights": {"a": 1, "b": -0.9}, "name": "n"}, ("weights",), r"found a sum of 0\.1"),
        ({"weights": {"a": 0, "b": 0}, "name": "n"}, ("weights",), "not all 0"),
        ({"weights": {"a": "x", "b": 0}, "name": "n"}, ("weights", "a"), "found 'x', expected a number"),
        ({"weights": {"a": float("nan"), "b": 0}, "name": "n"}, ("weights", "a"), "expected a number"),
        ({"weights": {"a": True, "b": -1}, "name": "n"}, ("weights", "a"), "expected a number"),
        ({"compare": {"a": "b vs c"}, "name": ""}, ("name",), "expected a text"),
        ({"compare": {"a": "b vs c"}, "metrics": []}, ("metrics",), r"expected metrics, such as \[test/rsum"),
        ({"compare": {"a": "b vs c"}, "family": 3}, ("family",), "found 3, expected a text"),
    ],
)
def test_other_forms_are_refused_at_their_place(declared: Any, keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(ContrastError, match=message) as caught:
        Hypothesis.parse(declared)
    assert caught.value.keys == keys
    assert str(caught.value).startswith(".".join(("hypotheses", *keys)) + ": ")


@pytest.mark.parametrize(
    ("declared", "keys", "message"),
    [
        (
            {"constraint": "all pairs"},
            ("constraint",),
            "there is no factor 'constraint', expected backbone or",
        ),
        ({"constraints": "each vs nnoe"}, ("constraints",), "no level 'nnoe'.*did you mean 'none'"),
        ({"constraints": "all pair"}, ("constraints",), "found 'all pair', expected 'left vs right'"),
        ({"arm": "each vs scan, non"}, ("arm",), "there is no arm 'scan, non'.*did you mean 'scan, none'"),
        (
            {"weights": {"scan, non": 1, "scan, ccr": -1}, "name": "n"},
            ("weights",),
            "no arm 'scan, non'.*mean",
        ),
        (
            {"constraints": "each vs ccr+ccs", "backbone": "vse++"},
            ("constraints",),
            "no arms that are the same otherwise",
        ),
    ],
)
def test_what_these_arms_cannot_answer_is_refused(declared: Any, keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(ContrastError, match=message) as caught:
        contrasts([declared], LEVELS)
    assert caught.value.keys == keys


def test_one_level_has_no_pairs() -> None:
    with pytest.raises(ContrastError, match="expected two levels or more"):
        contrasts([{"f": "all pairs"}], {"a": {"f": "a", "g": "x"}, "b": {"f": "a", "g": "y"}})
