"""Steps of a deploy: one line each, with the seconds it took."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


def say(text: str) -> None:
    """At once, also into a pipe: what Zappa prints comes in between."""
    print(f"igloo: {text}", flush=True)


@dataclass
class Steps:
    """Runs steps, and knows where a deploy stands."""

    done: list[str] = field(default_factory=list)
    current: str = ""

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Run a step, and print what it took. What it raises goes on."""
        self.current = name
        say(f"{name} …")
        start = time.perf_counter()
        try:
            result = work()
        except BaseException:
            say(f"{name}: failed after {time.perf_counter() - start:.1f} s")
            raise
        say(f"{name}: {time.perf_counter() - start:.1f} s")
        self.done.append(name)
        self.current = ""
        return result

    def stands(self) -> str:
        """Which steps are done, and in which one it stopped."""
        text = f"done: {', '.join(self.done) or 'nothing'}"
        return f"{text}; stopped in: {self.current}" if self.current else text
