"""A record comes back as it was written, or is known to be damaged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from crosscut.records.key import canonical
from crosscut.records.record import DamagedRecord, Failure, Record
from crosscut.records.work import StopRule, Work
from crosscut_trainables.evaluation import QueryValues


def test_a_record_comes_back_as_it_was_written(record: Record) -> None:
    back = Record.from_files(record.to_files())
    assert back.metrics == record.metrics
    assert back.history == record.history
    assert back.work == record.work
    np.testing.assert_array_equal(back.ranks["test/t2i"].ranks, record.ranks["test/t2i"].ranks)
    assert back.ranks["test/t2i"].ranks.dtype == np.int32


def test_a_failed_record_keeps_its_reason(work: Work) -> None:
    record = Record(work, "failed", failure=Failure("raised", "ValueError: no", "Traceback"))
    assert Record.from_files(record.to_files()).failure == record.failure


def test_the_notes_of_a_record_come_back(record: Record) -> None:
    noted = replace(record, notes=("collapsed in epochs 3 to 5", "2·B·m = 25.6"))
    assert Record.from_files(noted.to_files()).notes == noted.notes


def test_what_the_seconds_went_into_comes_back(record: Record) -> None:
    told = replace(record, spent={"forward": 1.5, "waiting": 0.0})
    assert Record.from_files(told.to_files()).spent == told.spent


def test_a_record_from_before_there_were_notes_is_read_and_has_none(record: Record) -> None:
    files = replace(record, notes=("gone",)).to_files()
    body = json.loads(files["record.json"])
    del body["notes"], body["checksum"]
    body["checksum"] = hashlib.sha256(canonical(body).encode()).hexdigest()
    back = Record.from_files({**files, "record.json": json.dumps(body).encode()})
    assert back.notes == () and back.metrics == record.metrics


def test_further_metrics_by_query_come_back_and_are_checked(record: Record) -> None:
    mrr = QueryValues(np.array([0.5, 1 / 3], np.float32), np.array([7, 2], np.int32))
    files = replace(record, values={"test/i2t_mrr": mrr}).to_files()
    back = Record.from_files(files)
    np.testing.assert_array_equal(back.values["test/i2t_mrr"].values, mrr.values)
    np.testing.assert_array_equal(back.values["test/i2t_mrr"].clusters, mrr.clusters)
    assert back.values["test/i2t_mrr"].values.dtype == np.float32
    altered = bytes([files["values.npz"][0] ^ 0xFF]) + files["values.npz"][1:]
    with pytest.raises(DamagedRecord, match=r"values\.npz does not have its checksum"):
        Record.from_files({**files, "values.npz": altered})


def test_a_record_without_further_metrics_has_no_file_of_them(record: Record) -> None:
    assert sorted(record.to_files()) == ["ranks.npz", "record.json"]
    assert Record.from_files(record.to_files()).values == {}


def test_work_with_a_stop_rule_travels_as_json(work: Work) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/rsum", True, {1: 10.0, 12: 20.0}))
    assert Work.from_json(json.loads(json.dumps(ruled.to_json()))) == ruled


def test_every_single_altered_byte_of_the_ranks_is_noticed(record: Record) -> None:
    files = record.to_files()
    content = files["ranks.npz"]
    for position in range(0, len(content), 37):
        altered = bytearray(content)
        altered[position] ^= 0xFF
        with pytest.raises(DamagedRecord, match=r"ranks\.npz does not have its checksum"):
            Record.from_files({**files, "ranks.npz": bytes(altered)})


def test_an_altered_metric_is_noticed(record: Record) -> None:
    files = record.to_files()
    altered = files["record.json"].replace(b"312.5", b"313.5")
    assert altered != files["record.json"]
    with pytest.raises(DamagedRecord, match="does not have its checksum"):
        Record.from_files({**files, "record.json": altered})


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_a_truncated_record_is_noticed(record: Record, length: int) -> None:
    files = record.to_files()
    with pytest.raises(DamagedRecord):
        Record.from_files({**files, "record.json": files["record.json"][:length]})


def test_missing_files_are_noticed(record: Record) -> None:
    files = record.to_files()
    with pytest.raises(DamagedRecord, match=r"ranks\.npz is missing"):
        Record.from_files({"record.json": files["record.json"]})
    with pytest.raises(DamagedRecord, match=r"record\.json"):
        Record.from_files({"ranks.npz": files["ranks.npz"]})


def test_a_stop_rule_compares_with_the_threshold_of_its_step() -> None:
    up = StopRule("m", True, {2: 10.0})
    assert up.stops(2, 9.9) and not up.stops(2, 10.0) and not up.stops(1, 0.0)
    down = StopRule("m", False, {2: 10.0})
    assert down.stops(2, 10.1) and not down.stops(2, 10.0)
