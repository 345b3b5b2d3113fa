"""The layout of TensorBoard's CUSTOM SCALARS: which means are drawn with their bands, all arms in one chart."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from crosscut.engine.tally import DIFFERENCE, RESULT, band


def layout(names: Collection[str], metrics: Sequence[str], baseline: str | None) -> Any:
    """The layout as a `Summary.Value`: a chart for each of `names`, the curves that have a band.

    Final metrics and differences to the baseline come first, by number of seeds, then metrics by step, grouped by
    the first part of their names. Of these groups those are open that have one of `metrics`.
    """
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata

    def chart(name: str, title: str) -> Any:
        value, lower, upper = band(name)
        series = layout_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)
        return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))

    def category(title: str, charts: list[Any], closed: bool = False) -> Any:
        # TensorBoard's page shows the charts of a category from the last to the first.
        return layout_pb2.Category(title=title, chart=charts[::-1], closed=closed)

    categories = []
    for group, title in ((RESULT, RESULT), (DIFFERENCE, f"difference to {baseline} by seeds")):
        charts = [chart(name, metric) for metric in metrics if (name := f"{group}/{metric}") in names]
        categories += [category(title, charts)] if charts else []
    for group, members in _by_step(names).items():
        charts = [chart(name, name) for name in members]
        categories.append(category(f"{group} by step", charts, closed=not set(members) & set(metrics)))
    content = layout_pb2.Layout(category=categories).SerializeToString()
    tensor = TensorProto(dtype=DT_STRING, tensor_shape=TensorShapeProto(), string_val=[content])
    return Summary.Value(
        tag=metadata.CONFIG_SUMMARY_TAG, metadata=metadata.create_summary_metadata(), tensor=tensor
    )


def _by_step(names: Collection[str]) -> dict[str, list[str]]:
    """Metrics by step, in the groups that TensorBoard would put them in."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=_natural):
        group, slash, _ = name.partition("/")
        if group not in (RESULT, DIFFERENCE):
            groups.setdefault(group if slash else "other", []).append(name)
    return groups


def _natural(name: str) -> list[str | int]:
    """Sorts `r10` behind `r5`."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
