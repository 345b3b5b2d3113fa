"""Keys cover what defines a result, and nothing else."""

import pytest

from crosscut.records.key import canonical, digest, run_key, trial_key

BASE = {"trainable": "m:f", "config": {"a": 1, "b": {"c": 0.1}}, "seed": 3, "data": "d"}


def test_the_order_of_keys_does_not_matter() -> None:
    assert run_key(**BASE) == run_key(**{**BASE, "config": {"b": {"c": 0.1}, "a": 1}})


@pytest.mark.parametrize(
    "change", [{"trainable": "m:g"}, {"config": {"a": 2, "b": {"c": 0.1}}}, {"seed": 4}, {"data": "e"}]
)
def test_everything_that_defines_a_result_changes_the_key(change: dict[str, object]) -> None:
    assert run_key(**BASE) != run_key(**{**BASE, **change})


def test_a_trial_and_a_run_never_share_a_key() -> None:
    assert trial_key(**BASE, search={}, space={}, index=0) != run_key(**BASE)


@pytest.mark.parametrize("change", [{"index": 1}, {"search": {"seed": 1}}, {"space": {"a": {"int": [0, 1]}}}])
def test_what_decides_a_trials_values_changes_its_key(change: dict[str, object]) -> None:
    same = {**BASE, "search": {"seed": 0}, "space": {}, "index": 0}
    assert trial_key(**same) != trial_key(**{**same, **change})


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})
    assert digest({"a": 0.1}) == digest({"a": 0.1})
