"""A release as it is built: what is in it, that it runs alone, and that it is the same each time.

All of it in one file, for its two builds and one installation are made once.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from misc.release import archives, make, tree
from misc.release.lock import normal
from runjob.sandbox import Sandbox
from runjob.version import VERSION

# The first test to ask for a build, or for the installation, waits for it.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
WHEEL = f"runjob-{VERSION}-py3-none-any.whl"
SDIST = f"runjob-{VERSION}.tar.gz"
PACKAGES = ("application", "pythonapp", "runjob")
# An image is built at the root of the repository, not of what is installed.
FOR_IMAGES = re.compile(r"(.*/)?((.*\.)?Dockerfile|requirements\.txt)")
HELLO = ("-j", "hello", "-i", "busybox:1", "-k", "echo", "-k", "hello world")
OLD = ("python2", "python2.7", "python3.6", "python3.7", "python3.8", "python3.9")
SUPPORTED = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")


def released(folder: Path, out: Path, *, umask: int = 0o022, **settings: str) -> Path:
    """Make a release in a process of its own, with settings beside the environment's."""
    done = subprocess.run(
        [sys.executable, "-m", "misc.release", "--out", str(out)],
        cwd=folder,
        env=os.environ | settings,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == sorted(str(path) for path in out.iterdir())
    return out


def epoch() -> str:
    in_git = (ROOT / ".git").exists()
    return str(tree.epoch(ROOT, os.environ if in_git else {"SOURCE_DATE_EPOCH": "1700000000"}))


def run(folder: Path, *words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, at nobody's home."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder / "nowhere"), **settings}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def found(*names: str) -> list[str]:
    """Return those that are Pythons of this machine, and no stand-ins for one that it has not."""
    return [
        name
        for name in names
        if shutil.which(name)
        and not subprocess.run([name, "-c", ""], capture_output=True, check=False).returncode
    ]


def pip(environment: Path) -> tuple[str, ...]:
    """Return this Python's pip at work on another environment."""
    line = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    return (*line, "--python", str(environment / "bin/python"))


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return released(ROOT, tmp_path_factory.mktemp("dist"), SOURCE_DATE_EPOCH=epoch())


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that has had nothing but the wheel installed."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    options = ("--quiet", "--no-compile", "--only-binary", ":all:")
    subprocess.run([*pip(folder), "install", *options, dist / WHEEL], check=True)
    return folder


@pytest.fixture
def launcher(dist: Path, tmp_path: Path) -> Iterator[Path]:
    """Put the one-file launcher on a PATH by another name, in a folder that cannot be written."""
    folder = tmp_path / "bin"
    folder.mkdir()
    copy = folder / "launch"
    shutil.copy(dist / make.LAUNCHER, copy)
    copy.chmod(0o555)
    folder.chmod(0o555)
    yield copy
    assert [path.name for path in folder.iterdir()] == ["launch"]
    folder.chmod(0o755)


# -- what is in it --------------------------------------------------------------------------------


def test_the_wheel_holds_every_file_of_its_packages(dist: Path) -> None:
    held = set(archives.unzipped((dist / WHEEL).read_bytes()))
    ours = {name for name in held if name.partition("/")[0] in PACKAGES}
    tracked = {name for name in tree.files(ROOT) if name.partition("/")[0] in PACKAGES}
    assert ours == {name for name in tracked if not FOR_IMAGES.fullmatch(name)}


def test_the_wheel_holds_besides_its_packages_the_manual_page_and_the_completions(
    dist: Path,
) -> None:
    held = archives.unzipped((dist / WHEEL).read_bytes())
    assert {name for name in held if name.startswith(f"runjob-{VERSION}.data/")} == {
        f"runjob-{VERSION}.data/data/share/{name}"
        for name in (
            "bash-completion/completions/runjob",
            "fish/vendor_completions.d/runjob.fish",
            "man/man1/runjob.1",
            "zsh/site-functions/_runjob",
        )
    }


def test_the_sdist_holds_every_file_of_the_repository(dist: Path) -> None:
    top = f"runjob-{VERSION}/"
    held = {name.removeprefix(top) for name in archives.untarred((dist / SDIST).read_bytes())}
    assert set(tree.listed(held)) == set(tree.files(ROOT))


def test_the_sums_are_those_of_all_files(dist: Path) -> None:
    lines = (dist / make.SUMS).read_text().splitlines()
    assert lines == [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(dist.iterdir())
        if path.name != make.SUMS
    ]


def test_the_one_file_launcher_is_pure_python_of_any_machine(dist: Path) -> None:
    names = archives.unzipped((dist / make.LAUNCHER).read_bytes())
    assert not [name for name in names if name.endswith((".so", ".pyd", ".dll", ".dylib"))]
    assert "runjob/cli.py" in names
    assert names["runjob/cli.pyc"].startswith(MAGIC_NUMBER)


def test_the_one_file_launcher_keeps_the_licence_of_all_that_it_holds(dist: Path) -> None:
    names = archives.unzipped((dist / make.LAUNCHER).read_bytes())
    folders = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    assert len(folders) > 10
    for folder in folders:
        assert f"{folder}/METADATA" in names
        assert [name for name in names if re.match(rf"{folder}/(licenses/)?LICENSE", name)], folder


# -- the same bytes each time ---------------------------------------------------------------------


def test_a_release_made_of_its_own_sdist_is_the_same_to_the_byte(
    dist: Path, tmp_path: Path
) -> None:
    """Elsewhere, later, without git, and by somebody with another umask, language and clock."""
    shutil.unpack_archive(dist / SDIST, tmp_path, filter="data")
    settings = {"LC_ALL": "C", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "17"}
    again = released(
        tmp_path / f"runjob-{VERSION}",
        tmp_path / "other folder",
        umask=0o077,
        SOURCE_DATE_EPOCH=epoch(),
        **settings,
    )
    assert [path.name for path in sorted(again.iterdir())] == sorted(os.listdir(dist))
    differing = [
        path.name
        for path in again.iterdir()
        if path.read_bytes() != (dist / path.name).read_bytes()
    ]
    assert differing == []


# -- the wheel alone ------------------------------------------------------------------------------


def test_the_wheel_asks_for_all_that_it_needs_and_for_nothing_of_the_pipeline(
    installed: Path, tmp_path: Path
) -> None:
    checked = run(tmp_path, *pip(installed), "check")
    assert checked.stdout == "No broken requirements found.\n"
    listed = json.loads(run(tmp_path, *pip(installed), "list", "--format", "json").stdout)
    names = {normal(each["name"]) for each in listed}
    assert {"runjob", "kubernetes", "pyyaml"} <= names
    assert not names & {"tweepy", "confluent-kafka", "snowflake-connector-python", "jinja2"}


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(["bin/runjob"], id="the command"),
        pytest.param(["bin/python", "-m", "runjob"], id="the module"),
    ],
)
def test_the_installed_launcher_runs_a_job(
    installed: Path, tmp_path: Path, start: list[str]
) -> None:
    line = (str(installed / start[0]), *start[1:])
    assert run(tmp_path, *line, "--version").stdout == f"{VERSION}\n"
    done = run(tmp_path, *line, *HELLO, "--sandbox")
    assert done.returncode == 0, done.stderr
    assert "\nhello world\n" in done.stdout


