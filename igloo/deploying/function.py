"""The deployed Lambda function: asked, told, and put back."""

import base64
import hashlib
import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from igloo.deploying import DeployError

# Seconds: the function's own limit and a little. A call that times out must not be sent twice.
_CONFIG = Config(connect_timeout=10, read_timeout=910, retries={"total_max_attempts": 1})
# Of the configuration that `zappa update` writes: what goes back with the code.
_CONFIGURED = ("Handler", "Runtime", "Timeout", "MemorySize")


@dataclass(frozen=True)
class Before:
    """What was deployed before, as far as it is needed to put it back.

    `version` is None where the deployed code could not say it.
    """

    zip: bytes
    sha256: str
    configuration: dict[str, Any]
    version: str | None


@dataclass(frozen=True)
class Answer:
    """Of an HTTP event."""

    status: int
    body: str


class Function:
    """One function, by its name."""

    def __init__(self, name: str, region: str) -> None:
        self.name = name
        self.client = boto3.client("lambda", region_name=region, config=_CONFIG)

    def description(self) -> dict[str, Any] | None:
        """What lambda:GetFunction says; None where there is no such function."""
        try:
            found: dict[str, Any] = self.client.get_function(FunctionName=self.name)
        except self.client.exceptions.ResourceNotFoundException:
            return None
        return found

    def aliases(self) -> list[str]:
        """Zappa's: with SnapStart, API Gateway calls one in place of the newest code."""
        pages = self.client.get_paginator("list_aliases").paginate(FunctionName=self.name)
        return sorted(alias["Name"] for page in pages for alias in page["Aliases"])

    def wait(self) -> None:
        """Until no update is going on, 5 minutes at most."""
        self.client.get_waiter("function_updated_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )

    def invoke(self, event: dict[str, Any]) -> Any:
        """What the code that requests reach returns for an event.

        Raises:
            DeployError: it raised. The text of the error is AWS's, without the event.
        """
        # `snapstart` is the last of the names that Zappa gives.
        aliases = self.aliases()
        more = {"Qualifier": aliases[-1]} if aliases else {}
        answer = self.client.invoke(
            FunctionName=self.name, Payload=json.dumps(event).encode(), **more
        )
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            kind, message = result.get("errorType", ""), result.get("errorMessage", "")
            raise DeployError(f"The function raised {kind}: {str(message)[:1000]}")
        return result

    def manage(self, command: str) -> str:
        """Run one of the handler's MANAGEMENT_COMMANDS; what it wrote."""
        return str(self.invoke({"manage": command})["output"])

    def get(self, path: str, host: str) -> Answer:
        """Send the event that API Gateway's HTTP API would make of a GET.

        Source: "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
        """
        http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
        result = self.invoke(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": "",
                "headers": {"host": host, "x-forwarded-proto": "https", "accept": "*/*"},
                "requestContext": {"domainName": host, "http": http, "stage": "$default"},
                "isBase64Encoded": False,
            }
        )
        body = result["body"]
        return Answer(
            result["statusCode"],
            base64.b64decode(body).decode() if result.get("isBase64Encoded") else body,
        )

    def version(self, host: str) -> str | None:
        """The version that the code itself tells; None where it tells none."""
        answer = self.get("/healthz", host)
        if answer.status != 200:
            raise DeployError(f"GET /healthz was answered {answer.status}.")
        version: str | None = json.loads(answer.body).get("version")
        return version

    def keep(self, found: dict[str, Any], version: str | None) -> Before:
        """Download what is deployed.

        Raises:
            DeployError: what came is not what is deployed.
        """
        location = found["Code"]["Location"]
        with urllib.request.urlopen(location, timeout=60) as answer:  # noqa: S310 - AWS says where
            data = answer.read()
        configuration = found["Configuration"]
        if sha256(data) != configuration["CodeSha256"]:
            raise DeployError("The download of the deployed version is not what is deployed.")
        kept = {name: configuration[name] for name in _CONFIGURED}
        kept["Environment"] = {
            "Variables": configuration.get("Environment", {}).get("Variables", {})
        }
        return Before(data, configuration["CodeSha256"], kept, version)

    def put_back(self, before: Before) -> None:
        """Code and configuration as they were, for every alias too. Waits until it is so."""
        self.wait()
        self.client.update_function_configuration(FunctionName=self.name, **before.configuration)
        self.wait()
        made = self.client.update_function_code(
            FunctionName=self.name, ZipFile=before.zip, Publish=True
        )
        self.wait()
        for alias in self.aliases():
            # With SnapStart a version is made ready first.
            self.client.get_waiter("published_version_active").wait(
                FunctionName=self.name, Qualifier=made["Version"]
            )
            self.client.update_alias(
                FunctionName=self.name, Name=alias, FunctionVersion=made["Version"]
            )


def sha256(data: bytes) -> str:
    """As Lambda tells it: `CodeSha256`, base64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
