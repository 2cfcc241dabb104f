"""moto's server on loopback, with room for what stands before it."""

import urllib.request
from typing import Any

from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server


class MotoServer(ThreadedMotoServer):
    """On a free port of 127.0.0.1; `url` is where, once it is started.

    moto's servers of one process share what they hold.
    """

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 0, verbose=False)

    def gated(self, app: Any) -> Any:
        """The WSGI application that is served, with moto's behind it."""
        return app

    def _server_entry(self) -> None:
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )

        app = self.gated(DomainDispatcherApplication(create_backend_app))
        self._server = make_server(
            self._ip_address, self._port, app, True, request_handler=MotoRequestHandler
        )
        self._server_ready_event.set()
        self._server.serve_forever()

    def start(self) -> None:
        """Start."""
        super().start()
        host, port = self.get_host_and_port()
        self.url = f"http://{host}:{port}"

    def stop(self) -> None:
        """Stop, and let the port go."""
        super().stop()
        if self._server is not None:
            self._server.server_close()

    def reset(self) -> None:
        """Forget everything, of all servers of this process."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=20).close()
