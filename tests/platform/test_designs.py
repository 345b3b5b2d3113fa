import random
from collections import Counter
from itertools import combinations, product
from math import log2, prod

import pytest

from crosscut.arms.designs import DESIGNS
from crosscut.errors import ProblemsError
from crosscut.sweepfile.design import DesignSection

FACTORS = {"backbone": ("scan", "bfan", "vse"), "ccr": ("off", "on"), "ccs": ("none", "ccs")}
CENTRE = {"backbone": "bfan", "ccr": "off", "ccs": "none"}
ARMS = [{"backbone": "vse", "ccr": "on"}, {"backbone": "bfan"}, {"ccs": "ccs"}]

TWO_LEVELS = {**FACTORS, "backbone": ("bfan", "vse")}

FULL = {"backbone": "bfan", "ccr": "on", "ccs": "ccs"}
"""What the designs are laid around where all of them are held to the same."""


def lay_out(kind, factors=FACTORS, **keys):
    return DesignSection.model_validate({"kind": kind, **keys}).lay_out(factors)


def factors_of(kind):
    return TWO_LEVELS if kind == "fractional" else FACTORS


def needed(kind, arms):
    """What a kind of design must be given beside its factors."""
    return {"explicit": {"arms": arms}, "fractional": {"resolution": 3}}.get(kind, {})


def conforming(kind, **keys):
    arms = [FULL, {"ccs": "none"}, {"ccr": "off"}, {"backbone": "vse"}]
    return lay_out(kind, factors_of(kind), baseline=FULL, **needed(kind, arms), **keys)


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
            assert all(cell[factor] in levels for factor, levels in factors_of(kind).items())

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
        keys = needed(kind, [FULL])
        with pytest.raises(ProblemsError) as caught:
            lay_out(kind, exclude=[{"backbon": "vse"}, {"backbone": ["vse", "scna"]}], **keys)

        assert [problem.sentence("") for problem in caught.value.problems] == [
            "exclude.0.backbon: there is no factor 'backbon', expected one of backbone, ccr, "
            "ccs; did you mean "
            "'backbone'?",
            "exclude.1.backbone: the factor backbone has no level 'scna', expected one of "
            "scan, bfan, vse; did you "
            "mean 'scan'?",
        ]

    def test_refuses_to_be_left_with_one_arm(self, kind):
        factors = {"backbone": factors_of(kind)["backbone"]}
        arms = needed(kind, [{"backbone": level} for level in factors["backbone"]])
        cells = lay_out(kind, factors, baseline={"backbone": "vse"}, **arms).cells
        rules = [cell for cell in cells if cell["backbone"] != "vse"]

        with pytest.raises(ProblemsError, match="the design has one arm, expected at least two"):
            lay_out(kind, factors, baseline={"backbone": "vse"}, exclude=rules, **arms)


@pytest.mark.parametrize("kind", [kind for kind in DESIGNS if kind != "full-factorial"])
def test_a_rule_that_excludes_nothing_is_refused(kind):
    there, factors = conforming(kind).cells, factors_of(kind)
    every = [dict(zip(factors, levels, strict=True)) for levels in product(*factors.values())]
    never = next(cell for cell in every if cell not in there)

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


SIZES = [
    (2, 2),
    (8, 8, 2),
    (2, 2, 2),
    (1, 3, 2),
    (3,) * 4,
    (2,) * 10,
    (2,) * 15,
    (8,) * 15,
    (8, 7, 6, 5, 4, 3, 2),
    *(
        tuple(random.Random(seed).choices(range(2, 6), k=random.Random(seed + 100).randint(2, 9)))
        for seed in range(12)
    ),
]
"""How many levels the factors of a pairwise design have."""


def sized(sizes):
    return {f"f{factor}": tuple(f"l{level}" for level in range(size)) for factor, size in enumerate(sizes)}


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(map(str, sizes)))
def test_pairwise_has_every_two_levels_of_two_factors_in_an_arm(sizes, named):
    factors = sized(sizes)
    baseline = {factor: levels[-1] for factor, levels in factors.items()} if named else None
    layout = lay_out("pairwise", factors, baseline=baseline)

    for one, other in combinations(factors, 2):
        met = {(cell[one], cell[other]) for cell in layout.cells}
        assert met == set(product(factors[one], factors[other]))
    ranks = [tuple(levels.index(cell[factor]) for factor, levels in factors.items()) for cell in layout.cells]
    assert ranks == sorted(set(ranks))
    assert layout.baseline == baseline and (not named or baseline in layout.cells)
    fewest = prod(sorted(sizes)[-2:])
    assert fewest <= len(ranks) <= fewest * (1 + log2(len(sizes)) / 2)


@pytest.mark.parametrize(
    ("sizes", "most"),
    [
        ((2,) * 3, 4),
        ((3,) * 4, 9),
        ((2,) * 10, 10),
        ((3,) * 13, 20),
        ((5, 3, 3, 2, 2), 15),
        ((5, 3, 2, 2, 5, 2, 3, 3), 25),
    ],
)
def test_pairwise_has_few_arms(sizes, most):
    assert len(lay_out("pairwise", sized(sizes)).cells) <= most


