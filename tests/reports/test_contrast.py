"""Which arms a question weighs, and which questions are refused."""

from __future__ import annotations

import pytest

from crosscut_reports.contrast import (
    ContrastError,
    against_arm,
    arm_pairs,
    hypothesis,
    level_effects,
)

BACKBONES, CONSTRAINTS = ("scan", "vse++"), ("none", "ccr", "ccr+ccs")
LEVELS = {
    f"{backbone}/{constraint}": {"backbone": backbone, "constraints": constraint}
    for backbone in BACKBONES
    for constraint in CONSTRAINTS
    # vse++ has no attention to constrain twice.
    if (backbone, constraint) != ("vse++", "ccr+ccs")
}


def test_hypothesis_averages_over_the_cells_that_have_both_levels() -> None:
    found = hypothesis({"constraints": "ccr vs none"}, LEVELS)
    assert found.name == "constraints: ccr vs none"
    assert found.declared
    assert found.weights == {"scan/ccr": 0.5, "scan/none": -0.5, "vse++/ccr": 0.5, "vse++/none": -0.5}
    incomplete = hypothesis({"constraints": "ccr+ccs vs none"}, LEVELS)
    assert incomplete.weights == {"scan/ccr+ccs": 1, "scan/none": -1}


def test_hypothesis_can_keep_to_a_level_in_two_ways() -> None:
    beside = hypothesis({"constraints": "ccr vs none", "backbone": "scan"}, LEVELS)
    within = hypothesis({"constraints": "ccr vs none"}, LEVELS, within={"backbone": "scan"})
    assert beside == within
    assert beside.name == "constraints: ccr vs none at backbone=scan"
    assert beside.weights == {"scan/ccr": 1, "scan/none": -1}


def test_two_differences_ask_for_their_interaction() -> None:
    found = hypothesis({"constraints": "ccr vs none", "backbone": "scan vs vse++"}, LEVELS)
    assert found.name == "constraints: ccr vs none × backbone: scan vs vse++"
    assert found.weights == {"scan/ccr": 1, "scan/none": -1, "vse++/ccr": -1, "vse++/none": 1}


def test_arms_can_be_compared_by_name() -> None:
    found = hypothesis({"arm": "vse++/ccr vs scan/none"}, LEVELS)
    assert found.name == "vse++/ccr vs scan/none"
    assert found.weights == {"vse++/ccr": 1, "scan/none": -1}


def test_arms_of_one_cell_and_level_share_its_weight() -> None:
    levels = {"a1": {"f": "a"}, "a2": {"f": "a"}, "b": {"f": "b"}}
    assert hypothesis({"f": "a vs b"}, levels).weights == {"a1": 0.5, "a2": 0.5, "b": -1}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"constraints": "crc vs none"},
            r"no level 'crc', expected one of none, ccr, ccr\+ccs; did you mean 'ccr'",
        ),
        (
            {"constraint": "ccr vs none"},
            "no factor 'constraint', expected backbone or constraints; did you mean",
        ),
        ({"constraints": "ccr against none"}, "expected 'left vs right'"),
        ({"constraints": "ccr vs ccr"}, "expected two that differ"),
        ({"constraints": "ccr"}, "compares nothing"),
        ({"arm": "scan/none vs scan/cc"}, "no arm 'scan/cc'.*did you mean 'scan/ccr'"),
        (
            {"constraints": "ccr+ccs vs none", "backbone": "vse++"},
            "no arms that are the same otherwise have the levels of",
        ),
    ],
)
def test_questions_that_cannot_be_asked_are_refused_in_one_sentence(
    declared: dict[str, str], message: str
) -> None:
    with pytest.raises(ContrastError, match=message) as caught:
        hypothesis(declared, LEVELS)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_levels_that_hold_the_separator_are_found() -> None:
    levels = {name: {"f": name} for name in ("a vs b", "c", "b vs c", "a")}
    with pytest.raises(ContrastError, match="can be read in 2 ways"):
        hypothesis({"f": "a vs b vs c"}, levels)
    assert hypothesis({"f": "c vs a vs b"}, levels).weights == {"c": 1, "a vs b": -1}


def test_levels_named_alike_in_two_factors_are_told_apart() -> None:
    levels = {f"{x}{y}": {"x": x, "y": y} for x in ("on", "off") for y in ("on", "off")}
    names = [hypothesis({factor: "on vs off"}, levels).name for factor in ("x", "y")]
    assert names == ["x: on vs off", "y: on vs off"]


def test_level_effects_are_the_main_effect_and_one_for_each_cell() -> None:
    found = level_effects(LEVELS, "constraints", "none")
    assert [(c.kind, c.name) for c in found] == [
        ("level", "constraints: ccr vs none"),
        ("simple", "constraints: ccr vs none at backbone=scan"),
        ("simple", "constraints: ccr vs none at backbone=vse++"),
        ("level", "constraints: ccr+ccs vs none"),
    ]
    assert not any(c.declared for c in found)


def test_without_a_baseline_all_levels_and_all_arms_are_paired() -> None:
    main = [c.name for c in level_effects(LEVELS, "constraints", None) if c.kind == "level"]
    assert main == [f"constraints: {pair}" for pair in ("ccr vs none", "ccr+ccs vs none", "ccr+ccs vs ccr")]
    assert len(arm_pairs(LEVELS)) == 10


def test_every_weight_sums_to_zero() -> None:
    contrasts = [
        *against_arm(LEVELS, "scan/none"),
        *arm_pairs(LEVELS),
        *level_effects(LEVELS, "backbone", None),
    ]
    for contrast in contrasts:
        assert sum(contrast.weights.values()) == pytest.approx(0)
