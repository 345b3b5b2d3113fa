"""Sweeps as jobs of a real Ray cluster: sent with their code, followed, stopped, gone on with."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crosscut.errors import InputError
from crosscut.jobs.server import Server, command
from crosscut.records.store import Store

SWEEP = """
name: toy
trainable: toy:train
config: {{effect: 0.0, x: 0.5, seconds: {seconds}, misbehave: nothing, checkpoint: true, log: {log}}}
factors:
  effect:
    none: {{effect: 0.0}}
    some: {{effect: 3.0}}
design: {{kind: full-factorial, baseline: {{effect: none}}}}
seeds: {{count: 2}}
report: {{primary: test/rsum, margin: 1.0}}
"""

Call = Callable[..., subprocess.CompletedProcess[str]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def job_server(cpus: int = 2) -> Iterator[str]:
    """A Ray cluster on this machine, with a job server at the address that is given out."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # Ray's sockets want a short path
    port, gcs = free_port(), free_port()
    ray = Path(sys.executable).with_name("ray")
    process = subprocess.Popen(
        [
            str(ray), "start", "--head", "--block", f"--port={gcs}", "--dashboard-host=127.0.0.1",
            f"--dashboard-port={port}", f"--dashboard-agent-listen-port={free_port()}", f"--num-cpus={cpus}",
            f"--temp-dir={folder}", "--disable-usage-stats", "--node-ip-address=127.0.0.1",
        ],
        env={**os.environ, "RAY_AUTH_MODE": "disabled"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address
    finally:
        # The group is that of this cluster alone.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[0].decode())
        try:
            with urllib.request.urlopen(f"{address}/api/version", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"no job server at {address}")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with job_server() as found:
        yield found


@pytest.fixture
def call(address: str, tmp_path: Path) -> Call:
    """The command line, in a folder with a trainable and a sweep of it."""
    code = tmp_path / "code"
    code.mkdir()
    shutil.copy(Path(__file__).with_name("toy.py"), code / "toy.py")
    (code / "toy.yaml").write_text(SWEEP.format(seconds=0.1, log=tmp_path / "log.txt"))
    (code / ".env").write_text("TOKEN=private")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "crosscut", *arguments, "--address", address],
            cwd=code, capture_output=True, text=True, timeout=300,
            env={**os.environ, "COLUMNS": "200", "RAY_AUTH_MODE": "disabled"},
        )  # fmt: skip

    return run


@pytest.mark.slow
def test_a_sweep_is_sent_with_its_code_and_ends_with_its_report(call: Call, tmp_path: Path) -> None:
    storage = str(tmp_path / "results")
    done = call("submit", "toy.yaml", "--storage", storage, "--set", "seeds.count=1", "--follow")
    assert done.returncode == 0, done
    job = done.stdout.splitlines()[0]
    assert job.startswith("crosscut-toy-") and "effect: some vs none" in done.stdout
    assert ".env stays here" in done.stderr and "2 files of" in done.stderr
    assert len(Store(tmp_path / "results/toy").recorded()) == 2
    assert (tmp_path / "results/toy/report/report.html").is_file()
    listed = call("jobs").stdout
    assert f"{job}  toy    succeeded" in listed and storage in listed
    assert "effect: some vs none" in call("logs", job).stdout
    assert "has ended already: succeeded" in call("stop", job).stdout


@pytest.mark.slow
def test_a_stopped_job_is_gone_on_with(call: Call, tmp_path: Path) -> None:
    (tmp_path / "code/toy.yaml").write_text(SWEEP.format(seconds=6, log=tmp_path / "log.txt"))
    storage = str(tmp_path / "results")
    done = call("submit", "toy.yaml", "--storage", storage)
    assert done.returncode == 0, done
    job = done.stdout.strip()
    until = time.monotonic() + 120
    while not (tmp_path / "log.txt").exists() and time.monotonic() < until:
        time.sleep(0.2)
    stopped = call("stop", job)
    assert stopped.returncode == 0 and f"{job}: stopped" in stopped.stdout, stopped
    again = call("submit", "toy.yaml", "--storage", storage, "--follow")
    assert again.returncode == 0, again
    assert len(Store(tmp_path / "results/toy").recorded()) == 4


@pytest.mark.slow
def test_what_is_wrong_is_one_sentence(call: Call) -> None:
    for arguments, sentence in (
        (("logs", "crosscut-toy-1"), "job: found 'crosscut-toy-1', expected one that"),
        (("submit", "toy.yaml", "--storage", "results"), "expected an absolute path that all nodes"),
        (("submit", "toy.yaml", "--storage", "/tmp/x", "--code", "nowhere"), "expected a folder"),
    ):
        done = call(*arguments)
        assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr, done


def test_an_address_that_is_no_job_servers_is_refused() -> None:
    with pytest.raises(InputError, match=r"found 'ray://here:10001', expected .* http://127.0.0.1:8265"):
        Server("ray://here:10001")
    with pytest.raises(InputError, match="does not do it"):
        Server(f"http://127.0.0.1:{free_port()}")


def test_without_a_python_that_has_ray_the_job_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    done = subprocess.run(
        command(["/nowhere/python"], ["run"]), shell=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and "crosscut submit --python" in done.stderr
