"""A namespace in a real cluster, made for a rehearsal and removed with all that is in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctm.rehearse.errors import ProfileError

# A namespace that ends waits for its pods, which have 60 seconds to end.
GONE_SECONDS = 90.0
_LOOK_SECONDS = 0.5
# The pods of a try-out may share the node's network, where its engines are.
_LABELS = {"pod-security.kubernetes.io/enforce": "privileged"}


@contextmanager
def own_namespace(
    kubeconfig: Path, name: str, objects: Sequence[Mapping[str, Any]]
) -> Iterator[None]:
    """Make the namespace with these objects in it; ProfileError, in one line, where it cannot be.

    It waits in the end until the namespace is gone.
    """
    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError
    from yaml import YAMLError

    try:
        api = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
        body = {"metadata": {"name": name, "labels": _LABELS}}
        api.create_namespace(body)
    except ApiException as error:
        raise ProfileError(f"the cluster of {kubeconfig} refuses {name}: {error.reason}") from error
    except (ConfigException, HTTPError, OSError, YAMLError) as error:
        told = " ".join(str(error).split())[:300]
        raise ProfileError(f"the cluster of {kubeconfig} cannot be reached: {told}") from error
    create = {
        "ConfigMap": api.create_namespaced_config_map,
        "Secret": api.create_namespaced_secret,
        "ServiceAccount": api.create_namespaced_service_account,
    }
    try:
        for each in objects:
            try:
                create[each["kind"]](name, each)
            except ApiException as error:
                what = f"{each['kind']} {each['metadata']['name']}"
                raise ProfileError(f"the cluster refuses {what}: {error.reason}") from error
        yield
    finally:
        api.delete_namespace(name)
        _await_gone(api, name)


def _await_gone(api: Any, name: str) -> None:
    from kubernetes.client.exceptions import ApiException

    for _ in range(int(GONE_SECONDS / _LOOK_SECONDS)):
        try:
            api.read_namespace(name)
        except ApiException as error:
            if error.status == 404:
                return
            raise
        threading.Event().wait(_LOOK_SECONDS)
