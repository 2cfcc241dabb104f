"""`python -m igloo.deploying STAGE [--dry-run] [--contract]`: `make deploy`."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from igloo.deploying import DeployError, stages
from igloo.deploying.deploy import Deploy
from igloo.deploying.steps import Steps, say


def main(arguments: list[str] | None = None) -> int:
    """Deploy; the exit status is 0 where the new version runs."""
    parser = argparse.ArgumentParser(prog="python -m igloo.deploying", description=__doc__)
    parser.add_argument("stage", help="of zappa_settings.json")
    parser.add_argument("--dry-run", action="store_true", help="check, and say what would be done")
    parser.add_argument(
        "--contract", action="store_true", help="run migrations that take something away"
    )
    options = parser.parse_args(arguments)
    steps = Steps()
    try:
        deploy = Deploy(stages.read(options.stage), options.contract, steps)
        deploy.run(dry_run=options.dry_run)
    except (DeployError, BotoCoreError, ClientError) as error:
        say(f"{error}\nigloo: {steps.stands()}")
        return 1
    except KeyboardInterrupt:
        say(f"stopped by you; nothing was taken back. {steps.stands()}")
        started = any(name.startswith("zappa") for name in [*steps.done, steps.current])
        if started:
            say("the new version may be live: deploy again, which begins with a look at what is")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
