"""The files under deploy/ are what their readers expect."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def documents(name: str) -> dict[str, Any]:
    return {one["kind"]: one for one in yaml.safe_load_all((DEPLOY / name).read_text())}


def test_the_cluster_file_has_the_form_that_ray_up_wants() -> None:
    import ray

    assert ray.__file__ is not None
    schema = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text())
    cluster = yaml.safe_load((DEPLOY / "aws/cluster.yaml").read_text())
    jsonschema.validate(cluster, schema)
    assert cluster["head_node_type"] in cluster["available_node_types"]


def test_kubernetes_nodes_share_what_records_lie_on() -> None:
    found = documents("kubernetes/raycluster.yaml")
    claim = found["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    spec = found["RayCluster"]["spec"]
    assert spec["headGroupSpec"]["serviceType"] == "ClusterIP", "the job server is not for everybody"
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        volumes = {one["name"]: one for one in pod["volumes"]}
        assert volumes["shared"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        (container,) = pod["containers"]
        mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        assert mounted["shared"] == "/shared" and mounted.keys() == volumes.keys()
        assert container["resources"]["requests"] == container["resources"]["limits"]
    job = documents("kubernetes/rayjob.yaml")["RayJob"]["spec"]
    assert job["clusterSelector"] == {"ray.io/cluster": found["RayCluster"]["metadata"]["name"]}
    assert "--storage /shared/" in job["entrypoint"]


def test_there_are_machines_without_being_asked_for() -> None:
    nodes = yaml.safe_load((DEPLOY / "aws/cluster.yaml").read_text())["available_node_types"]
    assert nodes["gpu"]["min_workers"] > 0
    groups = documents("kubernetes/raycluster.yaml")["RayCluster"]["spec"]["workerGroupSpecs"]
    assert all(0 < one["minReplicas"] <= one["replicas"] <= one["maxReplicas"] for one in groups)


def test_the_slurm_script_is_a_script_of_bash() -> None:
    script = DEPLOY / "slurm/crosscut.sbatch"
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text().splitlines()
    directives = [place for place, line in enumerate(lines) if line.startswith("#SBATCH")]
    first = next(place for place, line in enumerate(lines) if line and not line.startswith("#"))
    assert directives and max(directives) < first, "Slurm reads none behind the first command"
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+(=\S+)?", lines[place]) for place in directives)


@pytest.mark.parametrize("name", ["Dockerfile", "aws/cluster.yaml", "kubernetes/raycluster.yaml"])
def test_all_name_the_ray_that_is_tested(name: str) -> None:
    found = re.findall(r"(?:ray:|rayVersion: )(\d+\.\d+\.\d+)", (DEPLOY / name).read_text())
    assert found and set(found) == {metadata.version("ray")}
