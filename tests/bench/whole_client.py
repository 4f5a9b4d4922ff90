"""Create a Job as a script would that imports the official client whole, and delete it."""

from __future__ import annotations

import sys

from kubernetes import client, config


def main(kubeconfig: str, name: str) -> None:
    """Create the Job, say so, delete it."""
    config.load_kube_config(kubeconfig)
    jobs = client.BatchV1Api()
    container = client.V1Container(name="main", image="busybox:1", command=["true"])
    pod = client.V1PodSpec(containers=[container], restart_policy="Never")
    spec = client.V1JobSpec(template=client.V1PodTemplateSpec(spec=pod))
    body = client.V1Job(metadata=client.V1ObjectMeta(name=name), spec=spec)
    jobs.create_namespaced_job("controlm", body)
    print("Job created", flush=True)
    jobs.delete_namespaced_job(name, "controlm", propagation_policy="Background")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
