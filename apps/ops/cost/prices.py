"""What AWS charges in a region, as deploy/prices/<region>.toml says it."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

# Days. AWS changes a price some times a year; one that is older than this may be another today.
MAX_AGE = 180


class PricesError(Exception):
    """No bill can be made of these prices; the text says why, and what to do."""


class OldPrices(PricesError):
    """One is older than it may be."""


@dataclass(frozen=True, slots=True)
class Price:
    """One price in USD, or a free amount (`free.*`).

    `value` is for `per` units; where there are `tiers`, it is of what lies above the last of them.
    """

    name: str
    value: Decimal
    unit: str
    source: str
    date: dt.date
    verified: bool
    per: Decimal = Decimal(1)
    tiers: tuple[tuple[Decimal, Decimal], ...] = ()

    def of(self, amount: Decimal) -> Decimal:
        """USD for `amount` units in one month."""
        total, begin = Decimal(0), Decimal(0)
        for end, value in self.tiers:
            if amount <= end:
                return total + (amount - begin) * value / self.per
            total += (end - begin) * value / self.per
            begin = end
        return total + (amount - begin) * self.value / self.per


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of one region."""

    region: str
    prices: Mapping[str, Price]
    used: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Price:
        """The price; raises PricesError where the region's file has none."""
        if name not in self.prices:
            raise PricesError(
                f"There is no price `{name}` for {self.region}: write it, with its source and"
                f" date, into deploy/prices/{self.region}.toml."
            )
        self.used.add(name)
        return self.prices[name]

    def usd(self, name: str, amount: Decimal | int) -> Decimal:
        """USD for `amount` units in one month."""
        return self[name].of(Decimal(amount))

    def unverified(self) -> list[Price]:
        """Of the prices that were used, those that nobody has compared with AWS's own."""
        return [self.prices[name] for name in sorted(self.used) if not self.prices[name].verified]


def regions(folder: Path) -> list[str]:
    """The regions that have a file of prices."""
    return sorted(path.stem for path in folder.glob("*-*-[0-9].toml"))


def read_prices(
    folder: Path, region: str, *, today: dt.date, max_age: int | None = MAX_AGE
) -> Prices:
    """The prices of `region`.

    Raises PricesError for a region without a file, a file that cannot be read as prices, and a
    price of the future; OldPrices for one that is older than `max_age` days (None: any age will
    do).
    """
    if region not in regions(folder):
        known = ", ".join(regions(folder)) or "none"
        raise PricesError(
            f"There are no prices for the region {region!r}; there are for: {known}."
            " A new one needs a file like those in deploy/prices."
        )
    path = folder / f"{region}.toml"
    try:
        with path.open("rb") as file:
            document = tomllib.load(file, parse_float=Decimal)
        prices = {
            f"{group}.{name}": _price(f"{group}.{name}", entry)
            for group, entries in document.items()
            for name, entry in entries.items()
        }
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise PricesError(f"{path.name} is no file of prices: {error!r}.") from error
    for price in prices.values():
        age = (today - price.date).days
        if max_age is not None and age > max_age:
            raise OldPrices(
                f"`{price.name}` of {region} was read {age} days ago ({price.date}), and prices may"
                f" be {max_age} days old: look at {price.source} and write what it says, with"
                f" today's date, into deploy/prices/{path.name}."
            )
        if age < 0:
            raise PricesError(f"`{price.name}` of {region} has a date to come: {price.date}.")
    return Prices(region, prices)


def _price(name: str, entry: Mapping[str, Any]) -> Price:
    """Raises KeyError, TypeError or ValueError for an entry that is no price."""
    known = {"value", "unit", "source", "date", "verified", "per", "tiers"}
    if set(entry) - known:
        raise ValueError(f"{name} has {sorted(set(entry) - known)}")
    if type(entry["date"]) is not dt.date or type(entry["verified"]) is not bool:
        raise ValueError(f"{name} has no date or does not say whether it is verified")
    if not str(entry["source"]).startswith("https://"):
        raise ValueError(f"{name} has no address as its source")
    tiers = tuple(
        (_amount(name, end), _amount(name, value)) for end, value in entry.get("tiers", ())
    )
    if list(tiers) != sorted(tiers):
        raise ValueError(f"the tiers of {name} are out of order")
    return Price(
        name=name,
        value=_amount(name, entry["value"]),
        unit=entry["unit"],
        source=entry["source"],
        date=entry["date"],
        verified=entry["verified"],
        per=_amount(name, entry.get("per", 1)),
        tiers=tiers,
    )


def _amount(name: str, value: Any) -> Decimal:
    """A number of the file; raises ValueError for what is none, or below zero."""
    if type(value) not in (int, Decimal) or not Decimal(value).is_finite() or value < 0:
        raise ValueError(f"{name} has {value!r} for a number")
    return Decimal(value)
