"""A command of manage.py in a container of its own, beside the services."""

from collections.abc import Callable
from typing import Any

import boto3

from igloo.deploying import DeployError
from igloo.deploying.ecs.aws import until
from igloo.deploying.ecs.stack import State
from igloo.deploying.steps import say

CONTAINER = "igloo"
# Seconds that CloudWatch may take to show the last lines of a container that has stopped.
_LOGS_LATE = 60


class OneOff:
    """Runs the stack's one-off task.

    Args:
        limit: seconds that a command may take, from asking for a container to its end.
    """

    def __init__(self, stage: str, region: str, state: State, *, limit: float = 1200) -> None:
        self.state = state
        self.limit = limit
        self.group = f"/igloo/{stage}/one-off"
        self.client = boto3.client("ecs", region_name=region)
        self.logs = boto3.client("logs", region_name=region)

    def manage(self, command: str, complete: Callable[[str], bool] = bool) -> str:
        """Run `python manage.py <command>`; what it printed.

        Args:
            complete: whether a text is all that it prints.

        Raises:
            DeployError: the container did not start, or the command failed; its lines are shown.
        """
        arn = self._start(["python", "manage.py", *command.split()])
        say(f"  {arn.rpartition('/')[2]} runs `{command}`")
        task = until(lambda: self._stopped(arn), self.limit)
        if task is None:
            self.client.stop_task(
                cluster=self._cluster, task=arn, reason="It took longer than a deploy waits."
            )
            self._show(self._read(arn))
            raise DeployError(
                f"`{command}` did not end in {self.limit / 60:.0f} minutes, and was told to stop."
            )
        [container] = [item for item in task["containers"] if item["name"] == CONTAINER]
        status = container.get("exitCode")
        why = "; ".join(filter(None, (task.get("stoppedReason"), container.get("reason"))))
        if status is None:
            raise DeployError(f"ECS could not run `{command}`: {why or 'it says not why'}.")
        if status:
            self._show(until(lambda: self._read(arn) or None, _LOGS_LATE) or "")
            raise DeployError(f"`{command}` ended with status {status} ({why}).")
        found = until(lambda: text if complete(text := self._read(arn)) else None, _LOGS_LATE)
        if found is None:
            raise DeployError(
                f"`{command}` ended well, and CloudWatch does not show all that it printed in "
                f"{self.group}: deploy again."
            )
        return found

    @property
    def _cluster(self) -> str:
        return self.state.outputs["ClusterName"]

    def _start(self, command: list[str]) -> str:
        parameters = self.state.parameters
        groups = [self.state.outputs["TaskSecurityGroup"], parameters.get("DatabaseGroup", "")]
        started = self.client.run_task(
            cluster=self._cluster,
            taskDefinition=self.state.outputs["OneOffTask"],
            launchType="FARGATE",
            startedBy="deploy-ecs",
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": parameters["TaskSubnets"].split(","),
                    "securityGroups": [group for group in groups if group],
                    "assignPublicIp": parameters.get("PublicIp", "DISABLED"),
                }
            },
            overrides={"containerOverrides": [{"name": CONTAINER, "command": command}]},
        )
        if not started["tasks"]:
            reasons = "; ".join(item.get("reason", "") for item in started["failures"])
            raise DeployError(f"ECS did not start `{' '.join(command)}`: {reasons}.")
        return str(started["tasks"][0]["taskArn"])

    def _stopped(self, arn: str) -> dict[str, Any] | None:
        """The task, once it has stopped. One that was just asked for may not be known yet."""
        found = self.client.describe_tasks(cluster=self._cluster, tasks=[arn])["tasks"]
        task: dict[str, Any] | None = found[0] if found else None
        return task if task and task["lastStatus"] == "STOPPED" else None

    def _read(self, arn: str) -> str:
        """What the container has printed, as far as CloudWatch knows."""
        # Source of the name: "awslogs-stream-prefix", Amazon ECS developer guide.
        stream = f"one-off/{CONTAINER}/{arn.rpartition('/')[2]}"
        lines: list[str] = []
        more: dict[str, str] = {}
        while True:
            try:
                page = self.logs.get_log_events(
                    logGroupName=self.group, logStreamName=stream, startFromHead=True, **more
                )
            except self.logs.exceptions.ResourceNotFoundException:
                return ""
            lines += [event["message"] for event in page["events"]]
            # The same token again: that was the end.
            if page["nextForwardToken"] == more.get("nextToken"):
                return "\n".join(lines)
            more = {"nextToken": page["nextForwardToken"]}

    @staticmethod
    def _show(text: str) -> None:
        for line in text.splitlines():
            say(f"  | {line}")
