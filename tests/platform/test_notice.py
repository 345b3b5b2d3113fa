"""Notices: what a webhook gets, and that no hook harms a sweep or sees its address told."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from crosscut import notice
from crosscut.arms.experiment import Experiment
from crosscut.errors import InputError
from crosscut.notice import Notices
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work

Outcome = Callable[[Work], Record]
SECRET = "services/T0/B0/hush"


@dataclass
class Hook:
    """A webhook on this machine, and what was posted to it."""

    url: str
    posted: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    open: threading.Event = field(default_factory=threading.Event)
    """Set where it answers at once."""


@contextmanager
def hook(status: int = 200, elsewhere: str = "") -> Iterator[Hook]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            found.posted.append(json.loads(body))
            found.open.wait(60)
            self.send_response(status)
            if elsewhere:
                self.send_header("Location", elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            found.asked.append(f"{self.command} {self.path}")

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # whoever asked may have gone
                super().handle()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Hook(f"http://127.0.0.1:{server.server_port}/{SECRET}")
        found.open.set()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield found
        finally:
            found.open.set()
            server.shutdown()


@pytest.fixture
def plan(make_experiment: Callable[..., Experiment]) -> Plan:
    return reconcile(make_experiment(trials=0, seeds=4), lambda _: None)


def failing(work: Work) -> Record:
    return Record(work, "failed", failure=Failure("raised", f"ValueError: seed {work.seed}"))


def follow(plan: Plan, notices: Notices, outcome: Outcome) -> None:
    while (work := plan.next()) is not None:
        record = outcome(work)
        plan.ended(record)
        notices.ended(record)


def test_the_end_is_told_with_counts_and_verdicts(plan: Plan, outcome: Outcome) -> None:
    told: list[str] = []
    with hook() as there:
        with Notices(there.url, plan, "/shared/results/toy", told.append) as notices:
            follow(plan, notices, outcome)
            notices.found(["effect: some vs none — better."])
        assert there.asked == [f"POST /{SECRET}"] and told == []
        (document,) = there.posted
    text = document.pop("text")
    assert text == document.pop("content")
    assert text.splitlines() == [
        "toy has ended: 8 of 8 runs", "effect: some vs none — better.", "/shared/results/toy",
    ]  # fmt: skip
    assert document == {
        "sweep": "toy",
        "event": "ended",
        "running": False,
        "folder": "/shared/results/toy",
        "counts": {"trials": 0, "trials_asked": 0, "runs": 8, "runs_asked": 8, "failed": 0},
        "failures": [],
        "verdicts": ["effect: some vs none — better."],
    }


def test_the_first_failure_is_told_at_once_and_further_ones_together(plan: Plan) -> None:
    with hook() as there:
        with Notices(there.url, plan, "toy", print) as notices:
            work = plan.next()
            assert work is not None
            plan.ended(failing(work))
            notices.ended(failing(work))
            wait_for(lambda: len(there.posted) == 1)
            first = there.posted[0]
            follow(plan, notices, failing)
        assert len(there.posted) == 2
    assert (first["event"], first["running"], first["counts"]["failed"]) == ("failed", True, 1)
    assert first["failures"] == ["none seed 0 (raised): ValueError: seed 0"]
    assert first["text"].startswith(
        "toy: a run failed, at 1 of 8 runs; the sweep goes on\nnone seed 0 (raised)"
    )
    last = there.posted[1]
    assert (last["event"], last["counts"]["failed"], len(last["failures"])) == ("ended", 8, 5)
    assert "toy has ended: 8 of 8 runs; 8 failed" in last["text"] and "and 2 more" in last["text"]


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait for what a thread does, a minute at the most."""
    done = threading.Event()
    for _ in range(6000):
        if holds():
            return
        done.wait(0.01)
    raise AssertionError("it never did")