def test_pairwise_has_no_arm_without_which_all_pairs_would_be_there():
    factors = sized((4, 3, 3, 2, 2, 2))
    cells = lay_out("pairwise", factors).cells

    for cell in cells:
        rest = [other for other in cells if other != cell]
        assert any(
            not any(other[f] == cell[f] and other[g] == cell[g] for other in rest)
            for f, g in combinations(factors, 2)
        )


def test_a_pairwise_design_of_one_factor_is_its_levels():
    assert [*lay_out("pairwise", sized((3,))).cells] == [{"f0": "l0"}, {"f0": "l1"}, {"f0": "l2"}]


def test_pairwise_tells_what_it_covers_and_what_exclusions_took_away():
    assert lay_out("pairwise").told == (
        "design: pairwise, 6 of 12 combinations; every two levels of two factors are together in an arm",
    )
    layout = lay_out("pairwise", exclude=[{"backbone": "vse", "ccr": "on"}])
    lost = [
        f"{f}={x} with {g}={y}"
        for f, g in combinations(FACTORS, 2)
        for x, y in product(FACTORS[f], FACTORS[g])
        if not any(cell[f] == x and cell[g] == y for cell in layout.cells)
    ]
    assert layout.told == (
        "design: pairwise, 5 of 12 combinations",
        f"excluded with their arms, so that no arm has them: {'; '.join(lost)}",
    )
    assert "backbone=vse with ccr=on" in lost


def two_levels(count):
    return dict.fromkeys("abcdefghijklmnopqrstuvwxyz"[:count], ("low", "high"))


def fraction(count, resolution, **keys):
    return lay_out("fractional", two_levels(count), resolution=resolution, **keys)


def coded(cells, word):
    """The product of the factors of a word in every arm, -1 and 1 being the levels in their order."""
    return [prod(1 if cell[factor] == "high" else -1 for factor in word) for cell in cells]


@pytest.mark.parametrize(
    ("count", "resolution", "runs", "reached"),
    [
        (3, 3, 4, 3),
        (4, 3, 8, 4),
        (5, 3, 8, 3),
        (6, 3, 8, 3),
        (7, 3, 8, 3),
        (8, 3, 16, 4),
        (9, 3, 16, 3),
        (10, 3, 16, 3),
        (11, 3, 16, 3),
        (15, 3, 16, 3),
        (5, 4, 16, 5),
        (6, 4, 16, 4),
        (7, 4, 16, 4),
        (8, 4, 16, 4),
        (9, 4, 32, 4),
        (10, 4, 32, 4),
        (11, 4, 32, 4),
        (16, 4, 32, 4),
        (5, 5, 16, 5),
        (6, 5, 32, 6),
        (7, 5, 64, 7),
        (8, 5, 64, 5),
        (9, 5, 128, 6),
        (10, 5, 128, 5),
        (11, 5, 128, 5),
    ],
)
def test_a_fraction_is_the_smallest_of_its_resolution(count, resolution, runs, reached):
    """Runs and resolutions of the NIST/SEMATECH e-Handbook of Statistical Methods, 5.3.3.4.7, with
    16 factors of Dataplot's DEXRES4."""
    layout = fraction(count, resolution)

    assert len(layout.cells) == runs
    assert layout.claim.resolution == reached


@pytest.mark.parametrize(
    ("count", "resolution"), [(3, 3), (5, 3), (7, 3), (12, 3), (6, 4), (9, 4), (8, 5), (10, 5)]
)
def test_a_fraction_has_all_levels_of_fewer_factors_than_its_resolution_equally_often(count, resolution):
    """Resolution R is an orthogonal array of strength R - 1, seen from the arms alone."""
    cells = fraction(count, resolution).cells

    for some in list(combinations(two_levels(count), resolution - 1))[:300]:
        met = Counter(tuple(cell[factor] for factor in some) for cell in cells)
        assert len(met) == 2 ** (resolution - 1) and len(set(met.values())) == 1


@pytest.mark.parametrize(
    ("count", "resolution", "words"),
    [
        (9, 3, {3: 4, 4: 14}),
        (10, 3, {3: 8, 4: 18}),
        (11, 3, {3: 12, 4: 26}),
        (6, 4, {4: 3}),
        (7, 4, {4: 7}),
        (8, 4, {4: 14, 8: 1}),
        (9, 4, {4: 6, 5: 8}),
        (10, 4, {4: 10, 5: 16}),
        (11, 4, {4: 25, 5: 0, 6: 27}),
        (8, 5, {5: 2, 6: 1}),
    ],
)
def test_a_fraction_has_least_aberration(count, resolution, words):
    """Word length patterns of Chen, Sun and Wu, International Statistical Review 61(1), 1993: their first
    designs of 16, 32 and 64 runs."""
    found = Counter(map(len, fraction(count, resolution).claim.words))

    assert {length: found[length] for length in words} == words


