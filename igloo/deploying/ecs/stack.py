"""The stack of deploy/ecs.yaml: looked at, changed, and waited for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError

from igloo.deploying import DeployError
from igloo.deploying.ecs.aws import until
from igloo.deploying.steps import say

_SETTLED = {
    "CREATE_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}  # fmt: skip
_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
# What CloudFormation says of resources that it gave up because of another.
_GIVEN_UP = ("Resource creation cancelled", "Resource update cancelled")
_CAPABILITIES = ["CAPABILITY_IAM"]


@dataclass(frozen=True)
class State:
    """A stack as it is."""

    status: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def serves(self) -> bool:
        """Whether it has services: a first deploy that did not get so far has none."""
        return self.parameters.get("Services", "true") == "true"


class Stack:
    """One stack, by its name.

    Args:
        limit: seconds that a change may take. A release takes about ten minutes, five of which
            ECS keeps the version before at hand.
    """

    def __init__(self, name: str, region: str, *, limit: float = 1500) -> None:
        self.name = name
        self.limit = limit
        self.client = boto3.client("cloudformation", region_name=region)

    # --- Looking --------------------------------------------------------------------------------
    def find(self) -> State | None:
        """As it is now; None where there is none."""
        try:
            [found] = self.client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        return State(
            found["StackStatus"],
            {item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", ())},
            {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", ())},
        )

    def state(self) -> State:
        """The same of one that has to be there.

        Raises:
            DeployError: it is not.
        """
        if (found := self.find()) is None:
            raise DeployError(f"The stack {self.name} is gone.")
        return found

    def settled(self) -> State | None:
        """The same, of a stack that can be changed.

        Raises:
            DeployError: it can't, and what to do about it.
        """
        found = self.find()
        if found is None or found.status in _SETTLED:
            return found
        name = f"The stack {self.name} is in the state {found.status}"
        by_hand = f"`aws cloudformation {{}} --stack-name {self.name}`, then deploy again."
        if found.status == "UPDATE_ROLLBACK_FAILED":
            raise DeployError(f"{name}: {by_hand.format('continue-update-rollback')}")
        if found.status == "UPDATE_FAILED":
            raise DeployError(f"{name}: {by_hand.format('rollback-stack')}")
        if found.status.endswith("_IN_PROGRESS") and found.status != "REVIEW_IN_PROGRESS":
            raise DeployError(f"{name}: someone is changing it. Deploy again when that is done.")
        raise DeployError(
            f"{name}: it was never made, and can't be changed: {by_hand.format('delete-stack')}"
        )

    def template(self) -> str:
        """The text that it was last made of."""
        found = self.client.get_template(StackName=self.name, TemplateStage="Original")
        body = found["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    # --- Changing -------------------------------------------------------------------------------
    def change(self, template: str, parameters: Mapping[str, str], *, create: bool = False) -> None:
        """Update it, or make it, and wait until CloudFormation has done so.

        Raises:
            DeployError: it failed, or took too long; CloudFormation has gone back, or says why not.
        """
        token = f"igloo-{uuid4()}"
        call = self.client.create_stack if create else self.client.update_stack
        try:
            call(
                StackName=self.name,
                TemplateBody=template,
                Parameters=_listed(parameters),
                Capabilities=_CAPABILITIES,
                ClientRequestToken=token,
            )
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"].get("Message", ""):
                say("  it is so already")
                return
            raise
        status = until(self._ended, self.limit)
        late = ""
        if status is None:
            late = f" It took longer than {self.limit / 60:.0f} minutes."
            if create:
                raise DeployError(f"The stack {self.name} is not made yet.{late}")
            self.client.cancel_update_stack(StackName=self.name)
            status = until(self._ended, self.limit)
        if status not in _DONE:
            why = "; ".join(self._failures(token)) or "it says not why"
            raise DeployError(
                f"CloudFormation ended in the state {status or 'of going back'}: {why}.{late}"
            )

    def _ended(self) -> str | None:
        """The status, when nothing is in progress."""
        status = self.state().status
        return None if status.endswith("_IN_PROGRESS") else status

    def _failures(self, token: str) -> list[str]:
        """What failed first in the change with this token, oldest first."""
        found = []
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.name)
        for event in (event for page in pages for event in page["StackEvents"]):
            why = event.get("ResourceStatusReason", "")
            if (
                event.get("ClientRequestToken") == token
                and event["ResourceStatus"].endswith("_FAILED")
                and not why.startswith(_GIVEN_UP)
            ):
                found.append(f"{event['LogicalResourceId']}: {why.rstrip('.')}")
        return found[::-1][:5]

    # --- Only looking at what a change would be -------------------------------------------------
    def preview(self, template: str, parameters: Mapping[str, str]) -> list[str]:
        """A line for each resource that an update would change; nothing of it stays.

        Raises:
            DeployError: CloudFormation can't say it.
        """
        made = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"dry-run-{uuid4()}",
            ChangeSetType="UPDATE",
            TemplateBody=template,
            Parameters=_listed(parameters),
            Capabilities=_CAPABILITIES,
        )["Id"]
        try:
            return self._previewed(made)
        finally:
            self.client.delete_change_set(ChangeSetName=made, StackName=self.name)

    def _previewed(self, made: str) -> list[str]:
        def ready() -> dict[str, Any] | None:
            found: dict[str, Any] = self.client.describe_change_set(
                ChangeSetName=made, StackName=self.name
            )
            return None if found["Status"].endswith(("_PENDING", "_IN_PROGRESS")) else found

        page = until(ready, self.limit)
        if page is None:
            raise DeployError("CloudFormation does not get ready with the change set.")
        if page["Status"] != "CREATE_COMPLETE":
            why = page.get("StatusReason", "")
            if "didn't contain changes" in why or "No updates are to be performed" in why:
                return []
            raise DeployError(f"CloudFormation can't make the change: {why}")
        changes = page["Changes"]
        while token := page.get("NextToken"):
            page = self.client.describe_change_set(
                ChangeSetName=made, StackName=self.name, NextToken=token
            )
            changes += page["Changes"]
        return [_line(item["ResourceChange"]) for item in changes]


def _listed(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"ParameterKey": name, "ParameterValue": value}
        for name, value in sorted(parameters.items())
    ]


def _line(change: Mapping[str, Any]) -> str:
    text = f"{change['Action']:6} {change['LogicalResourceId']} ({change['ResourceType']})"
    replaced = {"True": ", replaced", "Conditional": ", perhaps replaced"}
    return text + replaced.get(change.get("Replacement", ""), "")
