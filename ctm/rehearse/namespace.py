"""A namespace in a real cluster, made for a rehearsal and removed with all that is in it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctm.rehearse.errors import ProfileError

# A namespace that ends waits for its pods, which have 60 seconds to end.
GONE_SECONDS = 90.0
_LOOK_SECONDS = 0.5
# A server that does not answer is told as one that is not there.
_PATIENCE = 30.0
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
        api.create_namespace(body, _request_timeout=_PATIENCE)
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
            what = f"{each['kind']} {each['metadata']['name']}"
            try:
                create[each["kind"]](name, each, _request_timeout=_PATIENCE)
            except ApiException as error:
                raise ProfileError(f"the cluster refuses {what}: {error.reason}") from error
            except HTTPError as error:
                raise ProfileError(f"the cluster does not answer about {what}: {error}") from error
        yield
    finally:
        if left := _left(api, name):
            print(
                f"rehearse: namespace {name} is left in the cluster: {left}; "
                f"kubectl delete namespace {name} removes it",
                file=sys.stderr,
            )


def _left(api: Any, name: str) -> str | None:
    """Delete the namespace and wait until it is gone; return why it is not, None where it is."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        api.delete_namespace(name, _request_timeout=_PATIENCE)
        for _ in range(int(GONE_SECONDS / _LOOK_SECONDS)):
            api.read_namespace(name, _request_timeout=_PATIENCE)
            threading.Event().wait(_LOOK_SECONDS)
    except ApiException as error:
        return None if error.status == 404 else str(error.reason)
    except HTTPError as error:
        return " ".join(str(error).split())[:300]
    return f"it did not end within {GONE_SECONDS:.0f} s"
