"""Step by step from one side to the other: when to go on, when to stop, when to go back.

The weights in Route 53 are all the state there is, so a move that was stopped is begun again from
wherever it stands.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from apps.ops.traffic import TrafficError

SIDES = ("lambda", "ecs")


@dataclass(frozen=True)
class Seen:
    """What a side did within some time."""

    requests: int
    # Answers with 5xx.
    errors: int
    # Seconds; None where CloudWatch has none.
    p95: float | None

    def __str__(self) -> str:
        share = 100 * self.errors / self.requests if self.requests else 0
        slow = "no p95" if self.p95 is None else f"p95 {self.p95 * 1000:.0f} ms"
        return f"{self.requests} requests, {share:.2f} % 5xx, {slow}"


@dataclass(frozen=True)
class Limits:
    """What a side may do and the move goes on.

    Args:
        max_5xx: percent of its requests.
        max_p95: seconds.
        min_requests: fewer say nothing of it, and the target must have had as many at each step.
    """

    max_5xx: float
    max_p95: float
    min_requests: int

    def passed_by(self, side: str, seen: Seen) -> str:
        """Which limit the side is past, as a sentence; empty where it is within them."""
        # No share can be told of nothing, whatever `min_requests` is.
        if seen.requests < max(self.min_requests, 1):
            return ""
        if 100 * seen.errors > self.max_5xx * seen.requests:
            return f"{side} answers more than {self.max_5xx:g} % with 5xx ({seen})."
        if seen.p95 is not None and seen.p95 > self.max_p95:
            return f"{side} has a p95 above {self.max_p95 * 1000:g} ms ({seen})."
        return ""


class Weights(Protocol):
    """Where requests go. Both may raise a TrafficError."""

    def read(self) -> dict[str, int]:
        """Percent by side; 100 in all."""

    def write(self, weights: dict[str, int]) -> None:
        """Both at once, or neither."""


class Metrics(Protocol):
    """What the sides were seen to do. May raise a TrafficError."""

    def seen(self, side: str, since: dt.datetime, until: dt.datetime) -> Seen:
        """Between two moments."""


class Clock(Protocol):
    """Time."""

    def now(self) -> dt.datetime:
        """With a zone."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class WentBack(TrafficError):
    """A side passed a limit, and all requests go to where they came from."""


@dataclass(frozen=True)
class Mover:
    """Moves requests.

    Args:
        step: percent.
        every: seconds that each step is watched.
        look: seconds between two looks at the metrics.
        patience: how many times `every` to wait for `min_requests` before giving up.
        check: raises a TrafficError where the sides must not share requests.
        say: tells the operator a line.
    """

    weights: Weights
    metrics: Metrics
    clock: Clock
    limits: Limits
    step: int
    every: float
    check: Callable[[], None]
    say: Callable[[str], None]
    look: float = 30
    patience: int = 6

    def move(self, to: str) -> None:
        """Move all requests to a side.

        Raises:
            WentBack: a side passed a limit at a step.
            TrafficError: it stopped; the weights are left as the last step made them.
        """
        source = other(to)
        current = self.weights.read()
        if current[to] == 100:
            self.say(f"All requests go to {to} already.")
            return
        self.check()
        self._refuse_ill_sides()
        while current[to] < 100:
            share = min(100, current[to] + self.step)
            wanted = {to: share, source: 100 - share}
            self._expect(current)
            self.weights.write(wanted)
            current = wanted
            self.say(told(current))
            try:
                self._watch(to, current)
                self.check()
            except WentBack:
                raise
            except TrafficError:
                self.say(f"Stopped. It stays {told(current)}.")
                raise
        self.say(f"All requests go to {to}.")

    def _refuse_ill_sides(self) -> None:
        """Before anything is changed: that the metrics can be read, and what they say."""
        now = self.clock.now()
        for side in SIDES:
            seen = self.metrics.seen(side, now - dt.timedelta(seconds=self.every), now)
            self.say(f"{side}: {seen}")
            if problem := self.limits.passed_by(side, seen):
                raise TrafficError(
                    f"{problem} Nothing was changed. To move away from a side that is ill, raise "
                    "the limit."
                )

    def _expect(self, current: dict[str, int]) -> None:
        found = self.weights.read()
        if found != current:
            raise TrafficError(
                f"Someone else changed the weights: {told(found)}. They are left as they are."
            )

    def _watch(self, to: str, current: dict[str, int]) -> None:
        """Until this step has been watched for long enough.

        Raises:
            WentBack: a side passed a limit.
            TrafficError: too few requests came to judge the target.
        """
        since = self.clock.now()
        waited = 0.0
        due = self.every
        while True:
            pause = min(self.look, due - waited)
            self.clock.sleep(pause)
            waited += pause
            seen = {side: self.metrics.seen(side, since, self.clock.now()) for side in SIDES}
            for side in SIDES:
                if problem := self.limits.passed_by(side, seen[side]):
                    self._go_back(to, problem, current)
            if waited < due:
                continue
            self.say("; ".join(f"{side}: {seen[side]}" for side in SIDES))
            if seen[to].requests >= self.limits.min_requests:
                return
            if waited >= self.patience * self.every:
                raise TrafficError(
                    f"{to} was seen to have {seen[to].requests} requests in {waited:.0f} s: too "
                    f"few to judge it by. {told(current)}, and stays so."
                )
            self.say(f"{to}: too few requests to judge it by, waiting for more")
            due += self.every

    def _go_back(self, to: str, problem: str, current: dict[str, int]) -> None:
        """All requests to where they came from: that side had all of them before."""
        source = other(to)
        self.say(f"{problem} Going back to {source}.")
        self._expect(current)
        self.weights.write({source: 100, to: 0})
        raise WentBack(f"{problem} All requests go to {source} again.")


def other(side: str) -> str:
    """The other side."""
    return SIDES[1 - SIDES.index(side)]


def told(weights: dict[str, int]) -> str:
    """Where requests go, in words."""
    return ", ".join(f"{weights[side]} % to {side}" for side in SIDES)
