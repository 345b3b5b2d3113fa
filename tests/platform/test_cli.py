"""The command line: what is wrong ends with one sentence and exit code 2, and nothing heavy is imported for
what does not need it."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crosscut.arms.experiment import Experiment
from crosscut.plan import reading, reconcile, recorded
from crosscut.progress import Progress, elsewhere
from crosscut.records.catalogue import Catalogue
from crosscut.records.lock import driving
from crosscut.records.record import Failure, Record
from crosscut.records.snapshot import keep
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile import bundled

SWEEP = """
name: toy
question: Does the effect have an effect?
trainable: costless:train
config: {effect: 0.0, x: 0.5}
factors:
  effect:
    none: {effect: 0.0}
    some: {effect: 3.0}
design: {kind: full-factorial, baseline: {effect: none}}
search: {metric: dev/rsum, trials: 4, space: {x: {uniform: [0, 1]}}}
seeds: {count: 3}
"""

RETRIEVAL = """
name: r
factors:
  constraints:
    none: {}
    ccr: {constraints: {ccr: {}}}
design: {kind: full-factorial, baseline: {constraints: none}}
seeds: {count: 2}
"""

TABLE = "config,seed,metric,value\na,1,m,1\nb,1,m,2\na,2,m,3.5\nb,2,m,4\n"


Call = Callable[..., Any]


@pytest.fixture
def call(crosscut: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line, in a folder with a sweep and its trainable."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "costless.py").write_text("def train(config, session):\n    raise AssertionError\n")
    (tmp_path / "toy.yaml").write_text(SWEEP)
    (tmp_path / "scores.csv").write_text(TABLE)
    return crosscut


@pytest.fixture
def refused(call: Call, tmp_path: Path) -> Callable[..., str]:
    """The one sentence that refuses a command, which leaves nothing behind."""

    def sentence(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        answer = call(*arguments)
        assert answer.code == 2
        assert answer.output == ""
        assert "Traceback" not in answer.errors
        assert answer.errors.startswith("crosscut: ") and answer.errors.count("\n") == 1
        assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in str(path)] == [
            path for path in before if "__pycache__" not in str(path)
        ]
        return answer.errors.removeprefix("crosscut: ").strip()

    return sentence


@pytest.fixture
def ended_sweep(
    make_store: Callable[[], Store],
    make_experiment: Callable[..., Experiment],
    complete: Callable[..., None],
) -> Store:
    """A sweep of which all is recorded."""
    store, experiment = make_store(), make_experiment()
    keep(store, experiment)
    complete(reconcile(experiment, reading(Catalogue(store), [])), store=store)
    return store


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("seeds: {count: 3}", "seeds: {count: 3", r"bad.yaml: line 13, column 1: this is not YAML"),
        ("search: {", "serch: {", "bad.yaml: serch: unknown key, expected one of .*; did you mean 'search'?"),
        (
            "{count: 3}",
            "{count: 3, frist: 1}",
            "bad.yaml: seeds.frist: unknown key, .* did you mean 'first'?",
        ),
        (
            "baseline: {effect: none}",
            "baseline: {effect: nine}",
            "bad.yaml: design.baseline.effect: .*'nine'",
        ),
        (
            "baseline: {effect: none}",
            "baseline: {effect: none}, exclude: [{effect: none}]",
            "bad.yaml: design",
        ),
        ("    some: {effect: 3.0}\n", "", "bad.yaml: design: the design has one arm, expected at least two"),
        ("x: {uniform", "y.z: {uniform", "bad.yaml: search.space.y.z: no arm has this parameter"),
        ("trials: 4", "trials: -4", "bad.yaml: search.trials: found -4, expected a number of at least 1"),
        ("costless:train", "costly:train", "bad.yaml: trainable: 'costly' does not import"),
        ("costless:train", "costless:trian", "bad.yaml: trainable: .*no 'trian'; did you mean 'train'?"),
        ("some: {effect: 3.0}", "some: {efect: 3.0}", "bad.yaml: factors.effect.some.efect: .*'effect'"),
    ],
)
def test_a_wrong_sweep_is_refused_with_its_file_and_key(
    refused: Callable[..., str], tmp_path: Path, command: str, before: str, after: str, said: str
) -> None:
    assert before in SWEEP
    (tmp_path / "bad.yaml").write_text(SWEEP.replace(before, after))
    sentence = refused(command, "bad.yaml")
    assert re.match(said, sentence), sentence


def test_a_level_that_patches_a_key_the_trainable_does_not_have_is_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text(RETRIEVAL.replace("ccr: {}}}", "ccr: {wieght: 1}}}"))
    sentence = refused("plan", "bad.yaml")
    assert sentence.startswith("bad.yaml: factors.constraints.ccr.constraints.ccr.wieght: ")
    assert "did you mean 'weight'?" in sentence


def test_a_missing_sweep_is_refused_with_the_near_name(refused: Callable[..., str]) -> None:
    assert "quickstrt: no such file" in refused("plan", "quickstrt")
    assert refused("run", "quickstrt").endswith("did you mean 'quickstart'?")
    assert refused("plan", "./toi.yaml").endswith("did you mean 'toy.yaml'?")


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("nonsense", "--set: found 'nonsense', expected key=value"),
        ("=3", "--set: found '=3', expected key=value"),
        ("seeds.count=[", "--set seeds.count=[: line 1, column 2: this is not YAML"),
        ("seeds.count=many", "--set seeds.count=many: seeds.count: found 'many', expected a whole number"),
        ("seeds.cuont=3", "--set seeds.cuont=3: seeds.cuont: unknown key"),
        ("name=../up", "--set name=../up: name: found '../up'"),
    ],
)
def test_a_wrong_patch_is_refused_by_its_own_text(refused: Callable[..., str], patch: str, said: str) -> None:
    assert refused("plan", "toy.yaml", "--set", patch).startswith(said)


def test_a_storage_that_cannot_be_written_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = refused("run", "toy.yaml", "--storage", "file/below")
    assert sentence.startswith("--storage: 'file/below' cannot be written (Not a directory")
    for command in ("run", "plan"):
        sentence = refused(command, "toy.yaml", "--storage", "s3://bucket")
        assert sentence.startswith("--storage: found 's3://bucket', expected a folder")


def test_tensorboard_listens_on_this_machine_only_unless_told_otherwise(
    call: Call, ended_sweep: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def become(program: str, command: list[str]) -> None:
        assert program == sys.executable
        started.append(command)

    # the command becomes the server, so that stopping it leaves none behind
    monkeypatch.setattr(os, "execv", become)
    assert call("tensorboard", str(ended_sweep.folder)).code == 0
    assert call("tensorboard", str(ended_sweep.folder), "--host", "0.0.0.0", "--port", "7007").code == 0
    hosts = [command[command.index("--host") + 1] for command in started]
    assert hosts == ["localhost", "0.0.0.0"] and "7007" in started[1]
    assert started[0][started[0].index("--logdir") + 1] == str(ended_sweep.tensorboard)


def test_a_folder_without_a_sweep_is_refused(refused: Callable[..., str], ended_sweep: Store) -> None:
    assert refused("status", "results").startswith("results: no sweep.json here")
    assert refused("status", "results").endswith("there are sweeps in results/sweep")
    assert refused("report", "results").startswith("results: no sweep.json here")
    assert refused("status", "elsewhere").startswith("elsewhere: no such folder")
    assert refused("tensorboard", "elsewhere").startswith("elsewhere: no such folder")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            TABLE.replace("b,", "a,").replace("a,1,m,2", "a,3,m,2").replace("a,2,m,4", "a,4,m,4"),
            "t.csv: found one arm, 'a', ",
        ),
        (TABLE.replace("seed", "sead"), "t.csv: has no column 'seed'; did you mean 'sead'?"),
        (TABLE.replace("3.5", "nan"), "t.csv: row 4, column 'value': expected a finite number, found nan"),
        (TABLE.replace("3.5", "high"), "t.csv: row 4, column 'value': expected a number, found 'high'"),
        (TABLE + "a,1,m,5\n", "t.csv: rows 2 and 6 are the same measurement (config 'a', seed '1'"),
        ("", "t.csv: has no rows"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(
    refused: Callable[..., str], tmp_path: Path, table: str, said: str
) -> None:
    (tmp_path / "t.csv").write_text(table)
    assert refused("report", "t.csv", "--out", "out").startswith(said)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (("--baseline", "c"), "baseline: there is no arm 'c'; there is a, b"),
        (("--metric", "n"), "primary: there is no metric 'n'; there is m"),
        (("--factors", "size"), "has no factor 'size'; it has config"),
        (("--alpha", "2"), "alpha: found 2.0, expected a number between 0 and 0.5"),
        (("--margin", "-1"), "margin: found -1.0, expected 0 or a positive number"),
    ],
)
def test_a_wish_for_what_a_table_does_not_have_is_refused(
    refused: Callable[..., str], wish: tuple[str, str], said: str
) -> None:
    assert refused("report", "scores.csv", *wish).startswith(f"scores.csv: {said}")


def test_a_wish_for_what_a_sweep_does_not_have_is_refused(
    refused: Callable[..., str], ended_sweep: Store
) -> None:
    assert refused("report", "results/sweep", "--baseline", "som").startswith(
        "toy: baseline: there is no arm 'som'; there is none, some; did you mean 'some'?"
    )
    assert refused("report", "results/sweep", "--metric", "n").startswith("toy: primary: there is no metric")
    assert refused("report", "results/sweep", "--factors", "n").startswith(
        "toy: factors: there is no factor 'n'; there is effect"
    )


def test_a_report_that_cannot_be_written_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in ("file", "file/below"):
        sentence = refused("report", "scores.csv", "--out", out)
        assert sentence.startswith(f"--out: '{out}' cannot be written (")
    assert refused("report", "nowhere.csv") == "nowhere.csv: no such file"


@pytest.mark.parametrize("arguments", [("plan", "--nope"), ("plan",), ("plan", "a", "b"), ("nope",)])
def test_wrong_usage_has_the_same_exit_code(call: Call, arguments: tuple[str, ...]) -> None:
    answer = call(*arguments)
    assert answer.code == 2
    assert "Usage:" in answer.errors and "Traceback" not in answer.errors


def test_wrong_input_ends_the_process_the_same_way(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crosscut", "run", "nowhere.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("crosscut: nowhere.yaml: no such file") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_says_that_the_same_command_goes_on(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> dict[str, str | None]:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundled, "questions", interrupt)
    answer = call("list")
    assert answer.code == 130
    assert answer.errors == "crosscut: interrupted; the same command goes on from here\n"


def test_a_plan_shows_arms_trials_runs_and_cost_and_writes_nothing(call: Call, tmp_path: Path) -> None:
    answer = call("plan", "toy.yaml", "--set", "seeds.count=5")
    assert answer.code == 0
    lines = answer.output.splitlines()
    assert lines[0] == "toy: Does the effect have an effect?"
    assert lines[2].split() == ["none", "(baseline)", "0/4", "0/5"]
    assert lines[3].split() == ["some", "0/4", "0/5"]
    assert lines[4:] == [
        "search trials: 8 (0 recorded and reused, 8 new)",
        "runs: 10 (0 recorded and reused, 10 new)",
        "cost: not known before the first run",
    ]
    assert not (tmp_path / "results").exists()


def test_a_plan_tells_what_a_fraction_cannot_tell_apart(call: Call, tmp_path: Path) -> None:
    factors = "\n".join(f"  {name}: {{low: {{{name}: 0}}, high: {{{name}: 1}}}}" for name in "abc")
    design = "design: {kind: fractional, resolution: III, baseline: {a: low, b: low, c: low}}"
    head = "name: part\ntrainable: costless:train\nconfig: {effect: 0.0, a: 0, b: 0, c: 0}\n"
    (tmp_path / "part.yaml").write_text(f"{head}factors:\n{factors}\n{design}\nseeds: {{count: 1}}\n")
    answer = call("plan", "part.yaml")
    assert answer.code == 0, answer.errors
    lines = answer.output.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["a=low,", "a=low,", "a=high,", "a=high,"]
    assert lines[6:9] == [
        "design: fractional, 4 of 8 combinations, resolution III; defining relation: I = −a × b × c",
        "aliases: a = −b × c; b = −a × c; c = −a × b",
        "search trials: 0 (0 recorded and reused, 0 new)",
    ]


def test_a_plan_guesses_the_cost_of_what_ships_with_it(call: Call) -> None:
    answer = call("plan", "quickstart")
    assert answer.code == 0
    (cost,) = [line for line in answer.output.splitlines() if line.startswith("cost: ")]
    assert "at once on this machine (a rough guess until runs are recorded)" in cost


def test_a_plan_tells_what_is_recorded_and_what_is_asked_for_no_more(
    call: Call, tmp_path: Path, complete: Callable[..., None]
) -> None:
    from crosscut.arms.experiment import prepare
    from crosscut.sweepfile.sweep import read

    store = Store.create(str(tmp_path / "results"), "toy")
    experiment = prepare(read("toy.yaml"))
    keep(store, experiment)
    complete(reconcile(experiment, reading(Catalogue(store), [])), store=store)
    answer = call("plan", "toy.yaml", "--set", "seeds.count=5")
    assert (
        "search trials: 8 (8 recorded and reused, 0 new)\n"
        "runs: 10 (6 recorded and reused, 4 new)\ncost: 8 s of runs" in answer.output
    )
    assert "(from recorded runs)" in answer.output
    fewer = call("plan", "toy.yaml", "--set", "seeds.count=2").output
    assert "runs: 4 (4 recorded and reused, 0 new)\nno longer asked for: 2 runs of " in fewer
    victim = store.recorded()[0]
    (store.runs / victim / "record.json").write_text("{}")
    assert f"note: the record {victim} is damaged" in call("plan", "toy.yaml").output
    assert victim in store.recorded()


def test_names_that_look_like_markup_are_shown_as_they_are(call: Call, tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(SWEEP.replace("some: {", "'[/] some': {"))
    answer = call("plan", "toy.yaml", "--set", "report.primary='[/]m'", "--set", "question='[red]?'")
    assert answer.code == 0
    assert answer.output.startswith("toy: [red]?\n")
    assert "[/]m" in answer.output and "[/] some" in answer.output


def test_the_status_of_a_sweep_that_ended_shows_it_once_also_when_watched(
    call: Call, ended_sweep: Store
) -> None:
    answer = call("status", "results/sweep")
    assert answer.code == 0
    assert answer.output.startswith("toy: ended\n")
    assert "search trials 4/4 · runs 6/6" in answer.output
    assert call("status", "results/sweep", "--watch").code == 0


def test_the_status_of_a_sweep_tells_who_runs_it_what_runs_and_what_failed(
    call: Call, store: Store, make_experiment: Callable[..., Experiment], complete: Callable[..., None]
) -> None:
    def failing(work: Work) -> Record:
        return Record(work, "failed", failure=Failure("raised", "[red] it cannot"))

    experiment = make_experiment(levels=("none", "some"))
    keep(store, experiment)
    plan = reconcile(experiment, reading(Catalogue(store), []))
    complete(plan, failing, store=store, most=3)
    stopped = call("status", "results/sweep").output
    assert stopped.startswith("toy: not running; `crosscut run` goes on with it\n")
    quiet = Console(file=io.StringIO())
    with driving(store.place), Progress(plan, store, 2, quiet) as progress:
        work = plan.next()
        assert work is not None and work.label == "some trial 1"
        progress.given(work)
        while not elsewhere(store).running:
            time.sleep(0.01)
        lines = call("status", "results/sweep").output.splitlines()
    assert lines[0].startswith(f"toy: running: process {os.getpid()} on ")
    assert lines[2].split() == ["none", "(baseline)", "2/2", "0/3", "blocked", "2"]
    assert lines[3].split() == ["some", "1/2", "0/3", "1", "1"]
    assert "failed (raised): none trial 0: [red] it cannot" in lines
    assert lines[-1] == "blocked: none: none of its 2 search trials finished"


def test_the_status_of_a_sweep_tells_what_its_runs_have_notes_on(
    call: Call,
    store: Store,
    make_experiment: Callable[..., Experiment],
    complete: Callable[..., None],
    outcome: Callable[[Work], Record],
) -> None:
    def noted(work: Work) -> Record:
        return replace(outcome(work), notes=("[red] collapsed",) if work.arm == "some" else ())

    experiment = make_experiment(levels=("none", "some"), seeds=1)
    keep(store, experiment)
    complete(reconcile(experiment, reading(Catalogue(store), [])), noted, store=store)
    assert call("status", "results/sweep").output.splitlines()[-2:] == [
        "note: some: 2 search trials have notes, the first: [red] collapsed",
        "note: some seed 0: [red] collapsed",
    ]


def test_the_report_of_a_sweep_is_written_into_its_folder(call: Call, ended_sweep: Store) -> None:
    answer = call("report", "results/sweep")
    assert answer.code == 0
    assert answer.output.splitlines()[-1] == f"report: {ended_sweep.report / 'report.html'}"
    assert json.loads((ended_sweep.report / "report.json").read_text())["design"]["configs"] == 2
    assert call("report", "results/sweep", "--metric", "test/i2t_medr", "--out", "other").code == 0
    asked = json.loads(Path("other/report.json").read_text())["contrasts"][0]
    assert asked["metric"] == "test/i2t_medr"


def test_the_schema_is_json_and_the_list_has_every_bundled_sweep_with_its_question(call: Call) -> None:
    schema = json.loads(call("schema").output)
    assert {"name", "factors", "design", "seeds"} <= set(schema["properties"])
    lines = [line.split("\t") for line in call("list").output.splitlines()]
    assert {line[0]: line[1] for line in lines} == bundled.questions()
    assert "quickstart" in bundled.questions()


def test_a_bundled_sweep_without_a_question_is_listed_as_such(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "questions", lambda: {"quick": None})
    assert call("list").output == "quick\tno question given\n"


def test_ten_published_seeds_are_reported_as_they_are_and_as_one_wishes(
    call: Call, shared_data: Path, tmp_path: Path
) -> None:
    table = str(shared_data / "flickr30k_ten_seeds.csv")
    answer = call("report", table)
    assert answer.code == 0
    assert answer.output.splitlines()[-1] == "report: flickr30k_ten_seeds-report/report.html"
    report = json.loads(Path("flickr30k_ten_seeds-report/report.json").read_text())
    means = {arm["arm"]: arm["mean"] for arm in report["arms"] if arm["metric"] == "rsum"}
    assert means["SGR"] == pytest.approx(489.32)
    wished = ("--baseline", "SAEM", "--metric", "i2t_r1", "--factors", "backbone", "--out", "wished")
    answer = call("report", str(_of_pretrained(table, tmp_path)), *wished)
    assert answer.code == 0, answer.errors
    report = json.loads(Path("wished/report.json").read_text())
    assert report["design"]["factors"].keys() == {"backbone"}
    primary = [c for c in report["contrasts"] if c["metric"] == "i2t_r1"]
    assert primary[0]["name"] == "backbone: CAMERA vs SAEM"


def _of_pretrained(table: str, folder: Path) -> Path:
    """The published table without the arms that share a backbone with another."""
    lines = Path(table).read_text().splitlines(keepends=True)
    path = folder / "some.csv"
    path.write_text("".join(line for line in lines if ",pretrained," in line or line.startswith("config,")))
    return path


def test_the_published_reader_study_gives_the_published_figures(call: Call, shared_data: Path) -> None:
    table = str(shared_data / "van_dyke_sensitivity.csv")
    answer = call("report", table, "--baseline", "cfg1", "--out", "out")
    assert answer.code == 0
    assert "cfg0 vs cfg1 — hit −0.098 points (95% interval −0.178 to −0.018, p = 0.020" in answer.output
    report = json.loads(Path("out/report.json").read_text())
    (contrast,) = report["contrasts"]
    assert contrast["estimate"] == pytest.approx(-0.09777778, abs=5e-9)
    assert contrast["df"] == pytest.approx(15.71732, abs=5e-6)
    assert contrast["p"] == pytest.approx(0.02008822, abs=5e-9)
    assert report["factors"][0]["F"] == pytest.approx(6.689493, abs=5e-7)


HEAVY = ("torch", "ray")
LIGHT = (*HEAVY, "numpy", "pydantic", "matplotlib", "scipy", "optuna")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("--help",), LIGHT),
        (("run", "--help"), (*HEAVY, "numpy", "matplotlib", "scipy", "optuna")),
        (("list",), (*HEAVY, "numpy", "matplotlib")),
        (("schema",), (*HEAVY, "matplotlib")),
        (("plan", "quickstart"), (*HEAVY, "matplotlib")),
        (("plan", "toy.yaml"), (*HEAVY, "matplotlib")),
        (("status", "results/sweep"), (*HEAVY, "matplotlib")),
        (("report", "results/sweep"), HEAVY),
        (("report", "scores.csv"), HEAVY),
    ],
)
def test_what_a_command_does_not_need_is_not_imported(
    call: Call, ended_sweep: Store, arguments: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    program = (
        "import json, sys\n"
        f"sys.argv = ['crosscut', *{list(arguments)!r}]\n"
        "from crosscut import cli\n"
        "try:\n"
        "    cli.main()\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        f"print(json.dumps([name for name in {list(absent)!r} if name in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_end_of_run_says_whether_every_run_ended_well(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crosscut import driver

    asked: list[driver.Order] = []
    for well, code in ((True, 0), (False, 1)):

        def run(experiment: Experiment, order: driver.Order, console: object, well: bool = well) -> bool:
            asked.append(order)
            return well

        monkeypatch.setattr(driver, "run", run)
        assert call("run", "toy.yaml", "--no-report", "--retry-failed", "--address", "auto").code == code
    assert asked[0] == driver.Order("results", "auto", retry_failed=True, report=False)
    assert call("run", "toy.yaml", "--profile").code == 1
    assert asked[-1] == driver.Order("results", profile=True)


def test_the_plan_of_a_status_is_that_of_the_last_run(ended_sweep: Store) -> None:
    plan = recorded(ended_sweep)
    assert plan.done and plan.runs == (6, 6)


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flickr"
    folder.mkdir()
    writers = Path(__file__).parents[1] / "trainables" / "data_folders.py"
    runpy.run_path(str(writers))["WRITERS"]["flickr8k"](folder)
    return folder


def test_data_that_are_right_are_summed_up(call: Call, data_folder: Path) -> None:
    answer = call("data", "check", "flickr")
    assert (answer.code, answer.errors) == (0, "")
    first, heads, *rows = answer.output.splitlines()
    assert first == "flickr8k in flickr"
    assert heads.split("  ")[0] == "split"
    assert [row.split()[:4] for row in rows[:3]] == [
        ["train", "6", "30", "5"],
        ["dev", "3", "15", "5"],
        ["test", "4", "20", "5"],
    ]
    assert rows[-1] == "nothing is wrong"


def test_what_is_wrong_with_data_is_told_and_ends_with_1(call: Call, data_folder: Path) -> None:
    (data_folder / "Flicker8k_Dataset" / "0_ab.jpg").unlink()
    answer = call("data", "check", "flickr")
    assert answer.code == 1
    assert "wrong: " in answer.output and "1 of 6 pictures are missing" in answer.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "nowhere: there is no such folder"),
        (["."], "found no data set in . (precomputed: folder: found no train_ims.npy in "),
        (
            [".", "--name", "flickr"],
            "--name: found 'flickr', expected a data set of files; did you mean 'flickr8k'?",
        ),
        ([".", "--name", "karpathy"], "folder: found no dataset.json in "),
    ],
)
def test_a_folder_without_data_is_refused(
    refused: Callable[..., str], arguments: list[str], sentence: str
) -> None:
    assert refused("data", "check", *arguments).startswith(sentence)
