"""`python -m igloo.laptop.providers PORT`: the stand-ins, for the DEMO_PROVIDERS that is set."""

import json
import os
import signal
import sys

from igloo.laptop.providers.demo import flat
from igloo.laptop.providers.server import ProviderServer
from igloo.laptop.providers.world import World


def main() -> None:
    """Answer until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    values = flat(json.loads(os.environ["DEMO_PROVIDERS"]))
    ProviderServer(World(values), int(sys.argv[1])).serve()


if __name__ == "__main__":
    main()
