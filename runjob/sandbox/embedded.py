"""The sandbox: an embedded one-node cluster in a thread of this process."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import shutil
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from .api import Api, locate
from .certificate import Authority, Certificate
from .deletion import Collector
from .disruption import PREEMPTION, disrupt
from .events import Recorder
from .faults import Fault, Injection
from .gate import Gate, Served
from .images import Image, Images
from .jobcontroller import JobController
from .kubelet import Kubelet
from .memory import MemoryGuard
from .node import Node, Timings
from .podlogs import PodLogs
from .podrun import Workshop
from .resources import NAMESPACES, PODS
from .scheduler import Scheduler
from .server import Server
from .store import Store

T = TypeVar("T")

NAMESPACE_NAMES = ("default", "kube-system", "controlm")


class Sandbox:
    """A Kubernetes of one node, for trying out and for tests.

    Use it as a context manager. Containers are processes of this machine, isolated by nothing:
    run nothing in it that you would not run in your shell.
    """

    def __init__(
        self,
        images: Iterable[Image] = (),
        node_cpu: str = "32",
        node_memory: str = "128Gi",
        timings: Timings | None = None,
        port: int = 0,
        namespace: str = "controlm",
    ) -> None:
        self._node = Node(cpu=node_cpu, memory=node_memory)
        self._timings = timings or Timings()
        self._images = Images(images)
        self._port = port
        self._namespace = namespace
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._folder = Path()
        self.token = secrets.token_urlsafe(24)

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Bring the cluster up; return when it serves requests."""
        self._folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
        try:
            context = self._found_authority()
            self._thread.start()
            self._call(lambda: self._assemble(context))
            self.start_listening()
            self._write_kubeconfig()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Kill every process, stop the thread and remove the files."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop).result(15)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self._folder / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        return self._folder / "kubeconfig"

    @property
    def requests(self) -> tuple[Served, ...]:
        """The requests answered so far, in order."""
        return tuple(self._gate.served)

    def inject(self, fault: Fault) -> Injection:
        """Put a fault in force; the earliest one that concerns a request hits it."""
        injection = Injection(fault)
        self._gate.injections.append(injection)
        return injection

    def add_image(self, image: Image) -> None:
        """Put an image in the node's table, in place of one of that name."""
        self._call(lambda: self._images.add(image))

    def resize_node(self, cpu: str | None = None, memory: str | None = None) -> None:
        """Change what the node has to give."""
        self._node = replace(
            self._node, cpu=cpu or self._node.cpu, memory=memory or self._node.memory
        )
        self._call(lambda: self._scheduler.resize(self._node))

    def preempt(self, namespace: str, pod: str) -> None:
        """Take a pod off the node for the sake of one of higher priority, which is not seen."""
        self._call(
            lambda: disrupt(self._store, self._store.get(PODS, (namespace, pod)), PREEMPTION)
        )

    def lose_node(self) -> None:
        """Lose the node: its containers die untold, its pods stay, and no pod finds room."""
        self._call(self._kubelet.lose)
        self._node = replace(self._node, lost=True)
        self._call(lambda: self._scheduler.resize(self._node))

    def return_node(self) -> None:
        """Bring the lost node back, empty."""
        self._call(self._kubelet.come_back)
        self._node = replace(self._node, lost=False)
        self._call(lambda: self._scheduler.resize(self._node))

    def forget_history(self) -> None:
        """Compact the store: a watch that resumes from an earlier version is told 410."""
        self._call(self._store.forget_history)

    def rotate_logs(self) -> None:
        """Begin a new file for each container's log; what was in the old one is given no more."""
        self._call(self._logs.rotate)

    def rotate_token(self) -> str:
        """Let the token expire and return the new one, which the kubeconfig then holds."""
        self.token = self._gate.token = secrets.token_urlsafe(24)
        self._write_kubeconfig()
        return self.token

    def renew_certificate(self) -> None:
        """Serve another certificate of the same authority; connections are reset."""
        self._listen_with(self._context())

    def rotate_authority(self) -> None:
        """Serve a certificate of another authority, which ca.crt and the kubeconfig then hold.

        Connections are reset; client certificates of the former authority end the TLS handshake.
        """
        self._listen_with(self._found_authority())
        self._write_kubeconfig()

    def client_files(self, folder: Path) -> None:
        """Write client.crt and client.key, and refuse (401) each client certificate before."""
        made = self._authority.client("sandbox")
        self._gate.certificate = made.serial
        _write(made, folder / "client.crt", folder / "client.key")

    def stop_listening(self) -> None:
        """Take the API down: connections are reset and refused; the cluster goes on."""
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)

    def start_listening(self) -> None:
        """Bring the API up again on the same port, with all its state."""
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(10)

    def namespace_files(self, folder: Path, namespace: str | None = None) -> None:
        """Write token, ca.crt and namespace as they lie in a pod's service account folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "token").write_text(self.token)
        (folder / "ca.crt").write_bytes(self.ca_file.read_bytes())
        (folder / "namespace").write_text(namespace or self._namespace)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _call(self, function: Callable[[], T]) -> T:
        async def called() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(10)

    def _assemble(self, context: ssl.SSLContext) -> None:
        store = Store()
        self._logs = logs = PodLogs(self._folder / "logs")
        recorder = Recorder(store, self._node.name)
        api = Api(store, logs, self._timings.bookmark, self.ca_file.read_text())
        self._gate = Gate(self.token, locate, api.handle)
        self._server = Server(self._gate, context, self._port)
        self._store = store
        self._collector = Collector(store)
        self._scheduler = Scheduler(store, recorder, self._node)
        self._jobs = JobController(store, recorder, self._timings)
        self._kubelet = Kubelet(
            Workshop(
                store,
                self._images,
                logs,
                recorder,
                MemoryGuard(self._timings.memory_poll),
                self._timings,
                self._folder / "pods",
            )
        )
        for name in dict.fromkeys((*NAMESPACE_NAMES, self._namespace)):
            api.create(NAMESPACES, "", {"metadata": {"name": name}})

    async def _shut_down(self) -> None:
        await self._server.stop()
        await self._kubelet.close()
        current = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    def _found_authority(self) -> ssl.SSLContext:
        """Make an authority; return what a server needs that it certifies."""
        self._authority = Authority()
        self.ca_file.write_text(self._authority.certificate)
        return self._context()

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
            _write(self._authority.server(), certificate, key)
            context.load_cert_chain(certificate, key)
        context.load_verify_locations(self.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL  # most clients have a token instead
        return context

    def _listen_with(self, context: ssl.SSLContext) -> None:
        self.stop_listening()
        self._server.context = context
        self.start_listening()

    def _write_kubeconfig(self) -> None:
        authority = base64.b64encode(self.ca_file.read_bytes()).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        context = {"cluster": "sandbox", "user": "sandbox", "namespace": self._namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sandbox", "cluster": cluster}],
            "users": [{"name": "sandbox", "user": {"token": self.token}}],
            "contexts": [{"name": "sandbox", "context": context}],
            "current-context": "sandbox",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(config, indent=2) + "\n")


def _write(made: Certificate, certificate: Path, key: Path) -> None:
    certificate.write_text(made.certificate)
    key.touch(mode=0o600)
    key.write_text(made.key)
