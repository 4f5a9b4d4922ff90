"""A preflight that lacks rights: which are missing, and what could not be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from runjob.sandbox.faults import Fault, Refuse
from tests.contract.launches import Launcher, sh, with_option
from tests.contract.preflights import lines
from tests.contract.targets import SHIPPED, EmbeddedTarget, RealTarget, Target, launcher_rules


def test_the_shipped_rights_are_enough_for_a_preflight(
    launch: Launcher, name: str, target: Target
) -> None:
    run = launch("-j", name, *sh("true"), "-s", "regcred", "--preflight")
    assert run.code == 0
    unseen = [line for line in run.text.splitlines() if line.startswith("not looked at: ")]
    assert unseen == (
        ["not looked at: ResourceQuotas, LimitRanges (no right to get them)"] if target.real else []
    )
    assert run.text.splitlines()[-1].startswith(
        "Preflight: nothing found in the way" if unseen else "Preflight: nothing stands in the way"
    )


@contextmanager
def without(target: Target, folder: Path, *verbs: str) -> Iterator[Path]:
    """Take rights on Jobs away from the launcher; yield the kubeconfig of who lacks them."""
    with ExitStack() as stack:
        if isinstance(target, EmbeddedTarget):
            for verb in verbs:
                fault = target.sandbox.inject(Fault(Refuse(403), verb, "jobs", times=None))
                stack.callback(fault.remove)
            yield target.kubeconfig
            return
        assert isinstance(target, RealTarget)
        account = f"lacks-{'-'.join(verbs)}"
        rules = [
            {**rule, "verbs": [v for v in rule["verbs"] if v not in verbs]}
            if rule["resources"] == ["jobs"]
            else rule
            for rule in launcher_rules()
        ]
        target.api.create("serviceaccounts", {"metadata": {"name": account}})
        stack.callback(target.api.delete, "serviceaccounts", account)
        target.api.create("roles", {"metadata": {"name": account}, "rules": rules})
        stack.callback(target.api.delete, "roles", account)
        target.bind(account, account)
        stack.callback(target.api.delete, "rolebindings", f"{account}-{account}")
        config = json.loads(target.kubeconfig.read_text())
        config["users"][0]["user"]["token"] = target.new_token(account)
        path = folder / "lacks.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        yield path


def test_a_right_that_was_taken_away_is_told_with_its_line_for_the_role(
    launch: Launcher, name: str, target: Target, tmp_path: Path
) -> None:
    with without(target, tmp_path, "create", "patch") as kubeconfig:
        launch.common = with_option(launch.common, "--kubeconfig", str(kubeconfig))
        run = launch("-j", name, *sh("true"), "--preflight")
        refused = launch("-j", name, *sh("true"))
    expected = (
        f"error: no right to create, patch jobs in the namespace {target.namespace}; Add to the "
        "Role: - {apiGroups: ['batch'], resources: [jobs], verbs: [create, patch]}"
    )
    assert lines(run) == [expected]
    assert run.code == 3
    assert refused.code == 3
    assert f"runjob: preflight: {expected}" in refused.err


def test_the_line_for_the_role_is_yaml_that_grants_it(
    launch: Launcher, name: str, target: Target, tmp_path: Path
) -> None:
    with without(target, tmp_path, "delete") as kubeconfig:
        launch.common = with_option(launch.common, "--kubeconfig", str(kubeconfig))
        run = launch("-j", name, *sh("true"), "--preflight")
    (line,) = lines(run)
    assert yaml.safe_load(line.partition("Role: ")[2]) == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["delete"]}
    ]


def test_what_may_not_be_looked_at_is_no_failure(
    launch: Launcher, name: str, target: Target, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        if isinstance(target, EmbeddedTarget):
            fault = target.sandbox.inject(Fault(Refuse(403), "get", "secrets", times=None))
            stack.callback(fault.remove)
            kubeconfig = target.kubeconfig
        else:
            kubeconfig = stack.enter_context(without(target, tmp_path, "deletecollection"))
        launch.common = with_option(launch.common, "--kubeconfig", str(kubeconfig))
        run = launch("-j", name, *sh("true"), "--env-from", "secret/no", "--preflight")
    assert (run.code, lines(run)) == (0, [])
    assert "not looked at: Secrets" in run.text
    assert "(no right to get them)" in run.text


def test_the_optional_role_lets_a_preflight_look_at_all_but_secrets_and_priorities() -> None:
    """The launcher's own Role stays as it is; this one is for reading alone."""
    with SHIPPED.with_name("preflight.yaml").open() as file:
        role = next(body for body in yaml.safe_load_all(file) if body["kind"] == "Role")
    granted = {(each, verb) for rule in role["rules"] for each in rule["resources"]
               for verb in rule["verbs"]}  # fmt: skip
    assert granted == {
        ("configmaps", "get"),
        ("serviceaccounts", "get"),
        ("persistentvolumeclaims", "get"),
        ("resourcequotas", "list"),
        ("limitranges", "list"),
    }


def test_the_rights_that_are_asked_about_are_those_of_the_shipped_role() -> None:
    from runjob.preflight.questions import NEEDED

    granted = {
        ((group, resource), verb)
        for rule in launcher_rules()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    needed = {(where, verb) for where, verbs in NEEDED.items() for verb in verbs}
    assert needed <= granted
    jobs = ("batch", "jobs")
    assert {verb for where, verb in needed if where == jobs} == {
        verb for where, verb in granted if where == jobs
    }
