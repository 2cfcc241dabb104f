"""Whether the services are well, and which commit answers behind the load balancer."""

import json
import socket
import ssl
from http.client import HTTPException, HTTPSConnection
from typing import Any

import boto3

from igloo.deploying import DeployError
from igloo.deploying.ecs.aws import until
from igloo.deploying.ecs.one_off import CONTAINER
from igloo.deploying.ecs.stack import State

SERVICES = ("web", "worker")
# Each is a connection of its own, so that more than one task is asked.
_TIMES = 4
# Seconds.
_TIMEOUT = 20


class _Through(HTTPSConnection):
    """To a load balancer, in the name of a host whose DNS record may point elsewhere."""

    def __init__(self, host: str, balancer: str) -> None:
        self.trusted = ssl.create_default_context()
        super().__init__(host, timeout=_TIMEOUT, context=self.trusted)
        name, _, port = balancer.partition(":")
        self.place = (name, int(port or 443))

    def connect(self) -> None:
        """With the host's certificate."""
        plain = socket.create_connection(self.place, _TIMEOUT)
        self.sock = self.trusted.wrap_socket(plain, server_hostname=self.host)


class Serving:
    """What serves a stack.

    Args:
        host: the stage's host name, in ALLOWED_HOSTS and in the balancer's certificate.
        limit: seconds that the services have to get well after CloudFormation is done.
    """

    def __init__(self, region: str, state: State, host: str, *, limit: float = 300) -> None:
        self.state = state
        self.host = host
        self.limit = limit
        self.ecs = boto3.client("ecs", region_name=region)
        self.balancers = boto3.client("elbv2", region_name=region)

    def get(self, path: str) -> bytes:
        """A page, of whichever task the balancer chooses.

        Raises:
            DeployError: there is no answer, or another status than 200.
        """
        connection = _Through(self.host, self.state.outputs["BalancerName"])
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            raise DeployError(
                f"GET https://{self.host}{path}, by the balancer: {error}."
            ) from error
        finally:
            connection.close()
        if answer.status != 200:
            raise DeployError(f"GET {path} was answered {answer.status}.")
        return body

    def commit(self) -> str:
        """Which one answers; empty: it does not tell.

        Raises:
            DeployError: none does.
        """
        try:
            told = json.loads(self.get("/healthz"))
        except ValueError as error:
            raise DeployError("What answers GET /healthz is not igloo.") from error
        return str(told.get("commit") or "") if isinstance(told, dict) else ""

    def wait(self, image: str, commit: str) -> None:
        """Until this image is all there is, and is well.

        Raises:
            DeployError: what was still wrong when the time was over.
        """
        last = ""

        def well() -> bool | None:
            nonlocal last
            last = self._ill(image) or self._other(commit)
            return None if last else True

        if until(well, self.limit) is None:
            raise DeployError(f"After {self.limit:.0f} s: {last}")

    def wait_for_commit(self, commit: str) -> None:
        """Until it is this one that answers.

        Raises:
            DeployError: it does not.
        """
        last = ""

        def answers() -> bool | None:
            nonlocal last
            last = self._other(commit)
            return None if last else True

        if until(answers, self.limit) is None:
            raise DeployError(f"After {self.limit:.0f} s: {last}")

    def _other(self, commit: str) -> str:
        """What is wrong with the answers; empty: nothing."""
        try:
            for _ in range(_TIMES):
                if (told := self.commit()) != commit:
                    return f"It is commit {told or 'unknown'} that answers, and not {commit}."
                self.get("/readyz")
        except DeployError as error:
            return str(error)
        return ""

    def _ill(self, image: str) -> str:
        """What is wrong with the services; empty: nothing."""
        found = self.ecs.describe_services(
            cluster=self.state.outputs["ClusterName"], services=list(SERVICES)
        )["services"]
        services = {item["serviceName"]: item for item in found if item["status"] == "ACTIVE"}
        for name in SERVICES:
            if name not in services:
                return f"ECS has no service {name}."
            if wrong := self._ill_service(services[name], image):
                return f"The service {name} {wrong}."
        web = services["web"]
        if (healthy := self._healthy(web)) < max(web["runningCount"], 1):
            return f"The balancer finds {healthy} of {web['runningCount']} tasks healthy."
        return ""

    def _ill_service(self, service: dict[str, Any], image: str) -> str:
        definition = self.ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        containers = definition["taskDefinition"]["containerDefinitions"]
        [runs] = [item["image"] for item in containers if item["name"] == CONTAINER]
        if runs != image:
            return f"has the image {runs}"
        [primary] = [item for item in service["deployments"] if item["status"] == "PRIMARY"]
        # The API reference promises a state for rolling updates alone.
        if (rollout := primary.get("rolloutState", "COMPLETED")) != "COMPLETED":
            why = primary.get("rolloutStateReason", "it says not why")
            return f"is not deployed yet: {rollout}, {why}"
        if service["runningCount"] != service["desiredCount"]:
            return f"runs {service['runningCount']} of {service['desiredCount']} tasks"
        return ""

    def _healthy(self, web: dict[str, Any]) -> int:
        """Of the target groups, blue and green: one of them has the tasks."""
        [place] = web["loadBalancers"]
        groups = [
            place["targetGroupArn"],
            place.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
        ]
        return sum(
            target["TargetHealth"]["State"] == "healthy"
            for group in filter(None, groups)
            for target in self.balancers.describe_target_health(TargetGroupArn=group)[
                "TargetHealthDescriptions"
            ]
        )
