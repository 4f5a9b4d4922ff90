"""The official client is imported in small parts, and stays whole for everybody else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from runjob import lean

ROOT = Path(lean.__file__).parent.parent


def python(code: str) -> str:
    """Run code in a Python of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LEAN = "from runjob.lean import make_client_lazy; make_client_lazy();"
COUNT = "import sys; print(sum(name.startswith('kubernetes.') for name in sys.modules))"


@pytest.mark.parametrize(
    ("code", "most"),
    [
        pytest.param("", 5, id="nothing"),
        pytest.param("import kubernetes.client.models.v1_job", 12, id="one model"),
        pytest.param(
            "from runjob.jobspec import build; from runjob.options import JobOptions;"
            "build('a', 'b', JobOptions(image='c'))",
            25,
            id="a Job",
        ),
        pytest.param("from kubernetes.client.configuration import Configuration", 15, id="a login"),
        pytest.param(
            "from runjob.lean import import_lightly;"
            "import_lightly('kubernetes.config.kube_config')",
            30,
            id="a kubeconfig",
        ),
    ],
)  # fmt: skip
def test_few_modules_are_loaded(code: str, most: int) -> None:
    assert int(python(f"{LEAN}{code}\n{COUNT}")) <= most


def test_the_launcher_refuses_without_loading_the_client() -> None:
    code = "from runjob.cli import main; main(['--help']); main(['-b', 'x'])\n"
    assert python(code + COUNT).splitlines()[-1] == "0"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import kubernetes; kubernetes.client.CoreV1Api", id="by attributes"),
        pytest.param("from kubernetes import client; client.V1Pod", id="the usual way"),
        pytest.param("from kubernetes.client import V1PodList, BatchV1Api", id="by names"),
        pytest.param("from kubernetes.client.models import V1Pod; V1Pod()", id="from the models"),
        pytest.param("import kubernetes.client.models as m; m.V1CronJob", id="of the models"),
        pytest.param("from kubernetes import config; config.load_kube_config", id="config"),
        pytest.param("from kubernetes import watch; watch.Watch", id="a package that is not lazy"),
        pytest.param("import kubernetes; kubernetes.__version__ or 1", id="the version"),
        pytest.param(
            "from kubernetes import client; client.ApiClient().sanitize_for_serialization("
            "client.V1Job(metadata=client.V1ObjectMeta(name='a')))",
            id="used together",
        ),
        pytest.param(
            "import kubernetes.client.models.v1_pod as one; from kubernetes.client import V1Pod;"
            "assert one.V1Pod is V1Pod",
            id="one class by two ways",
        ),
        pytest.param("from kubernetes.client import *; V1Pod", id="with a star"),
    ],
)
def test_everything_of_the_client_is_still_there(code: str) -> None:
    python(f"{LEAN}{code}")


def test_a_name_that_the_client_has_not_is_still_missed() -> None:
    python(
        f"{LEAN}from kubernetes import client\n"
        "try: client.NoSuchThing\n"
        "except AttributeError as error: assert 'NoSuchThing' in str(error)\n"
        "else: raise SystemExit('found')"
    )


def test_a_client_that_is_imported_already_is_left_alone() -> None:
    code = (
        "import sys, kubernetes.client, kubernetes.config\n"
        "before = dict(sys.modules)\n"
        f"{LEAN}\n"
        "assert all(sys.modules[name] is module for name, module in before.items())\n"
        "assert type(kubernetes.client) is type(sys)"
    )
    python(code)


def test_a_kubeconfig_needs_neither_requests_nor_multiprocessing() -> None:
    code = (
        "import sys; from runjob.lean import import_lightly\n"
        "import_lightly('kubernetes.config.kube_config')\n"
        "print(*{'requests', 'multiprocessing.context'} & sys.modules.keys())"
    )
    assert python(code) == ""


def test_threads_may_build_jobs_and_log_in_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "
        "'https://127.0.0.1:1'}}], contexts: [{name: c, context: {cluster: c, user: c}}], "
        "users: [{name: c, user: {token: t}}]}"
    )
    code = (
        "import sys; sys.setswitchinterval(1e-6)\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from runjob import build_job\n"
        "from runjob.login import login; from runjob.options import Connection\n"
        f"enter = login(Connection(kubeconfig={str(config)!r}))\n"
        "def one(): build_job('hello', 'busybox'); return enter()\n"
        "with ThreadPoolExecutor(16) as pool:\n"
        "    hosts = {each.result().host for each in [pool.submit(one) for _ in range(16)]}\n"
        "print(*hosts)"
    )
    assert python(code) == "https://127.0.0.1:1"


# -- how it is done, with a small package ---------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Lay out a package with an `__init__` that tells when it runs."""
    inner = tmp_path / "leantest" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "leantest" / "__init__.py").write_text("RAN = True\n")
    (inner / "__init__.py").write_text(
        "from leantest.inner.part import NAME\n"
        "RAN = True\n"
        "def later(): return 'late'\n"
        "later.word = 'x'\n"
    )
    (inner / "part.py").write_text("NAME = 'part'\n")
    (inner / "user.py").write_text("from leantest.inner import later\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lean, "PACKAGES", ("leantest", "leantest.inner"))
    monkeypatch.setattr(lean, "HOMES", {("leantest.inner", "NAME"): "leantest.inner.part"})
    monkeypatch.setattr(lean, "DEFERRED", {("leantest.inner", "later")})
    lean.make_client_lazy()
    yield "leantest"
    for name in [name for name in sys.modules if name.split(".")[0] == "leantest"]:
        del sys.modules[name]


def test_a_name_with_a_home_is_found_without_running_the_package(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    assert inner.NAME == "part"
    assert "RAN" not in vars(inner)


def test_any_other_name_runs_the_package(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    assert inner.RAN is True
    assert vars(inner)["NAME"] == "part"
    assert type(inner) is type(sys)
    with pytest.raises(AttributeError, match="nothing"):
        _ = inner.nothing


def test_a_special_name_does_not_run_the_package(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    with pytest.raises(AttributeError):
        _ = inner.__wrapped__
    assert "RAN" not in vars(inner)


def test_a_submodule_is_found_without_running_the_package(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    assert inner.part.NAME == "part"
    assert "RAN" not in vars(inner)


def test_what_is_deferred_runs_the_package_when_it_is_called(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    user = lean.import_lightly(f"{package}.inner.user")
    assert "RAN" not in vars(inner)
    assert (user.later(), user.later.word) == ("late", "x")
    assert vars(inner)["RAN"] is True


def test_nothing_is_deferred_for_anybody_else(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    assert inner.later is vars(inner)["later"]


def test_to_be_asked_for_all_its_names_runs_the_package(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    assert getattr(inner, "__all__", None) is None
    assert vars(inner)["RAN"] is True


def test_packages_hang_together(package: str) -> None:
    outer, inner = sys.modules[package], sys.modules[f"{package}.inner"]
    assert vars(outer)["inner"] is inner
    spec = find_spec(package)
    assert spec is not None
    assert outer.__file__ == spec.origin


def test_to_do_it_twice_changes_nothing(package: str) -> None:
    inner = sys.modules[f"{package}.inner"]
    lean.make_client_lazy()
    assert sys.modules[f"{package}.inner"] is inner


def test_a_client_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean, "PACKAGES", ("no_such_package",))
    with pytest.raises(ModuleNotFoundError, match="no_such_package") as caught:
        lean.make_client_lazy()
    assert caught.value.name == "no_such_package"
