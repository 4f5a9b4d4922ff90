"""Deploy descriptors change what they are to change, by the rules that the vendor describes."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctm.definition import load

CTM = Path(__file__).parents[2] / "ctm"
DESCRIPTORS = sorted((CTM / "deploy").glob("*.json"))
NAMES = ("cust360", "cust360-os", "environment", "snowflake", "profiles")


def rules(descriptor: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(descriptor.read_text(), descriptor.name)["DeployDescriptor"]
    return found


def definitions() -> dict[str, Any]:
    """Return everything that is deployed, by its names."""
    everything: dict[str, Any] = {}
    for name in NAMES:
        everything |= load((CTM / f"{name}.json").read_text(), name)
    return everything


def objects(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each object that has a Type, with its name, at any depth."""
    if isinstance(content, dict):
        for name, member in content.items():
            if isinstance(member, dict) and "Type" in member:
                yield name, member
            yield from objects(member)


def chosen(rule: dict[str, Any], name: str, member: dict[str, Any]) -> bool:
    """Tell whether ApplyOn names the object; @ is its name, and a type stands for what is of it."""
    told = dict(rule.get("ApplyOn", {}))
    of_type = f"{member['Type']}:".startswith(told.pop("Type", member["Type"]) + ":")
    values = {**member, "@": name}
    return of_type and all(re.fullmatch(told[key], str(values.get(key))) for key in told)


def changed(rule: dict[str, Any], content: dict[str, Any]) -> int:
    """Apply a rule in place, and return how many values it has changed."""
    count, key = 0, rule["Property"]
    for name, member in list(objects(content)):
        if key not in member or not chosen(rule, name, member):
            continue
        new = rule.get("Assign", member[key])
        for pair in rule.get("Replace", []):
            for pattern, text in pair.items():
                if found := re.fullmatch(pattern, member[key]):
                    new = found.expand(re.sub(r"\$(\d)", r"\\\1", text))
        count += member[key] != new
        member[key] = new
    return count


@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda path: path.stem)
def test_every_rule_changes_something(descriptor: Path) -> None:
    content = definitions()
    for rule in rules(descriptor):
        assert changed(rule, content), rule


@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=lambda path: path.stem)
def test_nothing_that_belongs_to_one_environment_is_left_in_another(descriptor: Path) -> None:
    content, before = definitions(), copy.deepcopy(definitions())
    for rule in rules(descriptor):
        changed(rule, content)
    text = json.dumps(content)
    for own in ("cust360-edge", "kubernetes", "IN01", "cust360-geo"):
        values = [
            f'"{key}": "{own}"' for key in ("Host", "TargetAgent", "ControlmServer", "S3BucketName")
        ]
        assert not [value for value in values if value in text]
    assert {name for name, _ in objects(content)} == {name for name, _ in objects(before)}


def agent_settings(folder: Path) -> dict[str, str]:
    """Return the agent's settings of a kustomization: its own over its resources'."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: dict[str, str] = {}
    for each in kustomization.get("resources", []):
        if (folder / each / "kustomization.yaml").exists():
            found |= agent_settings(folder / each)
    for each in kustomization.get("configMapGenerator", []):
        if each["name"] == "controlm-agent":
            found |= dict(line.split("=", 1) for line in each["literals"])
    return found


@pytest.mark.parametrize(
    "descriptor", [None, *DESCRIPTORS], ids=lambda path: path.stem if path else "as written"
)
def test_the_agents_in_the_cluster_are_those_that_the_jobs_name(descriptor: Path | None) -> None:
    content = definitions()
    for rule in rules(descriptor) if descriptor else ():
        changed(rule, content)
    environment = content["Customer360-Environment"]
    applied = re.search(r"/opt/cust360/(k8s/\S+)", environment["Cluster-Apply"]["Command"])
    assert applied
    for name in ("Customer360", "Customer360-OS"):
        found = {
            "CTM_SERVER": content[name]["ControlmServer"],
            "CTM_HOSTGROUP": content[name]["Produce-CTNE"]["Host"],
        }
        assert agent_settings(CTM.parent / applied[1]) == found
    assert environment["ControlmServer"] == content["Customer360"]["ControlmServer"]


def test_only_production_orders_by_the_calendar_and_asks_before_it_changes_the_lake() -> None:
    found = {}
    for descriptor in DESCRIPTORS:
        content = definitions()
        for rule in rules(descriptor):
            changed(rule, content)
        daily, lake = content["Customer360"], content["Customer360-Lake"]
        found[descriptor.stem] = (daily["OrderMethod"], lake["Database"]["Confirm"])
    assert found == {"production": ("Automatic", True), "test": ("Manual", False)}
