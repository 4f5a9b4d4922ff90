"""The clusters on which the contract is tried, as tests see them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from runjob.login import login
from runjob.options import Connection
from runjob.sandbox import Image, Sandbox
from runjob.sandbox.images import denied, unavailable
from tests.cluster import controls
from tests.contract.api import Api, Json

# Where a troubled registry answers: tests/cluster brings it up, the embedded cluster plays it.
REGISTRY = "127.0.0.1:5000"

SHIPPED = Path(__file__).parents[2] / "k8s" / "runjob.yaml"


def launcher_rules() -> list[Json]:
    """Return the rules of the Role that we ship for the launcher."""
    with SHIPPED.open() as file:
        shipped = list(yaml.safe_load_all(file))
    rules: list[Json] = next(body["rules"] for body in shipped if body["kind"] == "Role")
    return rules


# What a manifest that brings its ConfigMap and Secret along needs beyond.
PREREQUISITE_RULE = {
    "apiGroups": [""],
    "resources": ["configmaps", "secrets"],
    "verbs": ["create", "get", "patch", "delete"],
}


@dataclass(frozen=True)
class Asked:
    """One request of the launcher's; query is known of the embedded cluster's alone."""

    verb: str
    resource: str
    query: str = ""


class Target:
    """One cluster: how the launcher gets there, how a test looks into it, and what it can play."""

    real: bool
    namespace: str
    kubeconfig: Path
    api: Api
    # A time-out within which something that cannot heal is seen to fail, and one in which a Job
    # starts in any case, in the words of --start-timeout.
    short = "2"
    # How many failed attempts it takes until the pause before the next one is a second or more.
    slow_retry: int

    def image(self, behaviour: str) -> str:
        """Return the name of an image whose pull behaves so, never pulled before.

        Behaviours: missing, denied, forbidden, quota, broken, flaky (heals), slow.
        """
        raise NotImplementedError

    @contextlib.contextmanager
    def counted(self) -> Iterator[list[Asked]]:
        """Collect what the launcher asks the API for meanwhile."""
        raise NotImplementedError
        yield []

    def in_cluster_files(self, folder: Path) -> Mapping[str, str]:
        """Write what a pod finds of its ServiceAccount; return the environment beside it."""
        raise NotImplementedError


class EmbeddedTarget(Target):
    """The cluster that runjob.sandbox plays."""

    real = False
    short = "1"
    slow_retry = 4

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.namespace = "controlm"
        self.kubeconfig = sandbox.kubeconfig
        access = login(Connection(kubeconfig=str(sandbox.kubeconfig)))
        self.api = Api(access, self.namespace, patience=20.0)

    def image(self, behaviour: str) -> str:
        name = f"{REGISTRY}/{behaviour}:{secrets.token_hex(4)}"
        served = Image(name, args=("sh",))
        played = {
            "denied": denied(name),
            "forbidden": unavailable(served, None, "403 Forbidden"),
            "quota": unavailable(served, None, "429 Too Many Requests"),
            "broken": unavailable(served, None, "500 Internal Server Error"),
            "flaky": unavailable(served, 3, "503 Service Unavailable"),
            "slow": Image(name, args=("sh",), pull_seconds=6.0),
        }
        if behaviour in played:
            self.sandbox.add_image(played[behaviour])
        return name

    @contextlib.contextmanager
    def counted(self) -> Iterator[list[Asked]]:
        found: list[Asked] = []
        before = len(self.sandbox.requests)
        yield found
        for served in self.sandbox.requests[before:]:
            if served.user_agent.startswith("runjob/"):
                found.append(Asked(served.method, served.path, served.query))

    def in_cluster_files(self, folder: Path) -> Mapping[str, str]:
        self.sandbox.namespace_files(folder)
        return {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.sandbox.port),
        }


class RealTarget(Target):
    """The cluster that KUBECONFIG names, in a namespace of the tests' own.

    The launcher has the rights of its Role there and nowhere else.
    """

    real = True
    short = "5"
    slow_retry = 1
    account = "runjob"

    def __init__(self, kubeconfig: str, folder: Path) -> None:
        self.admin_kubeconfig = kubeconfig
        self.namespace = f"contract-{secrets.token_hex(3)}"
        self._access = login(Connection(kubeconfig=kubeconfig))()
        self.api = Api(lambda: self._access, self.namespace, patience=60.0)
        self._make_namespace()
        self.ca = Path(self._access.ca_file or "").read_text()
        self.kubeconfig = folder / "launcher.kubeconfig"
        self._write_kubeconfig(self.new_token())

    @property
    def user(self) -> str:
        """The launcher as the API server calls it."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"

    @property
    def is_ours(self) -> bool:
        """Whether it is the cluster of tests/cluster, which tests can look into and break."""
        ours = controls.here().kubeconfig
        if not ours.exists():
            return False
        return login(Connection(kubeconfig=str(ours)))().host == self._access.host

    def _make_namespace(self) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self.api.call("POST", "/api/v1/namespaces", body)
        self.api.create("serviceaccounts", {"metadata": {"name": self.account}})
        rules = {"runjob": launcher_rules(), "prerequisites": [PREREQUISITE_RULE]}
        for role, verbs in rules.items():
            self.api.create("roles", {"metadata": {"name": role}, "rules": verbs})
            self.bind(role, self.account)
        self.api.until(
            lambda: self.api.find("serviceaccounts", "default"), "the namespace's own account"
        )
        self.api.until(lambda: self.api.find("configmaps", "kube-root-ca.crt"), "its certificate")

    def bind(self, role: str, account: str) -> None:
        """Give an account of the namespace a role of the namespace."""
        self.api.create(
            "rolebindings",
            {
                "metadata": {"name": f"{account}-{role}"},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role
                },
                "subjects": [
                    {"kind": "ServiceAccount", "name": account, "namespace": self.namespace}
                ],
            },
        )  # fmt: skip

    @property
    def host(self) -> str:
        return self._access.host

    def new_token(self, account: str = account, bound_to: str = "") -> str:
        """Return a fresh token of an account; one that is bound to a Secret ends with it."""
        path = self.api.path("serviceaccounts", account) + "/token"
        spec: Json = {"expirationSeconds": 7200}
        if bound_to:
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Secret", "name": bound_to}
        answer = self.api.call("POST", path, {"spec": spec})
        return str(answer["status"]["token"])

    def _write_kubeconfig(self, token: str) -> None:
        authority = self.kubeconfig.with_suffix(".crt")
        authority.write_text(self.ca)
        cluster = {"server": self._access.host, "certificate-authority": str(authority)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "real", "cluster": cluster}],
            "users": [{"name": "launcher", "user": {"token": token}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "launcher"}}],
            "current-context": "real",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(config))

    def close(self) -> None:
        """Remove the namespace with all that is in it."""
        self.api.call("DELETE", f"/api/v1/namespaces/{self.namespace}", {})

    def image(self, behaviour: str) -> str:
        if behaviour == "slow":
            behaviour = "slow-8"
        elif behaviour == "flaky":
            behaviour = "flaky-8"
        return f"{REGISTRY}/{behaviour}:{secrets.token_hex(4)}"

    @contextlib.contextmanager
    def counted(self) -> Iterator[list[Asked]]:
        found: list[Asked] = []
        since = time.time()
        yield found
        for each in controls.requests("runjob/", self.user, since):
            found.append(Asked(each.verb, each.resource))

    def in_cluster_files(self, folder: Path) -> Mapping[str, str]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "token").write_text(self.new_token())
        (folder / "ca.crt").write_text(self.ca)
        (folder / "namespace").write_text(self.namespace)
        host, _, port = self._access.host.removeprefix("https://").rpartition(":")
        return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}


def wants_real() -> bool:
    """Whether RUNJOB_CLUSTER asks for the real cluster; anything but `real` means the embedded."""
    return os.environ.get("RUNJOB_CLUSTER", "") == "real"
