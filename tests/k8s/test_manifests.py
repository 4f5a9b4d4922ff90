"""What is shipped in k8s/, as it lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

import runjob
from misc import manifests
from misc.agent.__main__ import COMMANDS, JOBS_SECONDS
from misc.agent.control import ENDING_SECONDS
from runjob.version import VERSION
from tests.contract.targets import launcher_rules
from tests.k8s.shipped import JOBS, K8S, is_restricted, read

FILES = sorted(each for each in K8S.rglob("*.yaml") if each.name != "job-template.yaml")


def test_the_jobs_are_what_their_template_makes(tmp_path: Path) -> None:
    assert manifests.main(["--folder", str(tmp_path)]) == 0
    made = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert made == {each.name: each.read_text() for each in JOBS}
    assert len(made) == 9


def test_the_images_of_another_registry_are_one_option_away(tmp_path: Path) -> None:
    manifests.main(
        ["--folder", str(tmp_path), "--repository", "registry.example/c360", "--tag", "7"]
    )
    (job,) = read(tmp_path / "kafkasnowflake-3.yaml")
    image = job["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "registry.example/c360/consumer:7"


def test_a_folder_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert manifests.main(["--folder", "/nowhere"]) == 2
    assert capsys.readouterr().err.startswith("manifests: error: ")


def test_the_images_carry_the_launcher_s_version() -> None:
    assert manifests.TAG == VERSION
    text = (K8S / "base" / "agent.yaml").read_text()
    assert f"/controlm-agent:{VERSION}\n" in text


@pytest.mark.parametrize("file", JOBS, ids=lambda each: str(each.stem))
def test_a_job_is_named_as_its_file_and_sees_its_own_engine_s_secrets_only(file: Path) -> None:
    (job,) = read(file)
    assert job["metadata"]["name"] == file.stem
    # The launch says it, by -n or the form: the agent's namespace may be another one.
    assert "namespace" not in job["metadata"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    secrets = {each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each}
    engine = "cust360-x" if file.stem.startswith("bmctwitter") else "cust360-snowflake"
    assert secrets == {"cust360-kafka", engine}
    quadrant = file.stem.removeprefix("bmctwitter-")
    expected = [] if quadrant == file.stem else [{"name": "BTCONF", "value": f"{quadrant}.yaml"}]
    assert container["env"] == expected
    assert runjob.read_job(file.read_text()) is not None
    for each in expected:
        assert (K8S.parent / "pythonapp" / each["value"]).is_file()


def test_every_pod_that_we_ship_is_restricted_and_bounded() -> None:
    pods = [read(each)[0]["spec"]["template"]["spec"] for each in JOBS]
    pods.append(read(K8S / "base" / "agent.yaml")[0]["template"]["spec"])
    assert len(pods) == 10
    for pod in pods:
        assert is_restricted(pod)
        assert all("memory" in each["resources"]["limits"] for each in pod["containers"])


def test_no_right_is_a_wildcard_and_every_right_is_the_launcher_s() -> None:
    bodies = [body for file in FILES for body in read(file)]
    # What a preflight may look at is optional, and has a test of its own.
    bodies = [body for body in bodies if body.get("metadata", {}).get("name") != "runjob-preflight"]
    roles = [body for body in bodies if body["kind"] in ("Role", "ClusterRole")]
    assert {(each["kind"], each["metadata"]["name"]) for each in roles} == {("Role", "runjob")}
    assert len(roles) == 2
    for each in roles:
        assert each["rules"] == launcher_rules()
        assert "*" not in str(each["rules"])
    bound = [body for body in bodies if body["kind"] in ("RoleBinding", "ClusterRoleBinding")]
    assert {each["kind"] for each in bound} == {"RoleBinding"}
    assert {each["roleRef"]["name"] for each in bound} == {"runjob"}
    assert {name["name"] for each in bound for name in each["subjects"]} == {
        "runjob", "controlm-agent",
    }  # fmt: skip


def test_the_agent_s_probes_and_its_hook_are_commands_of_the_agent() -> None:
    (container,) = read(K8S / "base" / "agent.yaml")[0]["template"]["spec"]["containers"]
    used = {
        "ready": container["readinessProbe"],
        "alive": container["livenessProbe"],
        "pre-stop": container["lifecycle"]["preStop"],
    }
    for command, by in used.items():
        assert by["exec"]["command"] == ["python3", "-m", "misc.agent", command]
    assert {*used, "start", "decommission"} == set(COMMANDS)


def test_the_agent_s_grace_has_room_for_its_last_commands_and_its_jobs_end() -> None:
    """Nine commands at most: the one that runs, three to log in, four to leave, one to stop."""
    pod = read(K8S / "base" / "agent.yaml")[0]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 9 * ENDING_SECONDS + JOBS_SECONDS


AGENT = {"app.kubernetes.io/name": "controlm-agent"}
PROGRAM = {"app.kubernetes.io/part-of": "cust360"}


@pytest.mark.parametrize(
    ("labels", "port", "protocol", "expected"),
    [
        pytest.param(AGENT, 53, "UDP", True, id="agent to names"),
        pytest.param(AGENT, 53, "TCP", True, id="agent to long names"),
        pytest.param(AGENT, 443, "TCP", True, id="agent to the API's Service"),
        pytest.param(AGENT, 6443, "TCP", True, id="agent to the API server"),
        pytest.param(AGENT, 8443, "TCP", True, id="agent to the Automation API"),
        pytest.param(AGENT, 7005, "TCP", True, id="agent to the Control-M/Server"),
        pytest.param(AGENT, 9092, "TCP", False, id="agent to Kafka"),
        pytest.param(PROGRAM, 53, "UDP", True, id="program to names"),
        pytest.param(PROGRAM, 53, "TCP", True, id="program to long names"),
        pytest.param(PROGRAM, 9092, "TCP", True, id="program to Kafka"),
        pytest.param(PROGRAM, 9098, "TCP", True, id="program to Kafka by IAM"),
        pytest.param(PROGRAM, 443, "TCP", True, id="program to X, Snowflake and S3"),
        pytest.param(PROGRAM, 80, "TCP", True, id="program to OCSP"),
        pytest.param(PROGRAM, 8443, "TCP", False, id="program to the Automation API"),
        pytest.param(PROGRAM, 443, "UDP", False, id="program by UDP"),
    ],
)
def test_a_pod_may_go_where_it_is_documented_to_go(
    labels: dict[str, str], port: int, protocol: str, expected: bool
) -> None:
    policies = [each["spec"] for each in read(K8S / "base" / "network.yaml")]
    mine = [
        each
        for each in policies
        if "Egress" in each["policyTypes"]
        and each["podSelector"].get("matchLabels", {}).items() <= labels.items()
    ]
    assert mine
    allowed = [
        one["port"] <= port <= one.get("endPort", one["port"]) and one["protocol"] == protocol
        for each in mine
        for rule in each["egress"]
        for one in rule["ports"]
    ]
    assert any(allowed) == expected


def test_the_policies_are_about_our_pods_and_nobody_may_come_in() -> None:
    agent = read(K8S / "base" / "agent.yaml")[0]["template"]
    assert agent["metadata"]["labels"].items() >= AGENT.items()
    for each in JOBS:
        (job,) = read(each)
        assert job["spec"]["template"]["metadata"]["labels"].items() >= PROGRAM.items()
    policies = [each["spec"] for each in read(K8S / "base" / "network.yaml")]
    assert {"podSelector": {}, "policyTypes": ["Ingress"]} in policies
    assert not any("ingress" in each for each in policies)


def test_the_namespace_refuses_what_reaches_for_the_node() -> None:
    (namespace,) = read(K8S / "base" / "namespace.yaml")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"


def test_no_manifest_holds_a_secret_or_a_token() -> None:
    bodies = [body for file in FILES for body in read(file)]
    assert [each for each in bodies if each["kind"] == "Secret"] == []
