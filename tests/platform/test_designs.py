from itertools import product

import pytest

from crosscut.arms.designs import DESIGNS
from crosscut.errors import ProblemsError
from crosscut.sweepfile.design import DesignSection

FACTORS = {"backbone": ("scan", "bfan", "vse"), "ccr": ("off", "on"), "ccs": ("none", "ccs")}
CENTRE = {"backbone": "bfan", "ccr": "off", "ccs": "none"}
ARMS = [{"backbone": "vse", "ccr": "on"}, {"backbone": "bfan"}, {"ccs": "ccs"}]

FULL = {"backbone": "bfan", "ccr": "on", "ccs": "ccs"}
"""What the designs are laid around where all of them are held to the same."""


def lay_out(kind, factors=FACTORS, **keys):
    return DesignSection.model_validate({"kind": kind, **keys}).lay_out(factors)


def conforming(kind, **keys):
    arms = (
        {"arms": [FULL, {"ccs": "none"}, {"ccr": "off"}, {"backbone": "vse"}]} if kind == "explicit" else {}
    )
    return lay_out(kind, baseline=FULL, **arms, **keys)


@pytest.fixture(params=list(DESIGNS))
def kind(request):
    return request.param


class TestEveryDesign:
    def test_has_every_arm_once(self, kind):
        cells = [tuple(cell.items()) for cell in conforming(kind).cells]

        assert len(set(cells)) == len(cells) >= 2

    def test_gives_every_arm_a_level_for_every_factor_in_their_order(self, kind):
        for cell in conforming(kind).cells:
            assert list(cell) == list(FACTORS)
            assert all(cell[factor] in levels for factor, levels in FACTORS.items())

    def test_is_the_same_every_time(self, kind):
        assert conforming(kind) == conforming(kind)

    def test_has_its_baseline_among_the_arms(self, kind):
        layout = conforming(kind)

        assert layout.baseline == FULL
        assert layout.baseline in layout.cells

    def test_leaves_out_what_is_excluded_and_nothing_else(self, kind):
        rule = {"ccs": "none"}
        every, some = conforming(kind).cells, conforming(kind, exclude=[rule]).cells

        assert some == tuple(cell for cell in every if cell["ccs"] != "none")
        assert len(some) < len(every)

    def test_refuses_a_rule_that_excludes_its_baseline(self, kind):
        with pytest.raises(
            ProblemsError, match=r"exclude\.0: this removes the baseline \(backbone: bfan, ccr: on"
        ):
            conforming(kind, exclude=[{"backbone": "bfan"}])

    def test_refuses_names_that_do_not_exist(self, kind):
        with pytest.raises(ProblemsError) as caught:
            conforming(kind, exclude=[{"backbon": "vse"}, {"backbone": ["vse", "scna"]}])

        assert [problem.sentence("") for problem in caught.value.problems] == [
            "exclude.0.backbon: there is no factor 'backbon', expected one of backbone, ccr, "
            "ccs; did you mean "
            "'backbone'?",
            "exclude.1.backbone: the factor backbone has no level 'scna', expected one of "
            "scan, bfan, vse; did you "
            "mean 'scan'?",
        ]

    def test_refuses_to_be_left_with_one_arm(self, kind):
        factors = {"backbone": FACTORS["backbone"]}
        arms = {"arms": [{"backbone": level} for level in factors["backbone"]]} if kind == "explicit" else {}
        cells = lay_out(kind, factors, baseline={"backbone": "vse"}, **arms).cells
        rules = [cell for cell in cells if cell["backbone"] != "vse"]

        with pytest.raises(ProblemsError, match="the design has one arm, expected at least two"):
            lay_out(kind, factors, baseline={"backbone": "vse"}, exclude=rules, **arms)


@pytest.mark.parametrize("kind", [kind for kind in DESIGNS if kind != "full-factorial"])
def test_a_rule_that_excludes_nothing_is_refused(kind):
    never = {"backbone": "scan", "ccr": "off", "ccs": "none"}

    with pytest.raises(ProblemsError, match=r"exclude\.0: no arm of the design matches this"):
        conforming(kind, exclude=[never])


