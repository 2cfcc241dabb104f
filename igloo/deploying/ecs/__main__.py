"""`python -m igloo.deploying.ecs STAGE [--dry-run] [--contract]`: `make deploy-ecs`."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from igloo.deploying import DeployError, stages
from igloo.deploying.ecs.aws import explained
from igloo.deploying.ecs.deploy import EcsDeploy
from igloo.deploying.steps import Steps, say


def main(arguments: list[str] | None = None) -> int:
    """Deploy; the exit status is 0 where the new version runs."""
    parser = argparse.ArgumentParser(prog="python -m igloo.deploying.ecs", description=__doc__)
    parser.add_argument("stage", help="of zappa_settings.json")
    parser.add_argument("--dry-run", action="store_true", help="check, and show what would change")
    parser.add_argument(
        "--contract", action="store_true", help="run migrations that take something away"
    )
    parser.add_argument("--builder", default="docker", help="docker, podman or buildah")
    options = parser.parse_args(arguments)
    steps = Steps()
    try:
        stage = stages.read(options.stage)
        deploy = EcsDeploy(stage, options.contract, options.builder, steps)
        deploy.run(dry_run=options.dry_run)
    except (DeployError, BotoCoreError, ClientError) as error:
        say(f"{explained(error)}\nigloo: {steps.stands()}")
        return 1
    except KeyboardInterrupt:
        say(f"stopped by you; nothing was taken back. {steps.stands()}")
        if "give the one-off task the image" in [*steps.done, steps.current]:
            say(
                "what AWS has begun, an update of the stack or a one-off task, it ends by itself: "
                "deploy again then, which begins with a look at what is"
            )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
