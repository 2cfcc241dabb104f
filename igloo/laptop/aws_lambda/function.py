"""The function: instances, as many as are busy at once, and events that wait for one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from igloo.laptop.aws_lambda.instance import Instance, Result, Settings
from igloo.laptop.children import say

THROTTLED = "TooManyRequestsException"
# Seconds between two looks at the memory.
_LOOK = 0.1


class Function:
    """Takes events from any number of threads.

    Args:
        most: instances at the same time. Further events wait for one, where AWS would refuse them.
        event_seconds: the time limit of an asynchronous event.
    """

    def __init__(self, settings: Settings, *, most: int, event_seconds: float) -> None:
        self.settings = settings
        self._most = most
        self._event_seconds = event_seconds
        self._instances: list[Instance] = []
        self._idle: list[Instance] = []
        self._started = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        # One thread that lives as long as the instances; see Instance.start.
        self._starter = ThreadPoolExecutor(1)
        # Each waits for an instance of its own.
        self._later = ThreadPoolExecutor(most)
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._looker.start()

    def invoke(self, event: bytes, seconds: float) -> Result:
        """Have an event handled within so many seconds, the wait for an instance included."""
        deadline = time.monotonic() + seconds
        instance = self._take(deadline)
        if instance is None:
            return Result.of_error(THROTTLED, "all instances are busy")
        try:
            return instance.invoke(event, max(deadline - time.monotonic(), 0.1))
        finally:
            self._give_back(instance)

    def invoke_later(self, event: bytes) -> None:
        """Have an event handled when an instance is free for it."""
        self._later.submit(self._invoke_alone, event)

    def close(self) -> None:
        """Kill the instances. Events that wait are lost."""
        self._closing.set()
        with self._changed:
            instances = list(self._instances)
            self._changed.notify_all()
        for instance in instances:
            instance.kill("was stopped")
        self._later.shutdown(cancel_futures=True)
        self._starter.shutdown()
        self._looker.join()

    def _invoke_alone(self, event: bytes) -> None:
        instance = self._take(None)
        if instance is None:
            return
        try:
            result = instance.invoke(event, self._event_seconds)
        finally:
            self._give_back(instance)
        if result.error:
            say(
                f"lambda   | an asynchronous event failed ({result.error}); on AWS it would go to "
                "the dead-letter queue"
            )

    def _take(self, deadline: float | None) -> Instance | None:
        """An instance for the caller alone; None where there was none in time, or at the end."""
        with self._changed:
            while not self._closing.is_set():
                while self._idle:
                    # The one that was used last, so that the others could be let go.
                    instance = self._idle.pop()
                    if instance.is_alive:
                        return instance
                    self._instances.remove(instance)
                if len(self._instances) < self._most:
                    self._started += 1
                    instance = Instance(self._started, self.settings)
                    self._instances.append(instance)
                    break
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            else:
                return None
        try:
            self._starter.submit(instance.start).result()
        except BaseException:
            self._give_back(instance)
            raise
        if self._closing.is_set():  # close() may not have seen it
            instance.kill("was stopped")
        return instance

    def _give_back(self, instance: Instance) -> None:
        with self._changed:
            if instance.is_alive:
                self._idle.append(instance)
            else:
                self._instances.remove(instance)
            self._changed.notify()

    def _look(self) -> None:
        while not self._closing.wait(_LOOK):
            with self._changed:
                instances = list(self._instances)
            for instance in instances:
                instance.look_at_memory()
