import pytest

from crosscut.errors import ProblemsError
from crosscut.sweepfile.space import Parameter

FORMS = [
    {"uniform": [0.0, 1.0]},
    {"log_uniform": [0.01, 10.0]},
    {"int": [-1, 5]},
    {"log_int": [1, 64]},
    {"choice": ["a", 2, 0.5, False]},
]


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_round_trips(form):
    assert Parameter.parse(form).to_json() == form


@pytest.mark.parametrize("form", FORMS)
def test_every_probe_is_a_value_that_the_search_may_give(form):
    parameter = Parameter.parse(form)

    assert len(parameter.probes) >= 2
    assert all(parameter.contains(probe) for probe in parameter.probes)


def test_bounds_are_numbers_of_the_kind():
    real, whole = Parameter.parse({"uniform": [0, 1]}), Parameter.parse({"log_int": [1, 9]})

    assert real.bounds == (0.0, 1.0) and isinstance(real.low, float)
    assert whole.bounds == (1, 9) and isinstance(whole.low, int)
    assert whole.log and whole.integer and not real.log and not real.integer


def test_values_outside_or_of_another_type_are_not_contained():
    assert not Parameter.parse({"uniform": [0, 1]}).contains(1.1)
    assert not Parameter.parse({"uniform": [0, 1]}).contains(None)
    assert not Parameter.parse({"int": [0, 3]}).contains(1.5)
    assert not Parameter.parse({"int": [0, 3]}).contains(True)
    assert not Parameter.parse({"choice": [1, 2]}).contains(True)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (3, "found 3, expected one of {uniform: [low, high]}"),
        ({}, "found an empty mapping, expected one of {uniform"),
        (
            {"uniform": [0, 1], "int": [0, 1]},
            "found a mapping with the keys uniform, int, expected one of {uniform",
        ),
        ({"unifrom": [0, 1]}, "unifrom: unknown kind, expected one of uniform, log_uniform"),
        ({"unifrom": [0, 1]}, "did you mean 'uniform'?"),
        ({"uniform": [0, 10**400]}, "uniform: found a list of 2, expected two finite numbers"),
        ({2: [0, 1]}, "2: unknown kind, expected one of uniform"),
        ({"uniform": 3}, "uniform: found 3, expected [low, high]"),
        ({"uniform": [1]}, "uniform: found [1], expected two finite numbers, [low, high]"),
        ({"uniform": [0, "1"]}, "expected two finite numbers"),
        ({"uniform": [0, float("inf")]}, "expected two finite numbers"),
        ({"int": [0, 1.5]}, "int: found [0, 1.5], expected two whole numbers"),
        ({"int": [True, 3]}, "expected two whole numbers"),
        ({"uniform": [1, 1]}, "uniform: found [1, 1], expected a low bound below the high bound"),
        ({"log_uniform": [0, 1]}, "expected a low bound above 0: the scale is logarithmic"),
        ({"log_int": [-1, 1]}, "expected a low bound above 0"),
        ({"choice": ["a"]}, 'choice: found ["a"], expected at least two values'),
        ({"choice": ["a", "a"]}, "expected values that all differ"),
        ({"choice": [1, True]}, "expected values that all differ"),
        ({"choice": [1, [2]]}, "choice.1: found [2], expected text, a finite number, true or false"),
        ({"choice": [1, None]}, "choice.1: found nothing, expected text"),
    ],
)
def test_other_forms_are_refused(form, sentence):
    with pytest.raises(ProblemsError) as caught:
        Parameter.parse(form)

    assert sentence in caught.value.problems[0].sentence("")
