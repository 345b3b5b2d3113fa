"""The engine: from a sweep file to runs on Ray to records.

`crosscut.Sweep` and `crosscut.trainable` are what notebooks and scripts use. They are imported when they are asked
for: `import crosscut` alone stays quick.
"""

from typing import TYPE_CHECKING

__all__ = ["Sweep", "trainable"]

if TYPE_CHECKING:
    from crosscut.notebook.sweep import Sweep
    from crosscut_trainables.decorator import trainable
else:
    _PLACES = {"Sweep": "crosscut.notebook.sweep", "trainable": "crosscut_trainables.decorator"}

    def __getattr__(name: str) -> object:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)

    def __dir__() -> list[str]:
        return [*globals(), *_PLACES]
