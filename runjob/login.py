"""Find the cluster and the credentials: in a pod, by a kubeconfig, never by a guess."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runjob.errors import NoClusterError, OutsideError
from runjob.lean import import_lightly, importing, make_client_lazy
from runjob.options import Connection

# Where every pod finds its ServiceAccount:
# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the API is and how to be let in; paths name PEM files.

    headers gives the authorization headers, read anew at each call where they come from a file.
    """

    host: str
    headers: Callable[[], Mapping[str, str]]
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None


Login = Callable[[], Access]
"""Reads the files that lead to a cluster; called again when the API refuses what they said."""


def login(connection: Connection, service_account: str = SERVICE_ACCOUNT) -> Login:
    """Return how to log in; calling it raises NoClusterError where there is no cluster."""
    if connection.kubeconfig:
        return lambda: _from_kubeconfig(connection)
    return lambda: _in_cluster(service_account)


def _in_cluster(folder: str) -> Access:
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise OutsideError(
            "not inside a Kubernetes cluster: name one with --kubeconfig "
            + ('"$KUBECONFIG", which is not read' if "KUBECONFIG" in os.environ else "FILE")
        )
    ca_file, token_file = os.path.join(folder, "ca.crt"), os.path.join(folder, "token")
    for file in (ca_file, token_file):
        if not os.path.isfile(file):
            raise NoClusterError(f"no {file}: is automountServiceAccountToken off?")

    # The token is short-lived and the kubelet replaces the file.
    def headers() -> Mapping[str, str]:
        try:
            with open(token_file, encoding="ascii") as file:
                token = file.read().strip()
        except (OSError, ValueError) as error:
            raise NoClusterError(f"the ServiceAccount token cannot be read: {error}") from error
        return {"Authorization": f"Bearer {token}"}

    host = f"[{host}]" if ":" in host else host
    return Access(
        host=f"https://{host}:{port}", headers=headers, ca_file=ca_file, proxy=_proxy(host)
    )


def _from_kubeconfig(connection: Connection) -> Access:
    with importing:
        make_client_lazy()
        from kubernetes.client.configuration import Configuration
        from kubernetes.config.config_exception import ConfigException

        load_kube_config = import_lightly("kubernetes.config.kube_config").load_kube_config
    path = os.path.expanduser(connection.kubeconfig or "")
    if not os.path.isfile(path):
        raise NoClusterError(f"--kubeconfig {path}: no such file")
    found = Configuration()
    try:
        load_kube_config(path, connection.context, found, persist_config=False)
    except ConfigException as error:
        raise NoClusterError(f"--kubeconfig {path}: {error}") from error
    except Exception as error:  # whatever a broken file makes the loader raise
        raise NoClusterError(f"--kubeconfig {path} cannot be read: {_one_line(error)}") from error
    return Access(
        host=found.host,
        headers=lambda: _headers(found),
        ca_file=found.ssl_ca_cert,
        cert_file=found.cert_file,
        key_file=found.key_file,
        verify=found.verify_ssl,
        server_name=found.tls_server_name,
        proxy=_proxy(found.host.partition("://")[2]),
    )


def _headers(configuration: Any) -> Mapping[str, str]:
    settings = configuration.auth_settings().values()
    return {each["key"]: each["value"] for each in settings if each["value"]}


def _proxy(host: str) -> str | None:
    """Return the proxy that the environment asks for, unless it excepts this host."""
    if not any(name.lower() == "https_proxy" for name in os.environ):
        return None
    from urllib import request

    if request.proxy_bypass_environment(host):  # type: ignore[attr-defined]  # not in its stub
        return None
    return request.getproxies_environment().get("https")


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
