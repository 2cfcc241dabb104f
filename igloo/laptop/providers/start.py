"""Starting the stand-ins beside the web server and the worker."""

import json
import socket
import sys

from igloo.laptop.children import STOP_SECONDS, Child, say


def start_providers(environment: dict[str, str], address: str) -> Child:
    """The stand-ins on a free port of this machine, whatever HOST says.

    What igloo, at `address`, must know of them is added to `environment`.
    """
    from igloo.laptop.providers.demo import settings_of  # `make demo` needs no cryptography

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    environment["DEMO_PROVIDERS"] = json.dumps(settings_of(url, address))
    environment["DEMO_PROVIDERS_URL"] = url
    say("igloo: logins: python -m igloo.laptop.providers")
    command = [sys.executable, "-m", "igloo.laptop.providers", port]
    return Child("logins", command, environment, STOP_SECONDS)
