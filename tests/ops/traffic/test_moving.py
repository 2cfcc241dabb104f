"""When a move goes on, stops, and goes back; an hour of it takes no time here."""

import datetime as dt
from collections.abc import Callable

import pytest

from apps.ops.traffic import TrafficError
from apps.ops.traffic.moving import Limits, Mover, Seen, WentBack

START = dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC)
WELL = Seen(requests=1000, errors=2, p95=0.12)
LIMITS = Limits(max_5xx=1, max_p95=0.5, min_requests=20)


class World:
    """Weights, metrics and a clock; `at` tells what a side does by its percent of the requests."""

    def __init__(self, ecs: int = 0) -> None:
        self.weights = {"lambda": 100 - ecs, "ecs": ecs}
        self.writes: list[int] = []
        self.time = START
        self.at: Callable[[str, int], Seen] = lambda side, share: WELL
        self.said: list[str] = []
        self.checks: list[int] = []
        self.windows: list[float] = []

    def read(self) -> dict[str, int]:
        return dict(self.weights)

    def write(self, weights: dict[str, int]) -> None:
        assert sum(weights.values()) == 100
        self.weights = dict(weights)
        self.writes.append(weights["ecs"])

    def seen(self, side: str, since: dt.datetime, until: dt.datetime) -> Seen:
        self.windows.append((until - since).total_seconds())
        return self.at(side, self.weights[side])

    def now(self) -> dt.datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += dt.timedelta(seconds=seconds)

    def check(self) -> None:
        self.checks.append(self.weights["ecs"])

    def mover(self, step: int = 25) -> Mover:
        return Mover(
            self, self, self, LIMITS, step=step, every=300, check=self.check, say=self.said.append
        )


def test_it_goes_step_by_step_and_takes_its_time() -> None:
    world = World()
    world.mover(step=30).move("ecs")
    assert world.writes == [30, 60, 90, 100]
    assert world.time - START == dt.timedelta(minutes=20)
    # Before the first step, and after each.
    assert world.checks == [0, 30, 60, 90, 100]
    assert max(world.windows) == 300


def test_the_other_way() -> None:
    world = World(ecs=100)
    world.mover(step=50).move("lambda")
    assert world.writes == [50, 0]


@pytest.mark.parametrize(("ecs", "writes"), [(37, [62, 87, 100]), (100, [])])
def test_it_begins_where_the_weights_are(ecs: int, writes: list[int]) -> None:
    world = World(ecs=ecs)
    world.mover().move("ecs")
    assert world.writes == writes


@pytest.mark.parametrize(
    ("side", "ill", "problem"),
    [
        ("ecs", Seen(1000, 11, 0.1), "ecs answers more than 1 % with 5xx"),
        ("ecs", Seen(1000, 0, 0.51), "ecs has a p95 above 500 ms"),
        # Both share a database: one may make the other ill.
        ("lambda", Seen(1000, 11, 0.1), "lambda answers more than 1 % with 5xx"),
    ],
)
def test_past_a_limit_it_goes_back_at_the_next_look(side: str, ill: Seen, problem: str) -> None:
    world = World()
    world.at = lambda who, share: ill if who == side and world.weights["ecs"] == 50 else WELL
    with pytest.raises(WentBack, match=problem):
        world.mover().move("ecs")
    assert world.writes == [25, 50, 0]
    assert world.time - START == dt.timedelta(seconds=330)


def test_at_a_limit_it_goes_on() -> None:
    world = World()
    world.at = lambda side, share: Seen(1000, 10, 0.5)
    world.mover().move("ecs")
    assert world.weights["ecs"] == 100


def test_a_side_that_is_ill_before_is_said_and_nothing_changes() -> None:
    world = World(ecs=10)
    world.at = lambda side, share: Seen(100, 50, 0.1) if side == "ecs" else WELL
    with pytest.raises(TrafficError, match="Nothing was changed"):
        world.mover().move("ecs")
    assert world.writes == []


def test_sides_that_differ_are_refused_before_anything_changes() -> None:
    world = World()

    def check() -> None:
        raise TrafficError("They differ.")

    mover = Mover(
        world, world, world, LIMITS, step=10, every=60, check=check, say=world.said.append
    )
    with pytest.raises(TrafficError, match="They differ"):
        mover.move("ecs")
    assert world.writes == []


def test_a_few_errors_of_a_few_requests_send_nobody_back_and_nobody_on() -> None:
    world = World()
    world.at = lambda side, share: Seen(5, 5, 9.0) if side == "ecs" else WELL
    with pytest.raises(TrafficError, match="too few to judge") as raised:
        world.mover().move("ecs")
    assert not isinstance(raised.value, WentBack)
    assert world.writes == [25]
    assert world.time - START == dt.timedelta(minutes=30)


def test_it_waits_for_enough_requests() -> None:
    world = World()

    def at(side: str, share: int) -> Seen:
        early = world.time - START < dt.timedelta(minutes=8)
        return Seen(3, 0, 0.1) if side == "ecs" and early else WELL

    world.at = at
    world.mover(step=100).move("ecs")
    assert world.time - START == dt.timedelta(minutes=10)


def test_weights_that_someone_else_changed_are_left() -> None:
    world = World()

    def at(side: str, share: int) -> Seen:
        if world.time > START:
            world.weights = {"lambda": 99, "ecs": 1}
        return WELL

    world.at = at
    with pytest.raises(TrafficError, match="Someone else changed the weights: 99 % to lambda"):
        world.mover().move("ecs")
    assert world.writes == [25]


def test_metrics_that_can_no_longer_be_read_leave_the_weights() -> None:
    world = World()

    def at(side: str, share: int) -> Seen:
        if world.weights["ecs"] == 50:
            raise TrafficError("Denied.")
        return WELL

    world.at = at
    with pytest.raises(TrafficError, match="Denied"):
        world.mover().move("ecs")
    assert (world.writes, world.weights["ecs"]) == ([25, 50], 50)
    assert world.said[-1] == "Stopped. It stays 50 % to lambda, 50 % to ecs."


def test_where_going_back_is_refused_it_says_where_requests_go() -> None:
    world = World(ecs=25)
    world.at = lambda side, share: Seen(100, 50, 0.1) if world.weights["ecs"] == 50 else WELL
    plain = world.write

    def write(weights: dict[str, int]) -> None:
        if weights["ecs"] == 0:
            raise TrafficError("Route 53 is away.")
        plain(weights)

    world.write = write  # type: ignore[method-assign]
    with pytest.raises(TrafficError, match="Route 53 is away") as raised:
        world.mover().move("ecs")
    assert not isinstance(raised.value, WentBack)
    assert world.said[-2].endswith("Going back to lambda.")
    assert world.said[-1] == "Stopped. It stays 50 % to lambda, 50 % to ecs."