def test_the_installed_manual_page_is_of_this_version(installed: Path) -> None:
    page = (installed / "share/man/man1/runjob.1").read_text(encoding="utf-8")
    assert f"runjob {VERSION}" in page.splitlines()[0]


# -- the one-file launcher ------------------------------------------------------------------------


def test_it_runs_by_any_name_from_a_folder_that_cannot_be_written(
    launcher: Path, tmp_path: Path
) -> None:
    path = os.pathsep.join([str(launcher.parent), os.environ["PATH"]])
    assert run(tmp_path, launcher.name, "--version", PATH=path).stdout == f"{VERSION}\n"
    done = run(tmp_path, launcher.name, *HELLO, "--sandbox", PATH=path)
    assert done.returncode == 0, done.stderr
    assert "\nhello world\n" in done.stdout


@pytest.mark.parametrize("python", [sys.executable, *found(*SUPPORTED)])
def test_it_needs_nothing_but_python(launcher: Path, tmp_path: Path, python: str) -> None:
    done = run(tmp_path, python, "-I", "-S", launcher, *HELLO, "--sandbox")
    assert done.returncode == 0, done.stderr
    assert "\nhello world\n" in done.stdout


def test_it_finds_a_manifest_beside_itself(launcher: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    beside = tmp_path / "launch"
    shutil.copy(launcher, beside)
    line = (sys.executable, beside)
    manifest = run(tmp_path, *line, *HELLO, "--dry-run", "client").stdout
    (tmp_path / "hello.yaml").write_text(manifest)
    done = run(tmp_path / "elsewhere", *line, "-j", "hello", "--dry-run", "client")
    assert (done.returncode, done.stdout) == (0, manifest), done.stderr


def test_it_speaks_to_a_cluster_that_it_can_trust(launcher: Path, tmp_path: Path) -> None:
    with Sandbox() as cluster:
        login = ("--kubeconfig", cluster.kubeconfig, "-n", "controlm")
        done = run(tmp_path, launcher, *HELLO, *login, "--keep", "always")
        assert done.returncode == 0, done.stderr
        shown = run(tmp_path, launcher, "show", "hello", *login)
        assert shown.returncode == 0, shown.stderr
        assert "hello" in shown.stdout
        gone = run(tmp_path, launcher, "gc", *login, "--older-than", "0", "--delete")
        assert gone.returncode == 0, gone.stderr
        assert run(tmp_path, launcher, "show", "hello", *login).returncode != 0


def test_it_trusts_no_cluster_of_another_authority(launcher: Path, tmp_path: Path) -> None:
    with Sandbox() as cluster, Sandbox() as other:
        config = json.loads(cluster.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = other.url
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        done = run(tmp_path, launcher, *HELLO, "--kubeconfig", "kubeconfig")
        assert done.returncode != 0
        assert "its certificate is not trusted" in done.stdout
        assert done.stderr == ""
        assert "/batch/" not in " ".join(str(request) for request in other.requests)


def test_it_holds_the_client_whole_but_for_the_half_of_asyncio(
    launcher: Path, tmp_path: Path
) -> None:
    """Whatever a login needs, such as the client itself for OpenID Connect, is there."""
    code = f"""
import sys; sys.path.insert(0, {str(launcher)!r})
import pkgutil, importlib, kubernetes
for part in (kubernetes.client.api, kubernetes.client.models, kubernetes.config):
    for found in pkgutil.walk_packages(part.__path__, part.__name__ + '.'):
        importlib.import_module(found.name)
from kubernetes import client
client.ApiClient(client.Configuration())
import certifi, requests_oauthlib, yaml
assert 'BEGIN CERTIFICATE' in open(certifi.where()).read()
assert len(dir(client.models)) > 700
strangers = {{getattr(each, '__file__', None) or '' for each in sys.modules.values()}}
print([each for each in strangers if '-packages' in each])
"""
    done = run(tmp_path, sys.executable, "-I", "-S", "-c", code)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_an_old_python_is_told_so_in_one_line(launcher: Path, tmp_path: Path) -> None:
    """This one plays an old one; what old ones the machine has need not play."""
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 18); sys.version = '3.9.18 (main)';"
        f"runpy.run_path({str(launcher)!r}, run_name='__main__')"
    )
    for line in ((sys.executable, "-c", code), *((old, launcher, *HELLO) for old in found(*OLD))):
        done = run(tmp_path, *line)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(
            r"runjob: error: Python 3.10 or newer is needed, this is [23]\.\d+\.\d+\n", done.stderr
        )


