"""The bills of the places where igloo may run.

Each is made of the same few parts, in the words of AWS's pricing pages. Where a page has a worked
example, tests/ops/cost/test_published.py holds the part to it, to the cent.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal

from apps.ops.cost.bill import Bill, Line, amount
from apps.ops.cost.prices import Prices
from apps.ops.cost.profile import HOURS, SECONDS, Profile, ProfileError

# Fargate gives a task as much for nothing.
FREE_STORAGE_GB = 20
# An EC2 m5.large.
INSTANCE_VCPU = 2
INSTANCE_DISK_GB = 8
# An ALB has an address in each of its two availability zones.
ALB_ADDRESSES = 2
# One load balancer capacity unit: https://aws.amazon.com/elasticloadbalancing/pricing/
LCU_NEW, LCU_ACTIVE, LCU_GB, LCU_RULES = 25, 3000, 1, 1000
FREE_RULES = 10
# HTTP APIs count a request again for each of these that it carries.
METERED_KB = 512


def whole(value: Decimal) -> Decimal:
    """Rounded up."""
    return value.to_integral_value(ROUND_CEILING)


def free(name: str, used: Decimal, price: str, prices: Prices, free_name: str) -> Line:
    """What of `used` is free, as a line below zero: at what its first units would have cost."""
    limit = prices[free_name].value
    given = min(used, limit)
    saved = prices.usd(price, used) - prices.usd(price, used - given)
    return Line(f"{name}, free", -saved, f"{amount(given)} of {amount(limit)} free")


def lambda_lines(
    prices: Prices,
    *,
    requests: Decimal,
    duration_ms: Decimal,
    memory_mb: Decimal,
    architecture: str = "x86",
    free_tier: bool = True,
    provisioned: int = 0,
    provisioned_seconds: Decimal = SECONDS,
) -> list[Line]:
    """A function's requests and duration in a month; `provisioned` instances are kept ready.

    AWS gives a function with provisioned concurrency no free tier. What its instances serve is
    billed at a lower price; here that is as much as they can take.
    """
    gb = memory_mb / 1024
    exact = requests * duration_ms / 1000 * gb
    used = requests * whole(duration_ms) / 1000 * gb
    on_demand = f"lambda.gb_second_{architecture}"
    lines = [Line("Lambda requests", prices.usd("lambda.request", requests), amount(requests))]
    if provisioned:
        ready = provisioned * gb * provisioned_seconds
        inside = min(used, ready)
        lines += [
            Line(
                "provisioned concurrency",
                prices.usd(f"lambda.provisioned_gb_second_{architecture}", ready),
                f"{provisioned} kept ready, {amount(ready)} GB-s",
            ),
            Line(
                "duration on it",
                prices.usd(f"lambda.provisioned_duration_gb_second_{architecture}", inside),
                f"{amount(inside)} GB-s",
            ),
            Line(
                "duration beyond it",
                prices.usd(on_demand, used - inside),
                f"{amount(used - inside)} GB-s",
            ),
        ]
        return lines
    lines += [
        Line("duration", prices.usd(on_demand, exact), f"{amount(exact)} GB-s"),
        Line(
            "duration, rounded up to 1 ms",
            prices.usd(on_demand, used) - prices.usd(on_demand, exact),
            f"{amount(used - exact)} GB-s",
        ),
    ]
    if free_tier:
        lines += [
            free("Lambda requests", requests, "lambda.request", prices, "free.lambda_requests"),
            free("duration", used, on_demand, prices, "free.lambda_gb_seconds"),
        ]
    return lines


def gateway_lines(
    prices: Prices, *, kind: str, requests: Decimal, request_kb: Decimal, response_kb: Decimal
) -> list[Line]:
    """API Gateway: `rest` is v1, `http` v2. Its free tier ends after a year, and is not counted."""
    metered = requests
    if kind == "http":
        metered *= max(Decimal(1), whole(max(request_kb, response_kb) / METERED_KB))
    usd = prices.usd(f"api_gateway.{kind}", metered)
    return [Line(f"API Gateway, {kind.upper()} API", usd, f"{amount(metered)} requests")]


def task_lines(
    prices: Prices,
    *,
    tasks: Decimal,
    vcpu: Decimal,
    memory_gb: Decimal,
    seconds: Decimal = SECONDS,
    architecture: str = "x86",
    spot: bool = False,
    storage_gb: Decimal = Decimal(FREE_STORAGE_GB),
) -> list[Line]:
    """Fargate tasks that run `seconds` of a month, which it bills by the second."""
    hours = tasks * seconds / 3600
    processor = prices.usd(f"fargate.vcpu_hour_{architecture}", hours * vcpu)
    memory = prices.usd(f"fargate.gb_hour_{architecture}", hours * memory_gb)
    lines = [
        Line("Fargate vCPUs", processor, f"{amount(tasks)} × {vcpu} vCPU"),
        Line("Fargate memory", memory, f"{amount(tasks)} × {memory_gb} GB"),
    ]
    if spot:
        discount = prices["fargate.spot_discount"].value
        usd = -(processor + memory) * discount
        lines.append(Line("Spot", usd, f"{discount:.0%} less, at best"))
    if storage_gb > FREE_STORAGE_GB:
        held = tasks * (storage_gb - FREE_STORAGE_GB) * seconds
        usd = prices.usd("fargate.storage_gb_second", held)
        lines.append(Line("Fargate storage", usd, f"{storage_gb} GB a task"))
    return lines


def balancer_lines(
    prices: Prices,
    *,
    rps: Decimal,
    new_connections: Decimal,
    connection_seconds: Decimal,
    kb: Decimal,
    rules: int = 1,
    hours: Decimal = HOURS,
) -> list[Line]:
    """An ALB. `new_connections` a second; `kb` is of a request and its response together.

    Of the four dimensions the largest is billed. AWS's example counts 1,000,000 KB to the GB here.
    """
    dimensions = {
        "new connections": new_connections / LCU_NEW,
        "open connections": new_connections * connection_seconds / LCU_ACTIVE,
        "bytes": rps * kb * 3600 / 1_000_000 / LCU_GB,
        "rules": rps * max(0, rules - FREE_RULES) / LCU_RULES,
    }
    largest = max(dimensions, key=lambda name: dimensions[name])
    lcus = dimensions[largest]
    return [
        Line("ALB", prices.usd("alb.hour", hours), f"{amount(hours)} hours"),
        Line(
            "ALB LCUs",
            prices.usd("alb.lcu_hour", lcus * hours),
            f"{amount(lcus)}, by its {largest}",
        ),
    ]


def shared_lines(prices: Prices, profile: Profile, *, nat_gateways: int) -> list[Line]:
    """What every place pays in the same way: NAT, logs, data out, RDS Proxy."""
    lines = []
    if nat_gateways:
        data = profile.gb(profile.nat_kb)
        lines += [
            Line(
                "NAT gateways",
                prices.usd("nat.hour", nat_gateways * HOURS),
                f"{nat_gateways} of them",
            ),
            Line("NAT data", prices.usd("nat.gb", data), f"{amount(data)} GB"),
        ]
    logs, out = profile.gb(profile.log_kb), profile.gb(profile.response_kb)
    lines += [
        Line("logs", prices.usd("logs.gb", logs), f"{amount(logs)} GB"),
        Line("data out", prices.usd("data_out.gb", out), f"{amount(out)} GB"),
    ]
    if profile.free_tier:
        lines += [
            free("logs", logs, "logs.gb", prices, "free.logs_gb"),
            free("data out", out, "data_out.gb", prices, "free.data_out_gb"),
        ]
    if profile.rds_proxy_vcpus:
        usd = prices.usd("rds_proxy.vcpu_hour", profile.rds_proxy_vcpus * HOURS)
        lines.append(Line("RDS Proxy", usd, f"{profile.rds_proxy_vcpus} vCPUs of the database"))
    return lines


def on_lambda(prices: Prices, profile: Profile, *, kind: str) -> Bill:
    """Lambda behind API Gateway."""
    lines = lambda_lines(
        prices,
        requests=profile.requests,
        duration_ms=profile.duration_ms,
        memory_mb=profile.memory_mb,
        free_tier=profile.free_tier,
        provisioned=profile.provisioned,
    )
    lines += gateway_lines(
        prices,
        kind=kind,
        requests=profile.requests,
        request_kb=profile.request_kb,
        response_kb=profile.response_kb,
    )
    lines += shared_lines(prices, profile, nat_gateways=profile.lambda_nat_gateways)
    return Bill(f"Lambda, API Gateway {'v1' if kind == 'rest' else 'v2'}", tuple(lines))


def needed_vcpus(profile: Profile) -> Decimal:
    """vCPUs for the peak; raises ProfileError where nobody has measured what one serves."""
    if profile.rps_per_vcpu is None:
        raise ProfileError("How many requests a second one vCPU serves has not been measured.")
    return profile.mean_rps * profile.peak_ratio / profile.rps_per_vcpu / profile.utilisation


def _balancer(prices: Prices, profile: Profile) -> list[Line]:
    return balancer_lines(
        prices,
        rps=profile.mean_rps,
        new_connections=profile.mean_rps / profile.requests_per_connection,
        connection_seconds=profile.connection_seconds,
        kb=profile.request_kb + profile.response_kb,
    )


def _addresses(prices: Prices, count: Decimal) -> Line:
    usd = prices.usd("ipv4.hour", count * HOURS)
    return Line("public IPv4 addresses", usd, f"{amount(count)} of them")


def on_fargate(
    prices: Prices, profile: Profile, *, architecture: str = "x86", spot: bool = False
) -> Bill:
    """Fargate behind an ALB, with tasks for the peak all month.

    Without NAT each task has a public address. Arm is taken to be as fast as x86, vCPU by vCPU.
    """
    tasks = max(Decimal(profile.min_tasks), whole(needed_vcpus(profile) / profile.task_vcpu))
    lines = task_lines(
        prices,
        tasks=tasks,
        vcpu=profile.task_vcpu,
        memory_gb=profile.task_memory_gb,
        architecture=architecture,
        spot=spot,
    )
    outside = Decimal(0) if profile.ecs_nat_gateways else tasks
    lines += [*_balancer(prices, profile), _addresses(prices, outside + ALB_ADDRESSES)]
    lines += shared_lines(prices, profile, nat_gateways=profile.ecs_nat_gateways)
    kind = f"{architecture}{', Spot' if spot else ''}"
    size = f"{amount(tasks)} tasks of {profile.task_vcpu} vCPU and {profile.task_memory_gb} GB"
    return Bill(f"Fargate {kind}, ALB", tuple(lines), size)


def on_ec2(prices: Prices, profile: Profile) -> Bill:
    """EC2 instances behind an ALB, which is what Elastic Beanstalk makes, itself free."""
    machines = max(Decimal(profile.min_tasks), whole(needed_vcpus(profile) / INSTANCE_VCPU))
    lines = [
        Line(
            "EC2 instances",
            prices.usd("ec2.instance_hour", machines * HOURS),
            f"{amount(machines)} × m5.large",
        ),
        Line(
            "EBS",
            prices.usd("ebs.gb_month", machines * INSTANCE_DISK_GB),
            f"{amount(machines)} × {INSTANCE_DISK_GB} GB",
        ),
    ]
    outside = Decimal(0) if profile.ecs_nat_gateways else machines
    lines += [*_balancer(prices, profile), _addresses(prices, outside + ALB_ADDRESSES)]
    lines += shared_lines(prices, profile, nat_gateways=profile.ecs_nat_gateways)
    return Bill("EC2 or Beanstalk, ALB", tuple(lines), f"{amount(machines)} × m5.large")


World = Callable[[Prices, Profile], Bill]
# In the order in which they are shown. The first two are where igloo starts.
WORLDS: Mapping[str, World] = {
    "lambda-v1": lambda prices, profile: on_lambda(prices, profile, kind="rest"),
    "lambda-v2": lambda prices, profile: on_lambda(prices, profile, kind="http"),
    "fargate-x86": on_fargate,
    "fargate-arm64": lambda prices, profile: on_fargate(prices, profile, architecture="arm64"),
    "fargate-spot": lambda prices, profile: on_fargate(prices, profile, spot=True),
    "ec2": on_ec2,
}
SERVERLESS = ("lambda-v1", "lambda-v2")
CONTAINERS = ("fargate-x86", "fargate-arm64", "fargate-spot")