@pytest.mark.parametrize(("count", "resolution"), [(2, 3), (3, 4), (3, 5), (4, 5), (1, 3)])
def test_a_fraction_is_the_full_factorial_where_no_smaller_one_has_the_resolution(count, resolution):
    layout = fraction(count, resolution)

    assert layout.cells == lay_out("full-factorial", two_levels(count)).cells
    assert layout.told == (
        f"design: fractional, all {2**count} combinations: no smaller fraction has the resolution named",
    )


@pytest.mark.parametrize("levels", list(product(("low", "high"), repeat=4)))
def test_the_fraction_is_the_one_with_the_baseline(levels):
    baseline = dict(zip("abcd", levels, strict=True))
    layout = fraction(4, 3, baseline=baseline)

    assert layout.baseline == baseline
    assert baseline in layout.cells and len(layout.cells) == 8


def test_without_a_baseline_the_fraction_has_the_arm_of_all_last_levels():
    assert dict.fromkeys("abcde", "high") in fraction(5, 3).cells


@pytest.mark.parametrize("levels", ["low", "high"])
@pytest.mark.parametrize(("count", "resolution"), [(3, 3), (5, 3), (7, 3), (6, 4), (8, 5)])
def test_aliases_are_what_has_the_same_column_in_the_arms(count, resolution, levels):
    layout = fraction(count, resolution, baseline=dict.fromkeys(two_levels(count), levels))
    cells, claim = layout.cells, layout.claim

    for factor in two_levels(count):
        own = coded(cells, factor)
        expected = {
            (sign, pair)
            for pair in combinations(two_levels(count), 2)
            for sign in (1, -1)
            if factor not in pair and [sign * value for value in coded(cells, pair)] == own
        }
        assert set(claim.aliases(factor)) == expected
    for chain in claim.chains():
        (_, first), *others = chain
        assert all([sign * v for v in coded(cells, pair)] == coded(cells, first) for sign, pair in others)
    for word in claim.words:
        assert len(set(coded(cells, word))) == 1


def test_a_fraction_tells_its_defining_relation_and_its_aliases():
    low = dict.fromkeys("abc", "low")

    assert fraction(3, 3).told == (
        "design: fractional, 4 of 8 combinations, resolution III; defining relation: I = a × b × c",
        "aliases: a = b × c; b = a × c; c = a × b",
    )
    assert fraction(3, 3, baseline=low).told == (
        "design: fractional, 4 of 8 combinations, resolution III; defining relation: I = −a × b × c",
        "aliases: a = −b × c; b = −a × c; c = −a × b",
    )
    assert fraction(4, 4).told[1] == (
        "aliases: no main effect with a two-factor interaction, but a × b = c × d; a × c = b × d; "
        "a × d = b × c"
    )
    assert fraction(5, 5).told == (
        "design: fractional, 16 of 32 combinations, resolution V; defining relation: I = a × b × c × d × e",
        "aliases: no main effect and no two-factor interaction with another of these",
    )


def test_of_many_words_and_aliases_a_fraction_tells_some():
    relation, aliases = fraction(15, 3).told

    assert "resolution III; generators of the defining relation: I = " in relation
    assert relation.count(" = ") == 11
    assert aliases.endswith("= … (4 more); and 7 more")


def test_a_fraction_tells_that_it_is_none_any_more_where_arms_are_excluded():
    assert fraction(4, 4, exclude=[{"a": "low", "b": "low", "c": "low"}]).told[-1] == (
        "arms excluded: 1 of 8; the others are not orthogonal, and more effects mix than these"
    )


@pytest.mark.parametrize(
    ("factors", "resolution", "sentence"),
    [
        (TWO_LEVELS, None, "resolution: this key is missing: a fractional design names its resolution, 3"),
        (
            FACTORS | {"loss": ("hinge",)},
            3,
            "kind: found 'fractional', expected factors of two levels each: backbone has 3 (scan, bfan, vse), "
            "loss has 1 (hinge)",
        ),
        (two_levels(18), 5, "resolution: found 5 with 18 factors, expected at most 17 factors with it"),
    ],
)
def test_what_no_fraction_can_be_made_of_is_refused(factors, resolution, sentence):
    with pytest.raises(ProblemsError) as caught:
        lay_out("fractional", factors, resolution=resolution)

    (problem,) = caught.value.problems
    assert problem.sentence("").startswith(sentence)


def test_a_resolution_belongs_to_the_fractional_design():
    sentence = "resolution: only the fractional design has a resolution, and this one is pairwise"
    with pytest.raises(ProblemsError, match=sentence):
        lay_out("pairwise", resolution="IV")


@pytest.mark.parametrize(("written", "number"), [("III", 3), ("IV", 4), ("V", 5)])
def test_a_resolution_may_be_written_in_roman_numerals(written, number):
    keys = {"kind": "fractional"}
    roman, plain = (DesignSection.model_validate({**keys, "resolution": r}) for r in (written, number))

    assert roman == plain and roman.model_dump(mode="json")["resolution"] == number


@pytest.mark.parametrize("kind", [kind for kind in DESIGNS if kind not in ("pairwise", "fractional")])
def test_other_designs_have_nothing_to_tell_beside_their_arms(kind):
    assert conforming(kind).told == ()
