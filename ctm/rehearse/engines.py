"""The engines of a rehearsal: brought up with it and gone with it, or those of the environment."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ctm.rehearse.errors import ProfileError
from ctm.rehearse.kafka import TOPICS, free_port, settings_of
from ctm.rehearse.namespace import own_namespace
from ctm.rehearse.profile import ROOT, Profile, filled

_SHIM = """\
import os
import sys

os.execv(sys.executable, [sys.executable, {script!r}, *sys.argv[1:], "--kubeconfig", {config!r}])
"""


@dataclass(frozen=True)
class Stage:
    """Where jobs run: their environment, and their folders as the agent knows and we have them.

    launcher is the folder whose runJob.py starts Jobs in the rehearsal's cluster.
    """

    work: Path
    environment: Mapping[str, str]
    paths: Mapping[str, str]
    launcher: Path
    minute: float


def bare(profile: Profile, work: Path) -> Stage:
    """Return where commands run that need no engine yet."""
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONUNBUFFERED": "1"}
    # Jobs that start python3 get the one that has the programs' libraries.
    folders = [str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    environment["PATH"] = os.pathsep.join(folders)
    return Stage(work, environment, {}, ROOT / "runjob", profile.minute)


@contextmanager
def opened(profile: Profile, work: Path) -> Iterator[Stage]:
    """Bring up what the profile asks for; raise ProfileError where that cannot be."""
    stage = bare(profile, work)
    with ExitStack() as stack:
        settings = _started(profile, work, stack)
        environment = {**stage.environment, **settings}
        named = Path(environment.get("KUBECONFIG", ""))
        launcher = work / "launcher"
        if profile.cluster == "environment" and not named.name:
            launcher = stage.launcher
        words = words_of(replace(stage, launcher=launcher))
        told = {name: filled(each, words) for name, each in profile.environment.items()}
        environment |= told
        objects = list(_objects(profile, {**settings, **told}))
        if profile.cluster == "embedded":
            named = stack.enter_context(_cluster(profile, environment, objects))
        elif profile.cluster == "namespace":
            if not named.name:
                raise ProfileError("cluster: namespace: KUBECONFIG names no cluster")
            stack.enter_context(own_namespace(named, profile.namespace, objects))
        if launcher != stage.launcher:
            _write_shim(launcher, named)
        paths = {name: filled(each, words) for name, each in profile.paths.items()}
        for folder in paths.values():
            if folder.startswith(f"{work}/"):
                Path(folder).mkdir(parents=True, exist_ok=True)
        yield Stage(work, environment, paths, launcher, profile.minute)


def words_of(stage: Stage) -> dict[str, str]:
    """Return what stands in a profile's texts for the folders of a stage."""
    return {"root": str(ROOT), "work": str(stage.work), "launcher": str(stage.launcher)}


def _started(profile: Profile, work: Path, stack: ExitStack) -> dict[str, str]:
    """Start the embedded engines at the same time and return their settings together."""
    from misc.engines import kafka, s3, snowflake, x
    from misc.engines.process import EngineError

    makers: dict[str, Callable[[], AbstractContextManager[dict[str, str]]]] = {
        "kafka": lambda: kafka.embedded(TOPICS),
        "snowflake": snowflake.embedded,
        "s3": s3.embedded,
        "x": lambda: x.embedded(_posts(profile, work), limits={"searches": profile.searches}),
    }
    chosen = [makers[name] for name, by in profile.engines.items() if by == "embedded"]
    settings: dict[str, str] = {}
    try:
        with ThreadPoolExecutor(len(makers)) as pool:
            started = [pool.submit(stack.enter_context, each()) for each in chosen]
        for each in started:
            settings |= each.result()
    except EngineError as error:
        raise ProfileError(f"an embedded engine: {error}") from error
    if profile.engines.get("kafka") == "jobs":
        settings |= settings_of(free_port(), work / "kafka.pid")
    return settings


def _posts(profile: Profile, work: Path) -> Path | Iterator[dict[str, Any]]:
    from misc.engines import sample

    if isinstance(profile.posts, int):
        return sample.posts(profile.posts)
    path = Path(filled(profile.posts, {"root": str(ROOT), "work": str(work)}))
    if not path.is_file():
        raise ProfileError(f"posts: {path}: there is no such file")
    return path


@contextmanager
def _cluster(
    profile: Profile, environment: Mapping[str, str], objects: Sequence[Mapping[str, Any]]
) -> Iterator[Path]:
    """Run an embedded cluster that has the objects and the images; yield its kubeconfig."""
    from runjob.cluster import Cluster
    from runjob.errors import LaunchError
    from runjob.login import login
    from runjob.options import Connection
    from runjob.sandbox import Image, Sandbox

    base = {
        "PATH": environment["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "SECRETS": "/nonexistent",
    }
    images = [
        Image(name, tuple(filled(word, {"root": str(ROOT)}) for word in command), (), base)
        for name, command in profile.images.items()
    ]
    with Sandbox(images, namespace=profile.namespace) as sandbox:
        cluster = Cluster(login(Connection(kubeconfig=str(sandbox.kubeconfig))))
        for body in objects:
            try:
                cluster.create(body, profile.namespace)
            except LaunchError as error:
                name = f"{body['kind']} {body['metadata']['name']}"
                raise ProfileError(f"the embedded cluster refuses {name}: {error}") from error
        yield sandbox.kubeconfig


def _objects(profile: Profile, settings: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in profile.service_accounts:
        yield _object("ServiceAccount", name, {})
    for name, patterns in profile.config_maps.items():
        yield _object("ConfigMap", name, {"data": _chosen(settings, patterns)})
    for name, patterns in profile.secrets.items():
        coded = {
            key: base64.b64encode(value.encode()).decode()
            for key, value in _chosen(settings, patterns).items()
        }
        yield _object("Secret", name, {"data": coded})


def _object(kind: str, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **content}


def _chosen(settings: Mapping[str, str], patterns: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value
        for name, value in settings.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def _write_shim(folder: Path, config: Path) -> None:
    """Write a runJob.py that is the launcher, with the cluster's kubeconfig on its line."""
    folder.mkdir()
    script = str(ROOT / "runjob" / "runJob.py")
    text = _SHIM.format(script=script, config=str(config.absolute()))
    (folder / "runJob.py").write_text(text, encoding="utf-8")
