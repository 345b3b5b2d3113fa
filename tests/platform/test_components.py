"""The list of components: all of the registries, said by the components themselves, without torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from crosscut.arms.designs import DESIGNS
from crosscut.components import KINDS, Kind, lines, options
from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.component import Component
from crosscut_trainables.constraints import CONSTRAINTS
from crosscut_trainables.data import DATASETS
from crosscut_trainables.losses import LOSSES


class Toy(Component):
    """A component with an option of every sort."""

    summary: ClassVar[str] = "does nothing"
    name: Literal["toy"] = "toy"
    folder: str = Field(description="Where it\n lies.")
    steps: int = Field(3, ge=1, lt=10)
    rate: float | None = Field(None, gt=0, le=0.5, description="How fast.")
    weight: Annotated[float, Field(ge=0)] | None = 1.0
    seed: int = Field(0, gt=-1)
    share: float = Field(0.5, lt=1)
    most: float = Field(1e-8, le=float("inf"))
    kind: Literal["a", "b", "c"] = "a"
    shards: Literal[1, 2] = 1
    quick: bool = True
    overlaps: tuple[float, ...] = ()
    names: list[Literal["x", "y"]] = Field(default_factory=lambda: ["x"])
    label: str = ""


def blocks(kinds: Any = KINDS) -> dict[str, dict[str, list[str]]]:
    """Heading → first line of a component → its further lines."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in lines(kinds):
        if line and not line.startswith(" "):
            kind = found[line] = {}
        elif line.startswith("  ") and not line.startswith("   "):
            component = kind[line.strip()] = []
        elif line:
            component.append(line.strip())
    return found


def of(heading: str, name: str) -> list[str]:
    """The lines of one component below its first."""
    ((_, block),) = [
        (line, block) for line, block in blocks()[heading].items() if line.startswith(f"{name}: ")
    ]
    return block


def test_every_component_of_every_registry_stands_under_its_kind_with_its_summary() -> None:
    registries: dict[str, dict[str, Any]] = {
        "backbones (config.backbone.name)": dict(BACKBONES),
        "losses (config.loss.name)": dict(LOSSES),
        "constraints (config.constraints)": dict(CONSTRAINTS),
        "data sets (config.data.name)": dict(DATASETS),
    }
    found = blocks()

    for heading, registry in registries.items():
        assert list(found[heading]) == [f"{name}: {one.summary}" for name, one in registry.items()]


def test_a_design_is_told_by_the_first_line_of_its_docstring() -> None:
    found = blocks()["designs (design.kind)"]

    assert [line.partition(": ")[0] for line in found] == list(DESIGNS)
    assert "add-one-in: The bare arm and for each factor each of its other levels alone." in found
    assert not any(found.values())


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_a_backbone_says_whether_it_exposes_attention(name: str) -> None:
    said = "exposes attention" if BACKBONES[name].exposes_attention else "has no attention"

    assert of("backbones (config.backbone.name)", name)[0] == said


@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_a_constraint_says_that_it_needs_attention(name: str) -> None:
    assert of("constraints (config.constraints)", name)[0] == "needs a backbone that exposes attention"


def test_an_option_is_shown_as_a_sweep_file_has_it_with_what_it_may_be_and_what_it_means() -> None:
    assert list(lines([Kind("toys", "config.toy", {"toy": Toy}, lambda toy: ("needs nothing",))])) == [
        "toys (config.toy)",
        "  toy: does nothing",
        "    needs nothing",
        "    folder:  # required, text",
        "        Where it lies.",
        "    steps: 3  # a whole number in [1, 10)",
        "    rate: null  # a number in (0, 0.5] or null",
        "        How fast.",
        "    weight: 1.0  # a number of at least 0 or null",
        "    seed: 0  # a whole number above -1",
        "    share: 0.5  # a number below 1",
        "    most: 1e-08  # a number of at most inf",
        "    kind: a  # one of a, b, c",
        "    shards: 1  # 1 or 2",
        "    quick: true  # true or false",
        "    overlaps: []  # a list, each a number",
        '    names: ["x"]  # a list, each x or y',
        '    label: ""  # text',
    ]


def test_every_option_of_every_component_is_listed_with_its_description() -> None:
    for kind in KINDS:
        for component in kind.registry.values():
            fields = getattr(component, "model_fields", {})
            assert [option.name for option in options(component)] == [
                name for name in fields if name != "name"
            ]
            assert all(option.description for option in options(component))


def test_a_component_without_a_summary_or_a_docstring_is_listed_as_such() -> None:
    def silent() -> None: ...

    assert (
        list(lines([Kind("designs", "design.kind", {"silent": silent})]))[1] == "  silent: no summary given"
    )


def test_the_list_comes_out_of_a_pipe_as_plain_lines_without_torch_and_without_ray() -> None:
    program = """
import sys
from crosscut import cli
sys.argv = ["crosscut", "list", "--components"]
try:
    cli.main()
finally:
    found = [name for name in ("torch", "ray", "matplotlib", "sklearn") if name in sys.modules]
    assert not found, found
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == list(lines())


def test_other_commands_do_not_load_the_components() -> None:
    program = """
import sys
from crosscut import cli
sys.argv = ["crosscut", "--help"]
try:
    cli.main()
finally:
    found = [name for name in ("crosscut.components", "crosscut_trainables", "pydantic") if name in sys.modules]
    assert not found, found
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
