"""Members who read and write while requests move, at the side that Route 53 sends them to."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.contract.client import Client
from tests.contract.people import sign_up
from tests.contract.places import Place
from tests.ops.traffic.aws import Aws

_MEMBERS = 2
# Seconds: between two requests of a member, between two looks at the weights, and between two
# deliveries of metrics.
_PAUSE, _LOOK, _DELIVER = 0.05, 0.1, 0.5


@dataclass(frozen=True)
class Request:
    """One that was sent, once."""

    side: str
    method: str
    # 0: there was no answer.
    status: int
    seconds: float
    text: str


@dataclass
class Load:
    """Sends requests from `with` on to its end, and tells CloudWatch what the gateways would."""

    aws: Aws
    places: dict[str, Place]
    sent: list[Request] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self.weights = self.aws.weights()
        self._ended = threading.Event()
        self._broken: list[BaseException] = []
        members = []
        for number in range(_MEMBERS):
            client = Client(self.places["lambda"].url, run=uuid.uuid4().hex[:8])
            sign_up(client, f"member{number}")
            members.append(client.token)
        work: list[Any] = [lambda token=token: self._live(token) for token in members]
        work += [self._follow, self._deliver]
        self._threads = [threading.Thread(target=self._guarded, args=[w]) for w in work]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self._broken:
            raise self._broken[0]

    def made(self) -> list[tuple[str, str]]:
        """What was answered 201: id and title, which is another one in each request."""
        found = [json.loads(r.text) for r in self.sent if r.status == 201]
        return [(post["id"], post["title"]) for post in found]

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by the test's thread
            self._broken.append(error)

    def _live(self, token: str) -> None:
        clients = {side: Client(place.url) for side, place in self.places.items()}
        for client in clients.values():
            client.token = token
        while not self._ended.wait(_PAUSE):
            weights = self.weights
            side = random.choices(list(weights), list(weights.values()))[0]
            path, body = random.choice(
                [("/api/v1/posts", None), ("/api/v1/me", None), ("/api/v1/posts", "{}")]
            )
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
            if body:
                body = json.dumps({"title": headers["Idempotency-Key"]})
            method = "POST" if body else "GET"
            start = time.perf_counter()
            try:
                answer = clients[side].call(
                    method, path, body, headers if body else None, record=False
                )
                status, text = answer.status, answer.text
            except OSError as error:
                status, text = 0, repr(error)
            self.sent.append(Request(side, method, status, time.perf_counter() - start, text))

    def _follow(self) -> None:
        while not self._ended.wait(_LOOK):
            self.weights = self.aws.weights()

    def _deliver(self) -> None:
        told = 0
        while not self._ended.wait(_DELIVER):
            new = self.sent[told:]
            told += len(new)
            for side in self.places:
                seconds = [r.seconds for r in new if r.side == side]
                if seconds:
                    bad = sum(1 for r in new if r.side == side and not 0 < r.status < 500)
                    self.aws.saw(side, seconds, bad)

    def statuses(self) -> Counter[tuple[str, int]]:
        """How often each was answered."""
        return Counter((r.method, r.status) for r in self.sent)