def test_rules_may_overlap():
    rules = [{"backbone": "scan", "ccr": "on"}, {"backbone": "scan", "ccs": "ccs"}]

    assert len(lay_out("full-factorial", exclude=rules).cells) == 12 - 3


def test_a_full_factorial_is_every_combination_the_first_factor_slowest():
    cells = lay_out("full-factorial").cells

    assert [tuple(cell.values()) for cell in cells] == list(product(*FACTORS.values()))


def test_a_full_factorial_needs_no_baseline():
    assert lay_out("full-factorial").baseline is None


def test_one_factor_at_a_time_is_the_baseline_and_its_single_changes():
    cells = lay_out("one-factor-at-a-time", baseline=CENTRE).cells

    assert [tuple(cell.values()) for cell in cells] == [
        ("scan", "off", "none"),
        ("bfan", "off", "none"),
        ("bfan", "off", "ccs"),
        ("bfan", "on", "none"),
        ("vse", "off", "none"),
    ]


def test_one_factor_at_a_time_needs_a_baseline():
    with pytest.raises(ProblemsError, match="baseline: this key is missing: the design changes a baseline"):
        lay_out("one-factor-at-a-time")


def test_leave_one_out_removes_each_component_from_the_full_arm():
    layout = lay_out("leave-one-out")

    assert [tuple(cell.values()) for cell in layout.cells] == [
        ("scan", "on", "ccs"),
        ("vse", "off", "ccs"),
        ("vse", "on", "none"),
        ("vse", "on", "ccs"),
    ]
    assert layout.baseline == {"backbone": "vse", "ccr": "on", "ccs": "ccs"}


def test_leave_one_out_has_no_second_arm_for_what_the_full_arm_lacks():
    layout = lay_out("leave-one-out", baseline={"backbone": "scan"})

    assert [tuple(cell.values()) for cell in layout.cells] == [
        ("scan", "off", "ccs"),
        ("scan", "on", "none"),
        ("scan", "on", "ccs"),
    ]


def test_add_one_in_adds_each_component_to_the_bare_arm():
    layout = lay_out("add-one-in")

    assert [tuple(cell.values()) for cell in layout.cells] == [
        ("scan", "off", "none"),
        ("scan", "off", "ccs"),
        ("scan", "on", "none"),
        ("bfan", "off", "none"),
        ("vse", "off", "none"),
    ]
    assert layout.baseline == {"backbone": "scan", "ccr": "off", "ccs": "none"}


def test_explicit_has_its_arms_in_the_order_of_the_file_and_fills_in_from_the_baseline():
    layout = lay_out("explicit", baseline=CENTRE, arms=ARMS)

    assert [tuple(cell.values()) for cell in layout.cells] == [
        ("vse", "on", "none"),
        ("bfan", "off", "none"),
        ("bfan", "off", "ccs"),
    ]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "arms: this key is missing: an explicit design lists its arms"),
        (
            {"arms": [{"backbone": "vse"}, CENTRE]},
            "arms.0: no level for ccr and ccs, expected one for every factor",
        ),
        ({"arms": [CENTRE, CENTRE]}, "arms.1: this is the arm of design.arms.0 once more"),
        ({"arms": [CENTRE], "baseline": CENTRE}, "the design has one arm, expected at least two"),
        (
            {"arms": [{"ccr": "on"}, {"ccs": "ccs"}], "baseline": CENTRE},
            "baseline: no arm of the design has these levels (backbone: bfan, ccr: off, ccs: none)",
        ),
    ],
)
def test_explicit_refuses_arms_that_make_no_design(keys, sentence):
    with pytest.raises(ProblemsError) as caught:
        lay_out("explicit", **keys)

    assert sentence in caught.value.problems[0].sentence("")


def test_arms_belong_to_the_explicit_design():
    with pytest.raises(ProblemsError, match="only the explicit design has arms, and this one is add-one-in"):
        lay_out("add-one-in", arms=[CENTRE])


def test_a_baseline_names_a_level_for_every_factor():
    with pytest.raises(ProblemsError, match="baseline: no level for ccs, expected one for every factor"):
        lay_out("full-factorial", baseline={"backbone": "scan", "ccr": "on"})
