"""Patches of configurations, and the dotted paths by which single values are reached."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crosscut.errors import InputError, shown
from crosscut.sweepfile import document


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `patch` laid over it: mappings merge, scalars and lists replace. Neither is changed.

    A mapping with a `name` is a component, and its options belong to the name: a patch that names another
    component replaces the whole of it.

    >>> base = {"backbone": {"name": "scan", "direction": "t2i"}, "loss": {"margin": 0.2}}
    >>> merge(base, {"backbone": {"name": "vse++"}, "loss": {"scale": 2}})
    {'backbone': {'name': 'vse++'}, 'loss': {'margin': 0.2, 'scale': 2}}
    """
    merged = {key: copy.deepcopy(value) for key, value in base.items()}
    for key, value in patch.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and not renames(below, value):
            merged[key] = merge(below, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def renames(component: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Whether `patch` puts another component in the place of `component`."""
    return "name" in component and "name" in patch and component["name"] != patch["name"]


def has_path(config: Mapping[str, Any], path: str) -> bool:
    """Whether there is a value, be it null, at a dotted path."""
    outer, _, last = path.rpartition(".")
    place = get_path(config, outer) if outer else config
    return isinstance(place, Mapping) and last in place


def get_path(config: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, None where there is none; `has_path` tells that from a null."""
    found: Any = config
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def set_path(config: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `config` with `value` at a dotted path; mappings that are missing on the way are made.

    Raises:
        KeyError: a part of the way is there and is not a mapping.
    """
    return _put(config, tuple(path.split(".")), value)


def leaves(config: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is not a mapping, and every empty mapping, with its dotted path."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


@dataclass(frozen=True)
class Override:
    """One `--set key=value` of the command line."""

    key: str
    text: str

    @classmethod
    def parse(cls, argument: str) -> Override:
        """Split `key=value`.

        Raises:
            InputError: it has another form.
        """
        key, equals, text = argument.partition("=")
        key = key.strip()
        if not equals or not key or any(not part.strip() for part in key.split(".")):
            raise InputError.unexpected("--set", "", argument, "key=value, such as seeds.count=3")
        return cls(key, text)

    @property
    def where(self) -> str:
        """What errors name in place of a file."""
        return f"--set {self.key}={self.text}"

    def apply(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """`data`, the mapping of a sweep file, with this value in it, and the keys that lead to what is new.

        Raises:
            InputError: the value is not YAML, or the key goes through something that has no keys.
        """
        keys = _keys(data, self.key)
        value = document.value(self.text, self.where, keys)
        try:
            return _put(data, keys, value), _new(data, keys)
        except KeyError as error:
            outer = error.args[0]
            found = shown(get_path(data, outer))
            message = f"{outer} is {found}, which has no keys; set {outer} as a whole"
            raise InputError.at(self.where, "", message) from error


def _put(config: Mapping[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(dict(config))
    place = changed
    for count, key in enumerate(keys[:-1], start=1):
        below = place.get(key)
        if below is None:
            below = place[key] = {}
        if not isinstance(below, dict):
            raise KeyError(".".join(keys[:count]))
        place = below
    place[keys[-1]] = copy.deepcopy(value)
    return changed


def _new(data: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    """The outermost of `keys` that `data` lacks, all of them where it lacks none."""
    place: Any = data
    for count, key in enumerate(keys, start=1):
        if not isinstance(place, Mapping) or key not in place:
            return keys[:count]
        place = place[key]
    return keys


def _keys(data: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """Split a dotted path, keeping together what is one key of the file: a level may be called `0.5`."""
    parts = path.split(".")
    keys: list[str] = []
    place: Any = data
    while parts:
        count = 1
        if isinstance(place, Mapping):
            known = [n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in place]
            whole = len(parts) if tuple(keys) == document.PATHS_ARE_KEYS_IN else 1
            count = known[0] if known else whole
        key = ".".join(parts[:count])
        keys.append(key)
        parts = parts[count:]
        place = place.get(key) if isinstance(place, Mapping) else None
    return tuple(keys)
