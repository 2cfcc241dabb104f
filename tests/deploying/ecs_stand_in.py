"""AWS on loopback for a deploy to ECS: moto's server, and before it what moto can't.

moto's CloudFormation is done at once, can't fail, and makes no more of a service than a row; its
ECS runs nothing, and its balancer has no targets. Here a stack that changes its image starts that
image's web server, the command of the template's own task definition, and goes back where it does
not get healthy; a one-off task runs its command, and what it prints is in CloudWatch Logs.
Containers run as STAGE=local on the tests' database, without the template's variables; no worker
runs. Source of the answers: API references of CloudFormation, ECS and Elastic Load Balancing.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4
from xml.sax.saxutils import escape

import boto3
from moto.cloudformation.models import cloudformation_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from werkzeug.wrappers import Response

from tests.deploying.ecs_containers import Balancer, Web
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY, FormGate, S3Server

STACK = "igloo-ecs-production"
_CLOUDFORMATION = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_BALANCING = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


class EcsShim:
    """Answers what moto can't, and hands the rest to `app`. The public attributes are a test's."""

    def __init__(self, app: Any, folder: Path) -> None:
        self.app = app
        # Where the builder puts an image: a folder for each tag.
        self.images = folder / "images"
        self.variables: dict[str, str] = {}
        self.web: Web | None = None
        self.balancer = self.url = ""
        # Operations that are refused, with the resource that IAM would name.
        self.denied: dict[str, str] = {}
        # Why no container can be placed, or started.
        self.no_room = self.no_start = ""
        # An update that never ends; one that changes nothing behind the balancer.
        self.stuck = self.in_vain = False
        # A status of the stack in place of moto's.
        self.status = ""
        self.commands: list[str] = []
        self.cancelled = threading.Event()
        self._tasks: dict[str, dict[str, Any]] = {}
        self._running: list[subprocess.Popen[str]] = []
        self._executing: list[threading.Thread] = []
        self._failures: list[tuple[str, str]] = []
        self._token = ""
        self._rolling = threading.Thread()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        given: dict[str, Any] = {}
        if operation:
            given = json.loads(body or "{}")
        elif "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            given = {name: value[0] for name, value in parse_qs(body.decode()).items()}
            operation = given.get("Action", "")
        answers: dict[str, Callable[..., Response]] = {
            "CancelUpdateStack": self._cancel,
            "CreateStack": self._change,
            "DescribeChangeSet": self._previewed,
            "DescribeServices": self._services,
            "DescribeStackEvents": self._events,
            "DescribeStacks": self._stacks,
            "DescribeTargetHealth": self._targets,
            "DescribeTaskDefinition": self._definition,
            "DescribeTasks": self._described,
            "RunTask": self._run,
            "StopTask": self._stop,
            "UpdateStack": self._change,
        }
        if operation in self.denied:
            answer: Any = self._denial(operation, json_wanted="HTTP_X_AMZ_TARGET" in environ)
        elif operation in answers and given.get("StackName", STACK) == STACK:
            answer = answers[operation](environ, given)
        else:
            answer = self.app
        return answer(environ, start_response)

    def _denial(self, operation: str, *, json_wanted: bool) -> Response:
        message = (
            "User: arn:aws:sts::123456789012:assumed-role/igloo-deployer-production/x is not "
            f"authorized to perform: {self.denied[operation]}"
        )
        if json_wanted:
            told = {"__type": "AccessDeniedException", "message": message}
            return _json(told, status=400)
        error = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
        return Response(f"<ErrorResponse>{error}</ErrorResponse>", 403, content_type="text/xml")

    # --- CloudFormation -------------------------------------------------------------------------
    def _change(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        backend = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION]
        kept = None
        if given["Action"] == "UpdateStack":
            stack = backend.get_stack(given["StackName"])
            kept = (stack.template, dict(stack.parameters))
            # moto takes a default that is now said for a change, of what is not there too.
            stack.resource_map.input_parameters = {
                name: ",".join(value) if isinstance(value, list) else str(value)
                for name, value in stack.stack_parameters.items()
            }
        answer = Response.from_app(self.app, environ)
        if answer.status_code == 200:
            self.status, self._failures = "", []
            self._token = given["ClientRequestToken"]
            self.cancelled.clear()
            self._rolling = threading.Thread(target=self._roll, args=(kept,))
            self._rolling.start()
        return answer

    def _roll(self, kept: tuple[Any, dict[str, str]] | None) -> None:
        """What CloudFormation waits for: the services, or that someone gives up."""
        if self.stuck:
            self.cancelled.wait(60)
            self._back(kept, "User Initiated")
            return
        stack = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].get_stack(STACK)
        if stack.parameters.get("Services", "true") != "true" or self.in_vain:
            return
        image, command = self._container(f"igloo-{stack.parameters['Stage']}-web")
        folder = self._folder(image)
        if self.web and self.web.folder == folder:
            return
        new = Web(folder, command, self._environment(folder))
        if not new.healthy():
            new.stop()
            self._back(kept, "ECS Deployment Circuit Breaker was triggered.")
            return
        old, self.web = self.web, new
        if old:
            old.stop()

    def _back(self, kept: tuple[Any, dict[str, str]] | None, why: str) -> None:
        self._failures = [("Web", why)]
        if kept is None:
            self.status = "ROLLBACK_COMPLETE"
            return
        template, parameters = kept
        listed = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ]
        backend = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION]
        backend.update_stack(STACK, template, None, listed, None)
        self.status = "UPDATE_ROLLBACK_COMPLETE"

    def _stacks(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        answer = Response.from_app(self.app, environ)
        text = answer.get_data(as_text=True)
        status = "UPDATE_IN_PROGRESS" if self._rolling.is_alive() else self.status
        if status and "<StackStatus>" in text:
            before, _, rest = text.partition("<StackStatus>")
            text = f"{before}<StackStatus>{status}</StackStatus>{rest.partition('>')[2]}"
        if "<OutputKey>BalancerName</OutputKey>" in text:
            # A name of AWS's own, which leads nowhere.
            value = text.partition("<OutputKey>BalancerName</OutputKey>")[2]
            value = value.partition("<OutputValue>")[2].partition("<")[0]
            text = text.replace(f"<OutputValue>{value}<", f"<OutputValue>{self.balancer}<")
        # moto shows a list as Python does.
        listed = re.compile(r"<ParameterValue>\[(.*?)\]</ParameterValue>")
        text = listed.sub(
            lambda match: "<ParameterValue>{}</ParameterValue>".format(
                match[1].replace("'", "").replace(", ", ",")
            ),
            text,
        )
        answer.set_data(text)
        return answer

    def _previewed(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        """With what becomes of a task definition that is changed, as CloudFormation says it."""
        answer = Response.from_app(self.app, environ)
        kind = "<ResourceType>AWS::ECS::TaskDefinition</ResourceType>"
        text = answer.get_data(as_text=True)
        answer.set_data(text.replace(kind, f"{kind}<Replacement>True</Replacement>"))
        return answer

    def _events(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        # Newest first; what is given up because of another, and an older change's, besides.
        told = [
            ("Worker", "Resource update cancelled", self._token),
            *((name, why, self._token) for name, why in self._failures),
            ("Https", "Of another day.", "igloo-older"),
        ]
        members = "".join(
            f"<member><StackId>x</StackId><EventId>{uuid4()}</EventId><StackName>{STACK}"
            f"</StackName><Timestamp>2026-11-27T00:00:00Z</Timestamp><LogicalResourceId>{name}"
            f"</LogicalResourceId><ResourceStatus>UPDATE_FAILED</ResourceStatus>"
            f"<ResourceStatusReason>{escape(why)}</ResourceStatusReason>"
            f"<ClientRequestToken>{token}</ClientRequestToken></member>"
            for name, why, token in told
        )
        return _xml("DescribeStackEvents", f"<StackEvents>{members}</StackEvents>", _CLOUDFORMATION)

    def _cancel(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        self.cancelled.set()
        return _xml("CancelUpdateStack", "", _CLOUDFORMATION)

    # --- The services ---------------------------------------------------------------------------
    def _newest(self, family: str) -> Any:
        definitions = ecs_backends[DEFAULT_ACCOUNT_ID][REGION].task_definitions[family]
        return definitions[max(definitions)]

    def _container(self, family: str) -> tuple[str, list[str]]:
        """(image, command) of the newest definition, in whichever case moto keeps it."""
        [found] = self._newest(family).container_definitions
        told = {name.lower(): value for name, value in found.items()}
        return told["image"], told["command"]

    def _services(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        stack = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].get_stack(STACK)
        names = given["services"] if stack.parameters.get("Services", "true") == "true" else []
        told = [
            {
                "serviceName": name,
                "status": "ACTIVE",
                "taskDefinition": self._newest(f"igloo-production-{name}").arn,
                "runningCount": 1,
                "desiredCount": 1,
                "loadBalancers": [
                    {
                        "targetGroupArn": "blue",
                        "advancedConfiguration": {"alternateTargetGroupArn": "green"},
                    }
                ]
                if name == "web"
                else [],
                "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}],
            }
            for name in names
        ]
        return _json({"services": told, "failures": []})

    def _definition(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        family = given["taskDefinition"].rpartition("/")[2].partition(":")[0]
        image, command = self._container(family)
        container = {"name": "igloo", "image": image, "command": command}
        return _json({"taskDefinition": {"family": family, "containerDefinitions": [container]}})

    def _targets(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        well = given["TargetGroupArn"] == "blue" and self.web and self.web.get("/readyz")[0] == 200
        member = (
            "<member><Target><Id>10.0.0.1</Id><Port>8000</Port></Target>"
            "<TargetHealth><State>healthy</State></TargetHealth></member>"
        )
        described = f"<TargetHealthDescriptions>{member if well else ''}</TargetHealthDescriptions>"
        return _xml("DescribeTargetHealth", described, _BALANCING)

    # --- One-off tasks --------------------------------------------------------------------------
    def _run(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        if self.no_room:
            return _json({"tasks": [], "failures": [{"reason": self.no_room}]})
        network = given["networkConfiguration"]["awsvpcConfiguration"]
        assert network["subnets"][0].startswith("subnet-")
        assert network["securityGroups"][0].startswith("sg-")
        [override] = given["overrides"]["containerOverrides"]
        family = given["taskDefinition"].rpartition("/")[2].partition(":")[0]
        assert given["taskDefinition"] == self._newest(family).arn
        name = uuid4().hex
        arn = f"arn:aws:ecs:{REGION}:{DEFAULT_ACCOUNT_ID}:task/{given['cluster']}/{name}"
        self.commands.append(" ".join(override["command"]))
        task = {
            "taskArn": arn,
            "lastStatus": "PROVISIONING",
            "containers": [{"name": override["name"]}],
        }
        self._tasks[arn] = task
        if self.no_start:
            task |= {"lastStatus": "STOPPED", "stoppedReason": self.no_start}
        else:
            folder = self._folder(self._container(family)[0])
            words = (task, folder, override["command"])
            thread = threading.Thread(target=self._execute, args=words, daemon=True)
            self._executing.append(thread)
            thread.start()
        return _json({"tasks": [task], "failures": []})

    def _execute(self, task: dict[str, Any], folder: Path, command: list[str]) -> None:
        task["lastStatus"] = "RUNNING"
        process = subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=folder,
            env=self._environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running.append(process)
        lines = process.communicate()[0].splitlines()
        logs = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION).client(
            "logs", endpoint_url=self.url
        )
        stream = {
            "logGroupName": "/igloo/production/one-off",
            "logStreamName": f"one-off/igloo/{task['taskArn'].rpartition('/')[2]}",
        }
        logs.create_log_stream(**stream)
        now = int(time.time() * 1000)
        # CloudWatch takes no empty message.
        told = [{"timestamp": now, "message": line} for line in lines if line]
        if told:
            logs.put_log_events(**stream, logEvents=told)
        logs.close()
        task["containers"][0]["exitCode"] = process.returncode
        task |= {"stoppedReason": "Essential container in task exited", "lastStatus": "STOPPED"}

    def _described(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        return _json({"tasks": [self._tasks[arn] for arn in given["tasks"]], "failures": []})

    def _stop(self, environ: dict[str, Any], given: dict[str, Any]) -> Response:
        for process in self._running:
            process.terminate()
        return _json({"task": self._tasks[given["task"]]})

    # --- Images ---------------------------------------------------------------------------------
    def _folder(self, image: str) -> Path:
        """Where the builder put the image with this digest."""
        digest = image.partition("@")[2]
        [repository] = ecr_backends[DEFAULT_ACCOUNT_ID][REGION].repositories.values()
        [found] = [item for item in repository.images if item.get_image_digest() == digest]
        return self.images / found.image_tags[0]

    def _environment(self, folder: Path) -> dict[str, str]:
        commit = (folder / "commit").read_text(encoding="utf-8")
        return os.environ | self.variables | {"IGLOO_COMMIT": commit, "STAGE": "local"}

    def close(self) -> None:
        """Stop what runs."""
        self.cancelled.set()
        if self._rolling.ident:
            self._rolling.join(60)
        # Until none is left: one may have been about to start its process.
        end = time.monotonic() + 30
        for thread in self._executing:
            while thread.is_alive():
                assert time.monotonic() < end, "a container does not end"
                for process in self._running:
                    process.kill()
                thread.join(0.1)
        if self.web:
            self.web.stop()


def _json(told: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(told), status, content_type="application/x-amz-json-1.1")


def _xml(operation: str, result: str, namespace: str) -> Response:
    return Response(
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{result}'
        f"</{operation}Result></{operation}Response>",
        content_type="text/xml",
    )


class EcsServer(S3Server):
    """moto's server behind both gates, with a balancer beside it."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        super().__init__()
        self.folder = folder
        self.certificate = certificate

    def gated(self, app: Any) -> Any:
        """Behind both."""
        self.shim = EcsShim(app, self.folder)
        return FormGate(self.shim)

    def start(self) -> None:
        """Start, empty."""
        super().start()
        self.reset()
        self.shim.url = self.url
        self.balancer = Balancer(lambda: self.shim.web, self.certificate)
        self.shim.balancer = f"127.0.0.1:{self.balancer.server_address[1]}"
        self._serving = threading.Thread(
            target=self.balancer.serve_forever, kwargs={"poll_interval": 0.05}
        )
        self._serving.start()

    def stop(self) -> None:
        """Stop, with what runs."""
        self.shim.close()
        self.balancer.shutdown()
        self._serving.join()
        self.balancer.server_close()
        super().stop()
