"""The certificates of the cluster, and the kubeconfig of each who holds one."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.network import API_SERVER, NODE_ADDRESS, SERVICE_ADDRESS

NODE_NAME = "node1"


@dataclass(frozen=True)
class Holder:
    """Somebody with a certificate: the file's name, the user, the group, the names served."""

    file: str
    user: str
    group: str = ""
    names: tuple[str, ...] = ()
    kubeconfig: bool = True


_SERVED = (
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:kubernetes.default.svc.cluster.local",
    "DNS:localhost",
    f"IP:{NODE_ADDRESS}",
    f"IP:{SERVICE_ADDRESS}",
    "IP:127.0.0.1",
)
HOLDERS = (
    Holder("apiserver", "kube-apiserver", names=_SERVED, kubeconfig=False),
    Holder(
        "apiserver-kubelet", "kube-apiserver-kubelet-client", "system:masters", kubeconfig=False
    ),
    Holder("admin", "kubernetes-admin", "system:masters"),
    Holder("kube-controller-manager", "system:kube-controller-manager"),
    Holder("kube-scheduler", "system:kube-scheduler"),
    Holder("kube-proxy", "system:kube-proxy"),
    Holder("kubelet", f"system:node:{NODE_NAME}", "system:nodes"),
)


def make_certificates(folder: Path) -> None:
    """Make an authority, a key that signs tokens, and what each holder needs."""
    folder.mkdir(parents=True, mode=0o700)
    _key(folder / "ca.key")
    _openssl(
        "req",
        "-x509",
        "-new",
        "-key",
        folder / "ca.key",
        "-subj",
        "/CN=runjob-cluster",
        "-days",
        "3650",
        "-out",
        folder / "ca.crt",
    )
    _key(folder / "tokens.key")
    _openssl("pkey", "-in", folder / "tokens.key", "-pubout", "-out", folder / "tokens.pub")
    for holder in HOLDERS:
        _certify(folder, holder)
        if holder.kubeconfig:
            user = {
                "client-certificate-data": _encoded(folder / f"{holder.file}.crt"),
                "client-key-data": _encoded(folder / f"{holder.file}.key"),
            }
            write_kubeconfig(folder / f"{holder.file}.kubeconfig", folder, holder.user, user)


def write_kubeconfig(
    path: Path, certificates: Path, name: str, user: dict[str, str], namespace: str = "default"
) -> None:
    """Write a kubeconfig, readable by its owner only; JSON is YAML too."""
    cluster = {
        "server": API_SERVER,
        "certificate-authority-data": _encoded(certificates / "ca.crt"),
    }
    context = {"cluster": "runjob", "user": name, "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "runjob", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "runjob", "context": context}],
        "current-context": "runjob",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1) + "\n")


def _certify(folder: Path, holder: Holder) -> None:
    group = f"/O={holder.group}" if holder.group else ""
    stem = folder / holder.file
    _key(stem.with_suffix(".key"))
    usage = "extendedKeyUsage=serverAuth,clientAuth"
    names = f"\nsubjectAltName={','.join(holder.names)}" if holder.names else ""
    extensions = stem.with_suffix(".ext")
    extensions.write_text(usage + names + "\n")
    request = stem.with_suffix(".csr")
    _openssl(
        "req",
        "-new",
        "-key",
        stem.with_suffix(".key"),
        "-out",
        request,
        "-subj",
        f"{group}/CN={holder.user}",
    )
    _openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        folder / "ca.crt",
        "-CAkey",
        folder / "ca.key",
        "-CAcreateserial",
        "-days",
        "3650",
        "-extfile",
        extensions,
        "-out",
        stem.with_suffix(".crt"),
    )


def _key(path: Path) -> None:
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _openssl(*arguments: str | Path) -> None:
    ended = subprocess.run(
        ["openssl", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        complaint = ended.stderr.strip().replace("\n", "; ")
        raise ClusterError(f"openssl {arguments[0]} failed: {complaint}")
