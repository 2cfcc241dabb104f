"""Prices from AWS's price list, written into deploy/prices/<region>.toml."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from apps.ops.cost.prices import Price, Prices, PricesError

# How AWS's usage types of a region begin. Some of us-east-1 have no beginning.
PREFIXES = {"ap-northeast-2": ("APN2-",), "us-east-1": ("USE1-", "")}


@dataclass(frozen=True, slots=True)
class Product:
    """Where the price list has a price: service, usage type, and what tells it from its like."""

    service: str
    usage: str
    others: tuple[tuple[str, str], ...] = ()
    # Of data that leaves, the region is where it comes from.
    region_field: str = "regionCode"


_LINUX = (
    ("operatingSystem", "Linux"), ("tenancy", "Shared"), ("preInstalledSw", "NA"),
    ("capacitystatus", "Used"), ("operation", "RunInstances"),
)  # fmt: skip
_ALB = (("operation", "LoadBalancing:Application"),)
PRODUCTS: Mapping[str, Product] = {
    "lambda.request": Product("AWSLambda", "Request"),
    "lambda.gb_second_x86": Product("AWSLambda", "Lambda-GB-Second"),
    "lambda.gb_second_arm64": Product("AWSLambda", "Lambda-GB-Second-ARM"),
    "lambda.provisioned_gb_second_x86": Product("AWSLambda", "Lambda-Provisioned-Concurrency"),
    "lambda.provisioned_duration_gb_second_x86": Product(
        "AWSLambda", "Lambda-Provisioned-GB-Second"
    ),
    "lambda.provisioned_gb_second_arm64": Product(
        "AWSLambda", "Lambda-Provisioned-Concurrency-ARM"
    ),
    "lambda.provisioned_duration_gb_second_arm64": Product(
        "AWSLambda", "Lambda-Provisioned-GB-Second-ARM"
    ),
    "api_gateway.rest": Product("AmazonApiGateway", "ApiGatewayRequest"),
    "api_gateway.http": Product("AmazonApiGateway", "ApiGatewayHttpRequest"),
    "fargate.vcpu_hour_x86": Product("AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    "fargate.gb_hour_x86": Product("AmazonECS", "Fargate-GB-Hours"),
    "fargate.vcpu_hour_arm64": Product("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    "fargate.gb_hour_arm64": Product("AmazonECS", "Fargate-ARM-GB-Hours"),
    "alb.hour": Product("AWSELB", "LoadBalancerUsage", _ALB),
    "alb.lcu_hour": Product("AWSELB", "LCUUsage", _ALB),
    "nat.hour": Product("AmazonEC2", "NatGateway-Hours"),
    "nat.gb": Product("AmazonEC2", "NatGateway-Bytes"),
    "ipv4.hour": Product("AmazonVPC", "PublicIPv4:InUseAddress"),
    "logs.gb": Product("AmazonCloudWatch", "DataProcessing-Bytes"),
    "data_out.gb": Product(
        "AWSDataTransfer", "DataTransfer-Out-Bytes", (("toLocation", "External"),), "fromRegionCode"
    ),
    "rds_proxy.vcpu_hour": Product("AmazonRDS", "RDS:ProxyUsage"),
    "ec2.instance_hour": Product("AmazonEC2", "BoxUsage:m5.large", _LINUX),
    "ebs.gb_month": Product("AmazonEC2", "EBS:VolumeUsage.gp3"),
}


def tiers_of(document: Mapping[str, Any]) -> list[tuple[Decimal | None, Decimal]]:
    """(up to how many units, USD a unit) of one product on demand; None: without end.

    Source: "Price list query API", AWS Billing user guide. Raises KeyError or ValueError for
    another shape.
    """
    (offer,) = document["terms"]["OnDemand"].values()
    found = sorted(
        (
            Decimal(step["beginRange"]),
            None if step["endRange"] == "Inf" else Decimal(step["endRange"]),
            Decimal(step["pricePerUnit"]["USD"]),
        )
        for step in offer["priceDimensions"].values()
    )
    return [(end, usd) for _, end, usd in found]


def asked(client: Any, region: str, product: Product) -> list[tuple[Decimal | None, Decimal]]:
    """The tiers of a product; raises PricesError where there are none, or several."""
    for prefix in PREFIXES[region]:
        fields = {product.region_field: region, "usagetype": prefix + product.usage}
        filters = [
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in (*fields.items(), *product.others)
        ]
        pages = client.get_paginator("get_products").paginate(
            ServiceCode=product.service, Filters=filters, FormatVersion="aws_v1"
        )
        try:
            found = [tiers_of(json.loads(entry)) for page in pages for entry in page["PriceList"]]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise PricesError(f"AWS's answer on {product.usage} is unknown: {error!r}.") from error
        if found and all(each == found[0] for each in found):
            return found[0]
        if found:
            raise PricesError(f"AWS has {len(found)} different prices of {product.usage}.")
    raise PricesError(f"AWS's price list has no {product.usage} of {product.service} in {region}.")


def refreshed(client: Any, prices: Prices, patterns: Prices, *, today: dt.date) -> list[Price]:
    """What AWS's list says today of each price that it has, all of them or none.

    `patterns` has the unit and source of a price that `prices` lacks. Raises PricesError.
    """
    if prices.region not in PREFIXES:
        raise PricesError(f"How AWS calls what it sells in {prices.region} is not known here.")
    found = []
    for name, product in PRODUCTS.items():
        old = prices.prices.get(name) or patterns[name]
        *tiers, (end, last) = asked(client, prices.region, product)
        # A free amount comes first in some lists, at no price; here it is a line of its own.
        steps = tuple((upto, usd * old.per) for upto, usd in tiers if upto is not None and usd)
        if end is not None or not last:
            raise PricesError(f"AWS's price of {product.usage} has no last tier.")
        found.append(replace(old, value=last * old.per, tiers=steps, date=today, verified=True))
    return found


def written(text: str, prices: Prices, found: list[Price]) -> tuple[str, list[str]]:
    """The text of the file of `prices` with `found` in it, and what that changes, for the reader.

    Comments stay; a price that was not there goes to the end.
    """
    blocks, changes = text.rstrip("\n").split("\n\n"), []
    places = {
        line.strip("[]"): number
        for number, block in enumerate(blocks)
        for line in block.splitlines()
        if line.startswith("[")
    }
    for price in found:
        new = _section(price)
        if price.name not in places:
            blocks.append("\n".join(new))
            changes.append(f"{price.name}: new, {_amounts(price)}")
            continue
        old = blocks[places[price.name]].splitlines()
        comments = [line for line in old if line.startswith("#")]
        blocks[places[price.name]] = "\n".join([*comments, *new])
        before = prices.prices[price.name]
        if (before.value, before.tiers) != (price.value, price.tiers):
            changes.append(f"{price.name}: {_amounts(before)} → {_amounts(price)}")
    return "\n\n".join(blocks) + "\n", changes


def _section(price: Price) -> list[str]:
    """The lines of one price."""
    lines = [f"[{price.name}]", f"value = {_plain(price.value)}"]
    if price.tiers:
        steps = ", ".join(f"[{int(end):_}, {_plain(usd)}]" for end, usd in price.tiers)
        lines.append(f"tiers = [{steps}]")
    if price.per != 1:
        lines.append(f"per = {int(price.per):_}")
    return [
        *lines,
        f'unit = "{price.unit}"',
        f'source = "{price.source}"',
        f"date = {price.date}",
        f"verified = {str(price.verified).lower()}",
    ]


def _plain(value: Decimal) -> str:
    """Without the zeros that AWS's list fills up with, and without an exponent."""
    return f"{value.normalize():f}"


def _amounts(price: Price) -> str:
    """The value, after those of the tiers."""
    return ", ".join(_plain(value) for value in [*(usd for _, usd in price.tiers), price.value])
