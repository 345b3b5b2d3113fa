"""The columns of a long table, read from a CSV, TSV or Parquet file and checked cell by cell."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.compute as pc  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import parquet

Codes = NDArray[np.int64]

RESERVED = ("seed", "query", "cluster", "metric", "value")
SEPARATORS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")


class TableError(ValueError):
    """The table cannot be read as scores. Its text is one sentence: file, place, what was expected."""


@dataclass(frozen=True)
class Coded:
    """A column of text as codes into its distinct labels, in order of appearance."""

    codes: Codes
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """A table in memory: text columns coded, values checked."""

    path: Path | str
    """Where it came from, as errors name it."""
    names: tuple[str, ...]
    text: Mapping[str, Coded]
    values: NDArray[np.float64]
    row_number: Callable[[int], int]
    """Index of a row → the number a reader finds it by: its line in a text file, from 1 in Parquet."""

    def coded(self, name: str) -> Coded:
        """A column without empty cells."""
        column = self.text[name]
        if "" in column.labels:
            index = int(np.flatnonzero(column.codes == column.labels.index(""))[0])
            hint = (
                ""
                if name in (*RESERVED, "config")
                else '; write a level such as "none" where a factor does not apply'
            )
            raise self.fault(f"row {self.row_number(index)}: column {name!r} is empty{hint}")
        return column

    def fault(self, text: str, near: str | None = None, choices: Iterable[str] = ()) -> TableError:
        """An error to raise: the path and `text`, then the near name or else the choices there are."""
        return _fault(self.path, text, near, choices)


def _fault(path: Path | str, text: str, near: str | None = None, choices: Iterable[str] = ()) -> TableError:
    listed = ", ".join(choices)
    hint = (f"; did you mean {near!r}?" if near else "") or (f"; it has {listed}" if listed else "")
    return TableError(f"{path}: {text}{hint}")


def near_name(name: str, choices: Iterable[str]) -> str | None:
    """The choice that looks most like `name`, None where none does."""
    lower = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def load(path: Path) -> Columns:
    """Read a table whole; which kind of file it is, its suffix says. Raises TableError."""
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix not in SEPARATORS and suffix not in PARQUET:
        raise TableError(f"{path}: expected a .csv, .tsv or .parquet file, found {suffix or 'no suffix'!r}")
    try:
        table: Any = _parquet(path) if suffix in PARQUET else _separated(path, SEPARATORS[suffix])
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: cannot be read as a table: {' '.join(str(error).split())}") from error

    def row_number(index: int) -> int:
        return index + 1 if suffix in PARQUET else _line(path, SEPARATORS[suffix], index)

    return _checked(table, path, row_number)


def of_frame(frame: Any, name: str = "frame") -> Columns:
    """The columns of a data frame: of pandas, Polars or Arrow, or a mapping of columns. Errors call it `name` and
    count rows from 1. Raises TableError."""
    if hasattr(frame, "to_arrow"):
        table = frame.to_arrow()
    elif isinstance(frame, pa.Table):
        table = frame
    else:
        try:
            table = pa.table(dict(frame)) if isinstance(frame, Mapping) else _from_pandas(frame)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
            text = f"cannot be read as a table: {' '.join(str(error).split())}"
            raise TableError(f"{name}: {text}") from error
    return _checked(table, name, lambda index: index + 1)


def _from_pandas(frame: Any) -> Any:
    if not hasattr(frame, "columns"):
        raise TypeError(f"found {type(frame).__name__}, expected a data frame or a mapping of columns")
    return pa.Table.from_pandas(frame, preserve_index=False)


def _checked(table: Any, path: Path | str, row_number: Callable[[int], int]) -> Columns:
    names = tuple(name.strip() for name in table.column_names)
    table = table.rename_columns(list(names))
    for name in names:
        if names.count(name) > 1:
            raise _fault(path, f"has the column {name!r} more than once")
    for name in ("seed", "metric", "value"):
        if name not in names:
            raise _fault(path, f"has no column {name!r}", near=near_name(name, names), choices=names)
    if not set(names) - set(RESERVED):
        raise _fault(path, "has no column 'config' and no column for a factor", choices=names)
    if table.num_rows == 0:
        raise _fault(path, "has no rows")
    text = {name: _code(table.column(name)) for name in names if name != "value"}
    return Columns(path, names, text, _values(path, table.column("value"), row_number), row_number)


def _separated(path: Path, separator: str) -> Any:
    with path.open(newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file, delimiter=separator), [])
    if not header:
        raise _fault(path, "has no rows")
    return arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )


def _line(path: Path, separator: str, index: int) -> int:
    """The line on which the data row `index` ends. Read again: only a fault asks for it."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=separator)
        rows = (reader.line_num for row in reader if row)
        return next(line for i, line in enumerate(rows) if i == index + 1)


def _parquet(path: Path) -> Any:
    with parquet.ParquetFile(path) as file:
        return file.read()


def _code(column: Any) -> Coded:
    """Distinct trimmed texts and their codes; a null is the empty text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    texts = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    encoded = texts.combine_chunks().dictionary_encode()
    codes: Codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(codes, tuple(encoded.dictionary.to_pylist()))


def _values(path: Path | str, column: Any, row_number: Callable[[int], int]) -> NDArray[np.float64]:
    """The values, all finite."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(column)
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    try:
        cast = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        index, text = next((i, v) for i, v in enumerate(column.to_pylist()) if not _is_number(v))
        found = repr(text) if text not in (None, "") else "an empty cell"
        raise _fault(
            path, f"row {row_number(index)}, column 'value': expected a number, found {found}"
        ) from None
    values: NDArray[np.float64] = cast.to_numpy(zero_copy_only=False).astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        index = int(bad[0])
        found = "an empty cell" if column[index].as_py() is None else str(values[index])
        raise _fault(
            path,
            f"row {row_number(index)}, column 'value': expected a finite number, found {found} "
            "(leave out the rows of a run that is missing)",
        )
    return values


def _is_number(value: object) -> bool:
    try:
        pa.scalar(value).cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return value is not None
