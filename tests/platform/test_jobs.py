"""Sweeps as jobs of a real Ray cluster: sent with their code, followed, stopped, gone on with."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crosscut.errors import InputError
from crosscut.jobs.luggage import START
from crosscut.jobs.server import Server, command, start
from crosscut.progress import FILE
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
        # It stops what it has started, and needs those processes for it.
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the group is that of this cluster alone
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

    def run(
        *arguments: str, interrupt: Callable[[subprocess.Popen[str]], object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """How a command ends; with `interrupt`, how it ends by Ctrl-C after that function has returned."""
        command = [sys.executable, "-m", "crosscut", *arguments, "--address", address]
        environment = {**os.environ, "COLUMNS": "200", "RAY_AUTH_MODE": "disabled"}
        with subprocess.Popen(
            command, cwd=code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            if interrupt is not None:
                interrupt(process)
                process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

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
    logged = call("logs", job)
    assert "effect: some vs none" in logged.stdout and logged.stderr == "", "Ray's client keeps quiet"
    assert "sh start.sh run ../toy.yaml" in logged.stdout, "what the cluster shows of a job is short"
    assert "has ended already: succeeded" in call("stop", job).stdout


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_job_that_was_broken_off_is_gone_on_with(call: Call, tmp_path: Path, how: str) -> None:
    (tmp_path / "code/toy.yaml").write_text(SWEEP.format(seconds=6, log=tmp_path / "log.txt"))
    storage = str(tmp_path / "results")
    done = call("submit", "toy.yaml", "--storage", storage)
    assert done.returncode == 0, done
    job = done.stdout.strip()
    until = time.monotonic() + 120
    while not (tmp_path / "log.txt").exists() and time.monotonic() < until:
        time.sleep(0.2)
    if how == "stopped":
        stopped = call("stop", job)
        assert stopped.returncode == 0 and f"{job}: stopped" in stopped.stdout, stopped
    else:
        os.kill(json.loads((tmp_path / "results/toy" / FILE).read_text())["pid"], signal.SIGKILL)
    again = call("submit", "toy.yaml", "--storage", storage, "--follow")
    assert again.returncode == 0, again
    assert len(Store(tmp_path / "results/toy").recorded()) == 4
    assert f"{job}  toy    {'stopped' if how == 'stopped' else 'failed'}" in call("jobs").stdout


@pytest.mark.slow
def test_whoever_stops_watching_stops_no_job_and_a_second_one_ends_at_once(
    call: Call, tmp_path: Path
) -> None:
    (tmp_path / "code/toy.yaml").write_text(SWEEP.format(seconds=600, log=tmp_path / "log.txt"))
    storage = str(tmp_path / "results")
    job = call("submit", "toy.yaml", "--storage", storage).stdout.strip()
    until = time.monotonic() + 120
    while not (tmp_path / "log.txt").exists() and time.monotonic() < until:
        time.sleep(0.2)
    watched = call("logs", job, "--follow", interrupt=_first_line)
    assert watched.returncode == 130 and f"{job} goes on without you" in watched.stderr, watched
    second = call("submit", "toy.yaml", "--storage", storage, "--follow")
    assert second.returncode == 2 and "holds this sweep" in second.stdout, "it ends as the job does"
    assert "failed" in second.stderr and "holds this sweep" not in second.stderr, "and repeats no log"
    stopped = call("stop", job)
    assert stopped.returncode == 0 and f"{job}: stopped" in stopped.stdout, stopped


@pytest.mark.slow
def test_what_is_wrong_is_one_sentence(call: Call) -> None:
    for arguments, sentence in (
        (("logs", "crosscut-toy-1"), "job: found 'crosscut-toy-1', expected one that"),
        (("submit", "toy.yaml", "--storage", "results"), "expected an absolute path that all nodes"),
        (("submit", "toy.yaml", "--storage", "/tmp/x", "--code", "nowhere"), "expected a folder"),
    ):
        done = call(*arguments)
        assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr, done


def _first_line(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None and process.stdout.readline()


@contextlib.contextmanager
def pretender(status: int, body: dict[str, str]) -> Iterator[str]:
    """The address of a server that gives this answer to whatever is asked."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


VERSION = {"version": "4", "ray_version": "2.60.0", "ray_commit": "x"}


def test_an_address_that_is_no_job_servers_is_refused() -> None:
    with pytest.raises(InputError, match=r"found 'ray://here:10001', expected .* http://127.0.0.1:8265"):
        Server("ray://here:10001")
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(InputError, match=f"no job server answers at '{address}'"):
        Server(address)
    with pretender(404, {}) as address, pytest.raises(InputError, match=f"server at '{address}' refuses"):
        Server(address)


def test_a_cluster_with_a_token_says_what_to_set() -> None:
    wanted = pytest.raises(InputError, match=r"wants the cluster's token .*RAY_AUTH_TOKEN")
    with pretender(401, {"msg": "who are you?"}) as address, wanted:
        Server(address)


@pytest.mark.parametrize("variable", ["RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"])
def test_the_address_that_is_asked_for_is_the_one_that_is_used(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretender(200, VERSION) as elsewhere:
        assert Server(elsewhere).address == elsewhere
        monkeypatch.setenv(variable, elsewhere)
        with pytest.raises(InputError, match="no job server answers"):
            Server(f"http://127.0.0.1:{free_port()}")
        assert os.environ[variable] == elsewhere


def test_without_a_python_that_has_ray_the_job_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / START).write_text(start(["/nowhere/python"]))
    done = subprocess.run(command(["run"]), shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "crosscut submit --python" in done.stderr


def test_the_first_python_that_has_ray_is_handed_what_the_job_is_to_do(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "crosscut").mkdir()
    (tmp_path / "crosscut/__init__.py").touch()
    (tmp_path / "crosscut/__main__.py").write_text("import os, sys; print(os.getcwd(), sys.argv[1:])")
    (tmp_path / START).write_text(start(["/nowhere/python", sys.executable]))
    asked = ["run", "a sweep.yaml", "--set", "question='$HOME?'"]
    done = subprocess.run(
        command(asked), shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path / 'code'} {asked}\n"


@pytest.mark.parametrize(
    ("storage", "sentence"),
    [
        ("results", "an absolute path that all nodes of the cluster share, or a URI such as s3://"),
        ("s3://key:word@bucket/results", "found credentials in the URI of a storage"),
    ],
)
def test_a_storage_that_nodes_could_not_find_is_refused(
    crosscut: Callable[..., Any], storage: str, sentence: str
) -> None:
    answer = crosscut("submit", "quickstart", "--storage", storage, "--address", "http://127.0.0.1:1")
    assert answer.code == 2 and sentence in answer.errors and "word" not in answer.errors
