"""What the traffic is, and on what it would run."""

from dataclasses import dataclass, fields
from decimal import Decimal

# An average month. 365 / 12 days, and the 730 hours of AWS's own calculator.
DAYS = Decimal(365) / 12
HOURS = Decimal(730)
SECONDS = HOURS * 3600


class ProfileError(Exception):
    """This traffic makes no bill; the text says why, and what to do."""


class NoTraffic(ProfileError):
    """Nobody asked for anything in the time that was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An average day of traffic, and the sizes of what serves it.

    Raises ProfileError where there is no traffic, or a number that cannot be.
    """

    requests_per_day: Decimal
    # Milliseconds of a request inside the function, cold starts included, as Lambda bills them.
    duration_ms: Decimal
    # Requests in the busiest seconds, over those of the average second.
    peak_ratio: Decimal
    # Requests a second that one vCPU of the container serves, measured; None: nobody has.
    rps_per_vcpu: Decimal | None = None
    # The sizes of a request are assumed, until they are measured.
    response_kb: Decimal = Decimal(12)
    request_kb: Decimal = Decimal(1)
    # What a request writes into CloudWatch Logs.
    log_kb: Decimal = Decimal("0.6")
    # What a request sends and gets through a NAT gateway: nothing where there is none.
    nat_kb: Decimal = Decimal(0)
    # --- Lambda
    memory_mb: Decimal = Decimal(1769)
    provisioned: int = 0
    lambda_nat_gateways: int = 0
    # --- Containers
    # How busy a vCPU may be in the peak: over this, waiting grows faster than work.
    utilisation: Decimal = Decimal("0.6")
    task_vcpu: Decimal = Decimal("0.5")
    task_memory_gb: Decimal = Decimal(1)
    # Two: one for each availability zone.
    min_tasks: int = 2
    ecs_nat_gateways: int = 0
    # A connection of a phone carries so many requests and stays open so many seconds.
    requests_per_connection: Decimal = Decimal(5)
    connection_seconds: Decimal = Decimal(60)
    # vCPUs of the database that RDS Proxy stands before; 0: there is no proxy.
    rds_proxy_vcpus: Decimal = Decimal(0)
    # What Lambda, CloudWatch Logs and data out give to every account, for ever.
    free_tier: bool = True

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None and (not Decimal(value).is_finite() or value < 0):
                raise ProfileError(f"{item.name} cannot be {value}.")
        if self.requests_per_day <= 0:
            raise ProfileError(
                "There is no traffic in this profile, so there is nothing to compare: give"
                " --requests-per-day, or measure a time in which the API was used."
            )
        for name in ("duration_ms", "memory_mb", "task_vcpu", "task_memory_gb", "min_tasks"):
            if getattr(self, name) <= 0:
                raise ProfileError(f"{name} has to be more than 0, and is {getattr(self, name)}.")
        if self.peak_ratio < 1:
            raise ProfileError(
                f"The peak is at least the average: peak_ratio is {self.peak_ratio}."
            )
        if not 0 < self.utilisation <= 1 or self.requests_per_connection < 1:
            raise ProfileError(
                "utilisation lies between 0 and 1, and a connection carries a request at least."
            )
        if self.rps_per_vcpu is not None and self.rps_per_vcpu == 0:
            raise ProfileError("rps_per_vcpu has to be more than 0.")

    @property
    def requests(self) -> Decimal:
        """Requests a month."""
        return self.requests_per_day * DAYS

    @property
    def mean_rps(self) -> Decimal:
        """Requests a second, on average."""
        return self.requests_per_day / 86400

    def gb(self, kb: Decimal) -> Decimal:
        """GB a month of so many KB a request. AWS counts 1,048,576 KB to the GB of traffic."""
        return self.requests * kb / 1024**2
