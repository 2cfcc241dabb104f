"""HTTP events of AWS, read for apig-wsgi, and its answers in the form that each sender takes.

apig-wsgi knows all these events, but believes what it should not, and gets some wrong: the path of
a stage, a path that is decoded already, the client's address, cookies that come twice, text that
is not ASCII, Base64 that is none. So every event is made one clean event of API Gateway's version
2 first, and apig-wsgi sees no other.

Source: "Create AWS Lambda proxy integrations for HTTP APIs" and "Input format of a Lambda function
for proxy integration" in the API Gateway developer guide; "Request payload format" of Function
URLs in the Lambda one; "Lambda functions as targets" in the guide of Application Load Balancers.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode

Event = Mapping[str, Any]
# As in version 2: statusCode, headers (names in lower case), cookies, body, isBase64Encoded.
Answer = dict[str, Any]

# One of them is in every HTTP event, and in no other.
_HTTP_KEYS = {"requestContext", "httpMethod", "rawPath"}
_METHOD = re.compile(r"[A-Z-]{1,20}")
# What stands for itself in a URL, and the sign of what doesn't.
_URL_CHARACTERS = "!#$&'()*+,/:;=?@[]%"
# An ALB may be told to add the port: 192.0.2.1:80, [2001:db8::1]:80.
_ADDRESS_WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([\d.]+):\d+")


def is_http(event: Any) -> bool:
    """Whether a client waits for the answer, even where the event can't be read."""
    return isinstance(event, dict) and not _HTTP_KEYS.isdisjoint(event)


def http_handler(application: Any) -> Callable[[dict[str, Any], Any], Answer]:
    """What answers the events of read_request, by a WSGI application."""
    from apig_wsgi import make_lambda_handler

    def application_under_stage(environ: dict[str, Any], start_response: Any) -> Any:
        environ["SCRIPT_NAME"] = environ["apig_wsgi.request_context"]["scriptName"]
        return application(environ, start_response)

    return make_lambda_handler(application_under_stage)