# -- the bills of materials -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"{make.LAUNCHER}.cdx.json", f"runjob-{VERSION}.cdx.json"])
def test_a_bill_is_what_its_format_asks_for(dist: Path, name: str) -> None:
    # Imported here, for it takes each worker of the tests seconds.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (dist / name).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    about = bill["metadata"]["component"]
    (file,) = (each["value"] for each in about["properties"] if each["name"] == "runjob:file")
    assert about["version"] == VERSION
    assert about["hashes"][0]["content"] == hashlib.sha256((dist / file).read_bytes()).hexdigest()


def test_the_launcher_s_bill_names_exactly_what_it_holds(dist: Path) -> None:
    bill = json.loads((dist / f"{make.LAUNCHER}.cdx.json").read_text(encoding="utf-8"))
    told = {(each["name"], each["version"]) for each in bill["components"]}
    names = archives.unzipped((dist / make.LAUNCHER).read_bytes())
    folders = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    held = {tuple(folder.removesuffix(".dist-info").split("-")) for folder in folders}
    assert told | {("runjob", VERSION)} == {(normal(name), version) for name, version in held}
    for each in bill["components"]:
        assert re.fullmatch("[0-9a-f]{64}", each["hashes"][0]["content"])
        assert each["licenses"]


def test_the_wheel_s_bill_names_all_that_it_asks_for(dist: Path) -> None:
    bill = json.loads((dist / f"runjob-{VERSION}.cdx.json").read_text(encoding="utf-8"))
    told = {each["name"]: each["version"] for each in bill["components"]}
    scopes = {each["name"]: each["scope"] for each in bill["components"]}
    wheel = archives.unzipped((dist / WHEEL).read_bytes())
    version, asked = make.version_and_requirements(wheel)
    assert version == VERSION
    ours = [each for each in asked if 'extra == "dev"' not in str(each.marker)]
    assert len(ours) > 10
    for each in ours:
        assert each.specifier.contains(told[normal(each.name)]), each
        assert (scopes[normal(each.name)] == "required") is (each.marker is None), each
