"""All parts in turn, or one of them."""

from bench.aws_lambda import packages, secrets, sizes, start, warm


def run(name: str | None = None) -> None:
    """Build what is measured, and print the tables; `name`: one of them alone."""
    with packages.built() as built:
        if name in (None, "start"):
            start.run(built)
        if name in (None, "warm"):
            warm.run(built)
        if name in (None, "secrets"):
            secrets.run(built)
        if name in (None, "sizes"):
            sizes.run(built.zip)
