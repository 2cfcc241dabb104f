"""AWS on loopback: moto's server, mended where Zappa needs more, with functions that really run.

moto 5.2 without Docker runs no function, and answers some of Lambda's calls otherwise than AWS.
What is invoked here is the very zip that moto holds, in igloo/laptop/aws_lambda. Source of the
answers: AWS Lambda API reference.
"""

import hashlib
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID
from werkzeug.wrappers import Request, Response

from igloo.laptop.aws_lambda.front import Front
from igloo.laptop.aws_lambda.local import running
from tests.media.s3 import REGION, FormGate, S3Server

_FUNCTION = re.compile(r"/[\d-]+/functions/([^/]+)(/.*)?")
_HEADERS = ("X-Amz-Function-Error", "X-Amz-Executed-Version")


class LambdaShim:
    """Answers for Lambda what moto can't, and hands the rest to `app`."""

    def __init__(self, app: Any, folder: Path) -> None:
        self.app = app
        self.folder = folder
        self.url = ""
        self._lock = threading.Lock()
        self._running: tuple[str, ExitStack, Front] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if path.startswith("/_code/"):
            return Response(self.function(path[7:]).code_bytes)(environ, start_response)
        if path.startswith("/_stage/"):
            _, _, name, *rest = path.split("/")
            answer = self._forward(self.front(name).url + "/" + "/".join(rest), Request(environ))
            return answer(environ, start_response)
        match = _FUNCTION.fullmatch(unquote(path))
        if match is None:
            return self.app(environ, start_response)
        name, what = match[1], (match[2] or "").strip("/")
        # A name, an ARN, with or without a version; moto knows no `function:NAME:VERSION`.
        plain = re.sub(r"^(?:.*:)?function:", "", name).partition(":")[0]
        if what == "invocations":
            url = f"{self.front(plain).url}/2015-03-31/functions/{plain}/invocations"
            return self._forward(url, Request(environ))(environ, start_response)
        if what == "urls":
            answer = Response('{"FunctionUrlConfigs": []}', mimetype="application/json")
            return answer(environ, start_response)
        environ = environ | {"PATH_INFO": path.replace(f":function:{plain}:", f":function:{plain}")}
        return self._mended(environ, plain, what)(environ, start_response)

    def _drop_doubles(self, name: str) -> None:
        """moto numbers a version by how many there are, so that after one was deleted the next has
        the number of the last; it can't delete a function then."""
        functions = lambda_backends[DEFAULT_ACCOUNT_ID][REGION]._lambdas._functions
        if name in functions:
            by_arn = {version.function_arn: version for version in functions[name]["versions"]}
            functions[name]["versions"] = list(by_arn.values())

    def _mended(self, environ: dict[str, Any], name: str, what: str) -> Response:
        if environ["REQUEST_METHOD"] == "DELETE" and not what:
            self._drop_doubles(name)
        answer = Response.from_app(self.app, environ)
        if environ["REQUEST_METHOD"] == "POST" and what == "policy" and answer.status_code == 200:
            answer.status_code = 201
        if environ["REQUEST_METHOD"] == "GET" and not what and answer.status_code == 200:
            body = json.loads(answer.get_data())
            body["Code"]["Location"] = f"{self.url}/_code/{name}"
            answer.set_data(json.dumps(body))
        return answer

    def function(self, name: str) -> LambdaFunction:
        """moto's own, which holds the zip."""
        return lambda_backends[DEFAULT_ACCOUNT_ID][REGION].get_function(name)

    @property
    def tell(self) -> Callable[..., None]:
        """In place of moto's own, which wants Docker: the function gets an event, later."""
        shim = self

        def invoke(self: LambdaFunction, body: str, *_headers: Any) -> None:
            shim.front(self.function_name).function.invoke_later(body.encode())

        return invoke

    def front(self, name: str) -> Front:
        """The function's code as it is now, running; other code is started afresh."""
        with self._lock:
            function = self.function(name)
            variables = {key: str(value) for key, value in function.environment_vars.items()}
            state = json.dumps([function.code_sha_256, variables, function.handler])
            if self._running and self._running[0] == state:
                return self._running[2]
            self.close()
            package = self.folder / f"{hashlib.sha256(state.encode()).hexdigest()[:12]}.zip"
            package.write_bytes(function.code_bytes)
            stack = ExitStack()
            front = stack.enter_context(
                running(
                    package,
                    environment=variables,
                    handler=function.handler,
                    name=name,
                    instances=2,
                )
            )
            self._running = (state, stack, front)
            return front

    def close(self) -> None:
        """Stop what runs."""
        if self._running:
            self._running[1].close()
            self._running = None

    @staticmethod
    def _forward(url: str, request: Request) -> Response:
        names = ("X-Amz-Invocation-Type", "Content-Type", "Authorization", "Accept-Language")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        call = urllib.request.Request(
            url, request.get_data() or None, headers, method=request.method
        )
        try:
            with urllib.request.urlopen(call, timeout=120) as answer:
                kept = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
                kind = answer.headers.get("Content-Type")
                return Response(answer.read(), answer.status, kept, content_type=kind)
        except urllib.error.HTTPError as error:
            with error:
                kept = {"X-Amzn-Errortype": error.headers.get("X-Amzn-Errortype") or ""}
                return Response(error.read(), error.code, kept)


class AwsServer(S3Server):
    """moto's server with both of its gates: of forms, and of functions."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def gated(self, app: Any) -> Any:
        """Behind both."""
        self.shim = LambdaShim(app, self.folder)
        return FormGate(self.shim)

    def start(self) -> None:
        """Start, empty. `url` is where."""
        super().start()
        self.reset()
        self.shim.url = self.url
        # S3's notifications come this way.
        self._invoke = LambdaFunction.invoke
        LambdaFunction.invoke = self.shim.tell  # type: ignore[method-assign]

    def stop(self) -> None:
        """Stop, with what runs."""
        LambdaFunction.invoke = self._invoke  # type: ignore[method-assign]
        self.shim.close()
        super().stop()
