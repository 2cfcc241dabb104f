"""A side that is not igloo: it says that it is well, and fails all that members ask."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Side(ThreadingHTTPServer):
    """What a side's own address answers."""

    def __init__(self, commit: str = "c0ffee") -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.commit = commit
        self.ready = 200
        # Answered in place of what igloo would.
        self.other = b""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        side = self.server
        assert isinstance(side, Side)
        health = {"status": "ok", "version": "1", "commit": side.commit}
        body = side.other or json.dumps(health).encode()
        self.send_response({"/healthz": 200, "/readyz": side.ready}.get(self.path, 500))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass
