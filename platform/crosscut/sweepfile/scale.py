"""The scale of a sweep: a patch of its file, so that a question can be asked small before it is asked in full."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from crosscut.errors import Keys, Problem, near, one_of, shown, unexpected
from crosscut.sweepfile.origin import Origin
from crosscut.sweepfile.patch import Override, merge, renames
from crosscut.sweepfile.section import Name

Scales = Annotated[dict[Name, dict[str, Any] | None], Field(min_length=1)]
"""Scale → patch of the sweep file. Nothing (`full:`) is an empty one: the file as it stands."""

NEVER_PATCHED = ("name", "scale", "scales")
"""Keys that no scale has. All scales of a sweep share its name and folder: records are told apart by content."""


def is_about_scales(override: Override) -> bool:
    """Whether a `--set` picks or changes a scale, and so comes before the scale is laid over the file."""
    return override.key.split(".")[0] in ("scale", "scales")


def lay_over(
    data: Mapping[str, Any], origin: Origin, patchable: Collection[str]
) -> tuple[dict[str, Any], Origin]:
    """The mapping of a sweep file with the patch of its scale laid over the rest, and where all of it came from.

    What is wrong with `scales` itself, and a key of the patch that is not among `patchable`, is left as it
    stands: the check of the file refuses it.

    Raises:
        InputError: there is no such scale.
    """
    found, scales = data.get("scale"), data.get("scales")
    if found is None or (scales and not isinstance(scales, Mapping)):
        return dict(data), origin
    if not scales:
        strange = [key for key in data if key not in (*patchable, *NEVER_PATCHED) and near(key, ["scales"])]
        hint = f"; is {strange[0]!r} meant to be scales?" if strange else ""
        text = f"found {shown(found)}, expected no scale: the file has no scales to pick from{hint}"
        raise origin.error([Problem(("scale",), text)])
    # Keys are text as typed, so `scale: 0.1` means the key `0.1`.
    name = str(found) if isinstance(found, int | float) and not isinstance(found, bool) else found
    if not isinstance(name, str) or name not in scales:
        raise origin.error([Problem(("scale",), unexpected(found, one_of(scales), scales))])
    if not isinstance(scales[name], Mapping):
        return dict(data), origin
    patch = {key: value for key, value in scales[name].items() if key in patchable}
    places = [
        (keys, f"{origin.where(('scales', name, *keys))}: scales.{name}") for keys in _changed(data, patch)
    ]
    return merge(data, patch), Origin(origin.file, (*origin.overrides, *places))


def problems(scales: Mapping[str, Mapping[str, Any] | None], patchable: Collection[str]) -> Iterator[Problem]:
    """Every key of a patch that no scale can have, with its place below `scales`; also of scales not in use."""
    for name, patch in scales.items():
        for key in patch or ():
            if key in NEVER_PATCHED:
                text = f"a scale cannot have this key, expected {one_of(patchable)}"
                yield Problem((name, key), text)
            elif key not in patchable:
                yield Problem((name, key), f"unknown key, expected {one_of(patchable)}{near(key, patchable)}")


def _changed(base: Mapping[str, Any], patch: Mapping[str, Any], above: Keys = ()) -> Iterator[Keys]:
    """The outermost places whose values `merge` takes from the patch alone."""
    for key, value in patch.items():
        below = base.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and not renames(below, value):
            yield from _changed(below, value, (*above, key))
        else:
            yield (*above, key)