# --- In -----------------------------------------------------------------------------------------
def read_request(event: Event) -> dict[str, Any]:
    """Any HTTP event as one of version 2 that says what is true.

    Raises:
        AttributeError, LookupError, TypeError, ValueError: it can't be read.
    """
    context = event.get("requestContext") or {}
    headers = _headers(event)
    if event.get("version") == "2.0":
        said = context["http"]
        method, path, query = said["method"], event["rawPath"], event.get("rawQueryString")
        query = _encoded(query or "")
        address = said["sourceIp"]
    else:
        method, path = event["httpMethod"], event["path"]
        is_alb = "elb" in context
        query = _query(event, is_encoded=is_alb)
        if is_alb:
            address = _last_address(headers.get("x-forwarded-for", ""))
        else:
            address = (context.get("identity") or {}).get("sourceIp") or ""
    if not (_METHOD.fullmatch(method) and path.startswith("/") and isinstance(address, str)):
        raise ValueError("no request line")
    domain = context.get("domainName") or headers.get("host", "")
    is_http_api = "version" in event and ".lambda-url." not in domain
    # HTTP APIs alone decode the path.
    path = quote(path) if is_http_api else _encoded(path)
    script_name, path = _split_stage(path, domain, context.get("stage"), is_in_path=is_http_api)
    # All but the address that AWS itself has seen may be the client's invention; settings, and
    # whoever reads this header in future, can't go wrong with it alone.
    headers["x-forwarded-for"] = address
    scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip()
    headers["x-forwarded-proto"] = scheme if scheme in ("http", "https") else "https"
    cookie = headers.pop("cookie", "")
    if cookies := event.get("cookies"):
        # A Function URL gives them in the header as well.
        cookie = _as_wsgi("; ".join(cookies))
    body = event.get("body") or ""
    is_base64 = bool(event.get("isBase64Encoded"))
    if is_base64:
        b64decode(body, validate=True)  # apig-wsgi would skip what is no Base64
    else:
        body.encode()
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "cookies": [cookie] if cookie else [],
        "requestContext": {
            "http": {"method": method, "sourceIp": address, "protocol": "HTTP/1.1"},
            "scriptName": script_name,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _headers(event: Event) -> dict[str, str]:
    """By names in lower case.

    A name with an underscore is left out, as gunicorn does: WSGI would take `X_Forwarded_Proto`
    for the header that AWS sets.
    """
    if lists := event.get("multiValueHeaders"):
        pairs = {
            name.lower(): ("; " if name.lower() == "cookie" else ",").join(values)
            for name, values in lists.items()
        }
    else:
        pairs = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return {name: _as_wsgi(value) for name, value in pairs.items() if "_" not in name}


def _as_wsgi(text: str) -> str:
    """Text with a character for each byte (PEP 3333)."""
    return text if text.isascii() else text.encode().decode("latin-1")


def _encoded(part: str) -> str:
    """A part of a URL in ASCII; what is percent-encoded stays."""
    return part if part.isascii() else quote(part, safe=_URL_CHARACTERS)


def _query(event: Event, *, is_encoded: bool) -> str:
    pairs = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    # An ALB hands them on as they came, API Gateway has decoded them.
    return urlencode(pairs or {}, doseq=True, safe=_URL_CHARACTERS if is_encoded else "")


def _last_address(forwarded_for: str) -> str:
    """What the load balancer itself added; empty where it adds none.

    In its mode `append`, the default. `preserve` would let clients write it.
    """
    last = forwarded_for.rpartition(",")[2].strip()
    with_port = _ADDRESS_WITH_PORT.fullmatch(last)
    try:
        return str(ip_address((with_port[1] or with_port[2]) if with_port else last))
    except ValueError:
        return ""


def _split_stage(path: str, domain: str, stage: Any, *, is_in_path: bool) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO.

    A stage is a part of the URL at API Gateway's own host name; a custom domain stands for one. A
    REST API's event has a path without it.
    """
    if not stage or stage == "$default" or ".execute-api." not in domain:
        return "", path
    prefix = f"/{stage}"
    if not is_in_path:
        return prefix, path
    if path == prefix or path.startswith(f"{prefix}/"):
        return prefix, path.removeprefix(prefix) or "/"
    return "", path


# --- Out ----------------------------------------------------------------------------------------
def in_form_of(event: Event, answer: Answer) -> Answer:
    """The answer as the sender of this event takes it."""
    context = event.get("requestContext")
    if isinstance(context, dict) and "elb" in context:
        status = HTTPStatus(answer["statusCode"])
        form = _with_lists if "multiValueHeaders" in event else _with_single_values
        return form(answer) | {"statusDescription": f"{status.value} {status.phrase}"}
    return answer if event.get("version") == "2.0" else _with_lists(answer)


def _with_lists(answer: Answer) -> Answer:
    """As REST APIs take it, and an ALB that is set to multi-value headers."""
    headers = {name: [value] for name, value in answer["headers"].items()}
    if answer["cookies"]:
        headers["set-cookie"] = answer["cookies"]
    return _without_headers(answer) | {"multiValueHeaders": headers}


def _with_single_values(answer: Answer) -> Answer:
    """As any other ALB takes it: one value per name, so each cookie gets a spelling of its own."""
    headers = dict(answer["headers"])
    for number, cookie in enumerate(answer["cookies"]):
        letters = [
            letter.upper() if number >> place & 1 else letter
            for place, letter in enumerate("setcookie")
        ]
        headers[f"{''.join(letters[:3])}-{''.join(letters[3:])}"] = cookie
    return _without_headers(answer) | {"headers": headers}


def _without_headers(answer: Answer) -> Answer:
    return {name: answer[name] for name in ("statusCode", "body", "isBase64Encoded")}
