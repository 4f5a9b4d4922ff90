"""Find the cluster and the credentials: in a pod, by a kubeconfig, never by a guess."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runjob.errors import NoClusterError
from runjob.lean import make_client_lazy
from runjob.options import Connection

# Where every pod finds its ServiceAccount:
# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Login = Callable[[], Any]
"""Makes the official client's Configuration, from files read anew at each call."""


def login(connection: Connection, service_account: Path = SERVICE_ACCOUNT) -> Login:
    """Return how to log in; raises NoClusterError where there is nothing to log in to."""
    if connection.kubeconfig:
        return lambda: _from_kubeconfig(connection)
    return lambda: _in_cluster(service_account)


def _in_cluster(folder: Path) -> Any:
    make_client_lazy()
    from kubernetes.client.configuration import Configuration

    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise NoClusterError(
            "not inside a Kubernetes cluster: name one with --kubeconfig FILE, "
            "or try things out with --sandbox"
        )
    token_file = folder / "token"

    # The token is short-lived and the kubelet replaces the file: read at each request.
    def refresh(configuration: Any) -> None:
        try:
            token = token_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise NoClusterError(f"the ServiceAccount token cannot be read: {error}") from error
        configuration.api_key["BearerToken"] = f"Bearer {token}"

    configuration = Configuration()
    configuration.host = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    configuration.ssl_ca_cert = str(folder / "ca.crt")
    if not os.path.isfile(configuration.ssl_ca_cert):
        raise NoClusterError(
            f"no {configuration.ssl_ca_cert}: is automountServiceAccountToken off?"
        )
    configuration.refresh_api_key_hook = refresh
    refresh(configuration)
    return configuration


def _from_kubeconfig(connection: Connection) -> Any:
    make_client_lazy()
    from kubernetes.client.configuration import Configuration
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import load_kube_config

    path = os.path.expanduser(connection.kubeconfig or "")
    if not os.path.isfile(path):
        raise NoClusterError(f"--kubeconfig {path}: no such file")
    configuration = Configuration()
    try:
        load_kube_config(path, connection.context, configuration, persist_config=False)
    except ConfigException as error:
        raise NoClusterError(f"--kubeconfig {path}: {error}") from error
    except Exception as error:  # whatever a broken file makes the loader raise
        raise NoClusterError(f"--kubeconfig {path} cannot be read: {_one_line(error)}") from error
    return configuration


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
