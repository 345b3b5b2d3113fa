"""The snapshot of an experiment in its store: what `status`, `report` and `tensorboard` read.

It holds the arms as they were resolved, so that nothing has to be imported or worked out again to read what
they did.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.errors import InputError
from crosscut.records.place import joined
from crosscut.records.store import Store
from crosscut.sweepfile.resources import Resources
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Sweep


def keep(store: Store, experiment: Experiment) -> None:
    """Write the experiment as it is asked for now."""
    store.write_sweep(
        {
            "sweep": experiment.sweep.to_json(),
            "baseline": None if experiment.baseline is None else experiment.baseline.name,
            "arms": [_arm_to_json(arm) for arm in experiment.arms],
        }
    )


def recall(store: Store) -> Experiment:
    """The experiment as it was last asked for.

    Raises:
        InputError: the snapshot cannot be read.
    """
    try:
        plain = store.read_sweep()
        sweep = Sweep.from_json(plain["sweep"])
        arms = tuple(_arm_from_json(arm, sweep) for arm in plain["arms"])
        baseline = next((arm for arm in arms if arm.name == plain["baseline"]), None)
        return Experiment(sweep, arms, baseline)
    except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        cause = " ".join(str(error).split())
        raise InputError(
            f"{joined(store.place.name, 'sweep.json')}: cannot be read ({type(error).__name__}: {cause}); "
            "`crosscut run` writes it anew"
        ) from error


def _arm_to_json(arm: Arm) -> dict[str, Any]:
    plain = asdict(arm)
    plain["resources"] = arm.resources.model_dump(mode="json")
    plain["space"] = {path: parameter.to_json() for path, parameter in arm.space.items()}
    return plain


def _arm_from_json(plain: dict[str, Any], sweep: Sweep) -> Arm:
    space = {path: Parameter.parse(parameter) for path, parameter in plain["space"].items()}
    needs = plain.get("resources")
    # A snapshot that was written before arms had their own has those of the sweep.
    resources = sweep.resources if needs is None else Resources.model_validate(needs)
    locations = tuple(plain.get("locations", ()))
    return Arm(**{**plain, "space": space, "locations": locations, "resources": resources})
