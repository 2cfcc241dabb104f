"""What tests of the bill share."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from apps.ops.cost.prices import Prices, read_prices
from apps.ops.cost.profile import Profile

FOLDER = Path(__file__).parents[3] / "deploy" / "prices"
# When the committed prices were last read.
TODAY = dt.date(2026, 11, 27)


def prices(region: str = "us-east-1") -> Prices:
    """The committed prices."""
    return read_prices(FOLDER, region, today=TODAY)


def make_profile(**changes: Any) -> Profile:
    """100,000 requests a day of 80 ms, three times as many in the peak; 100 a second for a vCPU."""
    numbers: dict[str, Any] = {
        "requests_per_day": Decimal(100_000),
        "duration_ms": Decimal(80),
        "peak_ratio": Decimal(3),
        "rps_per_vcpu": Decimal(100),
    }
    return Profile(**numbers | changes)
