"""Reading scores from a long table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pytest
from pyarrow import parquet

from crosscut_reports.table import RECALLS, TableError, read

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "scores.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def fault(path: Path, **options: object) -> str:
    """The sentence that refuses the table."""
    with pytest.raises(TableError) as raised:
        read(path, **options)  # type: ignore[arg-type]
    sentence = str(raised.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    return sentence


def test_ten_published_seeds_of_eight_models(shared_data: Path) -> None:
    scores = read(shared_data / "flickr30k_ten_seeds.csv")
    assert len(scores.arms) == 8
    assert scores.seeds == tuple(str(seed) for seed in range(1, 11))
    assert scores.factors["text_init"] == ("none", "pretrained", "random")
    assert scores.levels["SAEM/random"] == {"backbone": "SAEM", "text_init": "random"}
    assert not scores.metrics["i2t_r1"].per_cluster
    runs = {name: metric.runs for name, metric in scores.metrics.items()}
    assert runs["rsum"] == pytest.approx(sum(runs[recall] for recall in RECALLS))
    assert runs["i2t_r1"][0, 0] == 43.2
    assert runs["rsum"].mean(axis=1)[scores.arms.index("SGR")] == pytest.approx(489.32)


def test_a_published_reader_study_with_its_cases(shared_data: Path) -> None:
    scores = read(shared_data / "van_dyke_sensitivity.csv", metric="hit")
    hit = scores.metrics["hit"]
    assert scores.factors == {"config": ("cfg0", "cfg1")}
    assert hit.values.shape == (2, 5, 45)
    assert hit.queries == 45
    means = hit.runs.mean(axis=1)
    assert means[0] - means[1] == pytest.approx(-0.09777778)


def test_without_config_an_arm_is_its_combination_of_levels(write: Write) -> None:
    path = write("a,b,data,seed,metric,value\nx,1,f,1,m,1\nx,2,f,1,m,2\ny,1,f,1,m,3\n")
    scores = read(path)
    assert scores.arms == ("x, 1", "x, 2", "y, 1")
    assert scores.levels["x, 2"] == {"a": "x", "b": "2"}
    assert scores.factors == {"a": ("x", "y"), "b": ("1", "2")}


def test_arms_whose_levels_join_alike_stay_apart(write: Write) -> None:
    path = write('a,b,seed,metric,value\n"x, y",z,1,m,1\nx,"y, z",1,m,2\n')
    assert read(path).arms == ("a=x, y, b=z", "a=x, b=y, z")


def test_a_column_that_is_no_function_of_config_is_no_factor(write: Write) -> None:
    path = write(
        "config,kind,machine,seed,metric,value\na,k,m1,1,m,1\na,k,m2,2,m,1\nb,l,m1,1,m,2\nb,l,m2,2,m,2\n"
    )
    assert read(path).levels == {"a": {"kind": "k"}, "b": {"kind": "l"}}


def test_factors_narrow_the_arms(write: Write) -> None:
    path = write("config,a,b,seed,metric,value\nc1,x,1,1,m,1\nc2,y,1,1,m,2\n")
    assert read(path, factors=["a"]).arms == ("x", "y")
    assert "rows 2 and 3 are the same measurement" in fault(path, factors=["b"])


def test_seeds_are_in_the_order_of_their_numbers(write: Write) -> None:
    path = write("config,seed,metric,value\na,10,m,1\na,9,m,2\nb,9,m,3\nb,10,m,4\n")
    scores = read(path)
    assert scores.seeds == ("9", "10")
    np.testing.assert_array_equal(scores.metrics["m"].runs, [[2, 1], [3, 4]])


def test_a_missing_run_is_nan(write: Write) -> None:
    runs = read(write("config,seed,metric,value\na,1,m,1\na,2,m,2\nb,1,m,3\n")).metrics["m"].runs
    np.testing.assert_array_equal(runs, [[1, 2], [3, np.nan]])


def test_the_mean_over_unequal_clusters_is_the_mean_over_queries(write: Write) -> None:
    rows = [("q1", "i1", 1), ("q2", "i1", 0), ("q3", "i1", 1), ("q4", "i2", 0), ("q5", "i3", 1)]
    lines = [f"a,1,{query},{cluster},m,{value}" for query, cluster, value in rows]
    metric = read(write("config,seed,query,cluster,metric,value\n" + "\n".join(lines))).metrics["m"]
    assert metric.clusters == ("i1", "i2", "i3")
    assert metric.queries == 5
    np.testing.assert_allclose(metric.values[0, 0], [2 * 3 / 5, 0, 3 / 5])
    assert metric.runs[0, 0] == pytest.approx(3 / 5)


def test_captions_may_be_numbered_within_their_image(write: Write) -> None:
    lines = [f"a,1,{query},{cluster},m,1" for cluster in ("i1", "i2") for query in range(5)]
    metric = read(write("config,seed,query,cluster,metric,value\n" + "\n".join(lines))).metrics["m"]
    assert (metric.queries, metric.clusters) == (10, ("i1", "i2"))


def test_rows_in_any_order_give_the_same_scores(write: Write) -> None:
    lines = [
        f"{arm},{seed},q{query},i{query % 3},m,{(query * seed) % 2 + (arm == 'b')}"
        for arm in "ab"
        for seed in (1, 2)
        for query in range(7)
    ]
    head = "config,seed,query,cluster,metric,value\n"
    straight = read(write(head + "\n".join(lines)))
    shuffled = read(write(head + "\n".join(sorted(lines, key=lambda line: line[::-1]))))
    one, other = straight.metrics["m"], shuffled.metrics["m"]
    assert one.clusters is not None and other.clusters is not None
    arms = [shuffled.arms.index(arm) for arm in straight.arms]
    columns = [other.clusters.index(label) for label in one.clusters]
    np.testing.assert_allclose(one.values, other.values[arms][:, :, columns])


@pytest.mark.parametrize("prefix", ["", "test/", "coco/test/"])
def test_six_recalls_get_their_sum_per_cluster(write: Write, prefix: str) -> None:
    lines = [
        f"a,1,{image}-{recall[:3]},{image},{prefix}{recall},{10 * position + image}"
        for position, recall in enumerate(RECALLS)
        for image in (1, 2)
    ]
    scores = read(
        write("config,seed,query,cluster,metric,value\n" + "\n".join(lines)), metric=f"{prefix}rsum"
    )
    rsum = scores.metrics[f"{prefix}rsum"]
    np.testing.assert_allclose(rsum.values[0, 0], [150 + 6 * 1, 150 + 6 * 2])
    assert (rsum.clusters, rsum.queries) == (("1", "2"), 4)


def test_five_recalls_get_no_sum_and_a_given_sum_stays(write: Write) -> None:
    head = "config,seed,metric,value\n"
    five = head + "\n".join(f"a,1,{recall},1" for recall in RECALLS[:5])
    assert "rsum" not in read(write(five)).metrics
    given = head + "\n".join(f"a,1,{recall},1" for recall in (*RECALLS, "rsum"))
    assert read(write(given)).metrics["rsum"].runs[0, 0] == 1


def test_lower_is_better_for_ranks_and_losses(write: Write) -> None:
    path = write("config,seed,metric,value\na,1,test/i2t_medr,1\na,1,dev/loss,1\na,1,test/i2t_r1,1\n")
    found = {name: metric.higher_is_better for name, metric in read(path).metrics.items()}
    assert found == {"test/i2t_medr": False, "dev/loss": False, "test/i2t_r1": True}


def test_parquet_and_csv_give_the_same_scores(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    columns = {
        "config": pa.array(["a", "a", "b", "b"]).dictionary_encode(),
        "seed": [1, 2, 1, 2],
        "metric": ["m"] * 4,
        "value": [0.25, 0.5, 0.75, 1.0],
    }
    parquet.write_table(pa.table(columns), path)
    one = read(path)
    two = read(write("config,seed,metric,value\na,1,m,0.25\na,2,m,0.5\nb,1,m,0.75\nb,2,m,1\n"))
    assert (one.arms, one.seeds, one.levels) == (two.arms, two.seeds, two.levels)
    np.testing.assert_array_equal(one.metrics["m"].values, two.metrics["m"].values)


def test_spaces_and_a_byte_order_mark_are_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("config, seed, metric, value\na , 1, m, 2\n", encoding="utf-8-sig")
    scores = read(path)
    assert (scores.arms, scores.seeds, scores.metrics["m"].runs[0, 0]) == (("a",), ("1",), 2.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.csv").endswith("none.csv: no such file")


def test_an_unknown_kind_of_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.xlsx"
    path.write_bytes(b"PK")
    assert "expected a .csv, .tsv or .parquet file, found '.xlsx'" in fault(path)


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    path.write_text("config,seed,metric,value\n")
    assert "cannot be read as a table" in fault(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("config,sede,metric,value\na,1,m,1\n", "has no column 'seed'; did you mean 'sede'?"),
        ("config,seed,Metric,value\na,1,m,1\n", "has no column 'metric'; did you mean 'Metric'?"),
        ("config,seed,metric,x\na,1,m,1\n", "has no column 'value'; it has config, seed, metric, x"),
        ("seed,metric,value\n1,m,1\n", "has no column 'config' and no column for a factor"),
        ("config,seed,seed,metric,value\na,1,1,m,1\n", "has the column 'seed' more than once"),
        ("config,seed,metric,value\n", "has no rows"),
        ("", "has no rows"),
        (
            "config,seed,metric,value\na,1,m,1\na,2,m,nan\n",
            "row 3, column 'value': expected a finite number, found nan",
        ),
        (
            "config,seed,metric,value\na,1,m,-inf\n",
            "row 2, column 'value': expected a finite number, found -inf",
        ),
        (
            "config,seed,metric,value\na,1,m,1\n\na,2,m,1o\n",
            "row 4, column 'value': expected a number, found '1o'",
        ),
        (
            "config,seed,metric,value\na,1,m,\n",
            "row 2, column 'value': expected a number, found an empty cell",
        ),
        ("config,seed,metric,value\na,1,m,1\na,,m,1\n", "row 3: column 'seed' is empty"),
        ("a,b,seed,metric,value\nx,,1,m,1\n", "column 'b' is empty; write a level such as \"none\""),
        (
            "config,seed,metric,value\na,1,m,1\na,2,m,1\na,1,m,3\n",
            "rows 2 and 4 are the same measurement (config 'a', seed '1', metric 'm')",
        ),
        (
            "config,seed,query,metric,value\na,1,q,m,1\na,1,q,m,1\n",
            "rows 2 and 3 are the same measurement (config 'a', seed '1', metric 'm', query 'q')",
        ),
        (
            "config,seed,query,metric,value\na,1,q,m,1\na,1,r,m,1\na,1,s,m,1\nb,2,q,m,1\n",
            "metric 'm': 2 of 3 queries are missing for config 'b', seed '2'",
        ),
        (
            "config,seed,query,metric,value\na,1,q,m,1\na,2,,m,1\n",
            "row 3: metric 'm' has no query here but has queries in other rows",
        ),
        (
            "config,seed,query,cluster,metric,value\na,1,q,,m,1\n",
            "row 2: column 'cluster' is empty where 'query' is not",
        ),
        ("config,seed,metric,value\na,1,m\n", "cannot be read as a table"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(write: Write, text: str, sentence: str) -> None:
    assert sentence in fault(write(text))


def test_a_line_break_in_a_name_does_not_shift_row_numbers(write: Write) -> None:
    path = write('config,seed,metric,value\n"a\nb",1,m,1\nc,1,m,x\n')
    assert "row 4, column 'value'" in fault(path)


def test_an_unknown_metric_or_factor_gets_the_near_name(write: Write) -> None:
    path = write("config,backbone,seed,metric,value\na,x,1,test/rsum,1\nb,y,1,test/rsum,1\n")
    assert "has no metric 'test/rsun'; did you mean 'test/rsum'?" in fault(path, metric="test/rsun")
    assert "has no factor 'backbones'; did you mean 'backbone'?" in fault(path, factors=["backbones"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_value_that_is_no_number_is_refused_in_parquet_too(tmp_path: Path, value: float | None) -> None:
    path = tmp_path / "scores.parquet"
    columns = {"config": ["a", "a"], "seed": [1, 2], "metric": ["m", "m"], "value": pa.array([1.0, value])}
    parquet.write_table(pa.table(columns), path)
    assert "row 2, column 'value': expected a finite number" in fault(path)
