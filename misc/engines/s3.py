"""An embedded S3: moto's server, in memory."""

from __future__ import annotations

import contextlib
import logging
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

from misc.engines.ports import listen
from misc.engines.process import Answer, EngineError, serve, start

REGION = "us-east-1"


@contextlib.contextmanager
def embedded(
    buckets: Sequence[str] = ("cust360-geo",), *, port: int = 0
) -> Iterator[dict[str, str]]:
    """Run a store with these buckets and yield boto3's AWS_ variables; the first is GEO_BUCKET."""
    with start("misc.engines.s3", {"buckets": list(buckets), "port": port}) as engine:
        yield engine.settings


@contextlib.contextmanager
def run(options: Answer) -> Iterator[tuple[dict[str, str], Any]]:
    """Start the server; it takes no requests."""
    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    listener = listen(options["port"])
    port = listener.getsockname()[1]
    server = make_server(
        "127.0.0.1",
        port,
        application,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{port}"
    for bucket in options["buckets"]:
        urllib.request.urlopen(urllib.request.Request(f"{address}/{bucket}", method="PUT")).close()
    settings = {
        "AWS_ENDPOINT_URL_S3": address,
        # moto asks for keys but looks at none.
        "AWS_ACCESS_KEY_ID": "embedded",
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    if options["buckets"]:
        settings["GEO_BUCKET"] = options["buckets"][0]
    yield settings, _refuse
    server.shutdown()
    server.server_close()
    listener.close()


def _refuse(request: Answer) -> Answer:
    raise EngineError(f"the embedded store takes no {request.get('do')!r}")


if __name__ == "__main__":
    serve(run)