def test_collected_failures_are_told_when_it_has_been_quiet_for_long_enough(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("crosscut.notice.time.monotonic", lambda: now[0])
    with hook() as there:
        with Notices(there.url, plan, "toy", print) as notices:
            for later in (0.0, 1.0, 1.0, notice.QUIET):
                now[0] += later
                work = plan.next()
                assert work is not None
                plan.ended(failing(work))
                notices.ended(failing(work))
        assert [len(one["failures"]) for one in there.posted] == [1, 3, 0]
    assert there.posted[1]["text"].startswith("toy: 3 runs failed, at 4 of 8 runs; the sweep goes on")


@pytest.mark.parametrize(
    ("error", "event", "said"),
    [
        (KeyboardInterrupt(), "interrupted", "was interrupted at 0 of 8 runs; the same command goes on"),
        (
            OSError(28, "No space left on device"),
            "failed",
            "broke off at 0 of 8 runs: OSError: [Errno 28] No",
        ),
        (
            InputError("resources:\n too little"),
            "failed",
            "broke off at 0 of 8 runs: InputError: resources: too",
        ),
    ],
)
def test_whatever_ends_a_sweep_is_told_and_raised(
    plan: Plan, error: BaseException, event: str, said: str
) -> None:
    with hook() as there:
        with pytest.raises(type(error)), Notices(there.url, plan, "toy", print) as notices:
            notices.found(["not told, since it is not the end"])
            raise error
        (document,) = there.posted
    assert (document["event"], document["running"], document["verdicts"]) == (event, False, [])
    assert document["text"].startswith(f"toy {said}")


def test_a_long_text_is_cut_to_what_chats_take(plan: Plan, outcome: Outcome) -> None:
    with hook() as there:
        with Notices(there.url, plan, "toy", print) as notices:
            notices.found(["x" * 5000])
        (document,) = there.posted
    assert len(document["text"]) == notice.LONG < 2000
    assert document["verdicts"] == ["x" * 5000]


def test_nobody_is_told_where_no_hook_is_named(plan: Plan, outcome: Outcome) -> None:
    threads = threading.active_count()
    with Notices(None, plan, "toy", print) as notices:
        follow(plan, notices, failing)
        assert threading.active_count() == threads


def complaints(url: str, plan: Plan) -> list[str]:
    told: list[str] = []
    with Notices(url, plan, "toy", told.append) as notices:
        follow(plan, notices, failing)
    assert not any(part in "".join(told) for part in (SECRET, "hush", "services"))
    return told


def test_a_dead_hook_is_told_of_once_by_its_host(plan: Plan) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert complaints(f"http://127.0.0.1:{port}/{SECRET}", plan) == [
        "a notice to 127.0.0.1 was not delivered (Connection refused); the sweep is not affected"
    ]


def test_a_hook_that_answers_with_an_error_is_told_of_once(plan: Plan) -> None:
    with hook(status=500) as there:
        (said,) = complaints(there.url, plan)
        assert len(there.posted) == 2, "it is tried with the next notice all the same"
    assert "127.0.0.1 was not delivered (it answered 500)" in said


def test_a_redirect_is_not_followed(plan: Plan) -> None:
    with hook() as other, hook(status=302, elsewhere=other.url) as there:
        (said,) = complaints(there.url, plan)
        assert other.asked == [] and len(there.posted) == 2
    assert "it answered 302, a redirect, which is not followed" in said


def test_a_hook_that_is_silent_is_given_up(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "TIMEOUT", 0.1)
    with hook() as there:
        there.open.clear()
        (said,) = complaints(there.url, plan)
    assert "no answer within 0.1 seconds" in said


def test_the_end_of_a_sweep_waits_for_a_slow_hook_for_so_long_only(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice, "TIMEOUT", 60.0)
    monkeypatch.setattr(notice, "GRACE", 0.1)
    with hook() as there:
        there.open.clear()
        (said,) = complaints(there.url, plan)
        assert not there.open.is_set(), "it is not answered yet"
    assert "no answer within 0.1 seconds" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"ftp://hooks.example/{SECRET}", "found the scheme 'ftp'"),
        (f"file:///{SECRET}", "found the scheme 'file'"),
        (f"hooks.example/{SECRET}", "found no scheme"),
        (f"https:///{SECRET}", "expected the address of a webhook"),
        (f"https://hooks.example:{SECRET}", "expected the address of a webhook"),
        (f"https://[hooks/{SECRET}", "expected the address of a webhook"),
        (f"https://hooks.example/{SECRET}\nHost: other", "expected the address of a webhook"),
        (f"https://me:{SECRET}@hooks.example", "expected the address of a webhook"),
        (f"https://me:hush@hooks.example/{SECRET}", "found a user name in it"),
        ("", "found no scheme"),
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(plan: Plan, url: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        Notices(url, plan, "toy", print)
    text = str(refused.value)
    assert text.startswith("--notify: ") and said in text and "hush" not in text and "services" not in text
