"""A bill: named lines."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One line: USD a month, below zero for what is free, and how it comes about."""

    name: str
    usd: Decimal
    how: str


@dataclass(frozen=True, slots=True)
class Bill:
    """What one place costs in a month. `size` says on what, where that follows from the traffic."""

    name: str
    lines: tuple[Line, ...]
    size: str = ""

    @property
    def usd(self) -> Decimal:
        """The sum, unrounded."""
        return sum((line.usd for line in self.lines), Decimal(0))


def amount(value: Decimal) -> str:
    """A number for a reader: thousands set apart, three digits after a small one's point."""
    if value == value.to_integral_value():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.3g}" if value < 1 else f"{value:,.2f}"
