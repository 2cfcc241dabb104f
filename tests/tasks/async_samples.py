"""An async task, apart from the others: whoever refuses these refuses this module alone."""

import asyncio
from pathlib import Path

from django_tasks import task


@task()
async def wait_and_write(path: str, seconds: float) -> None:
    """Take its time, and then leave a trace."""
    await asyncio.sleep(seconds)
    with Path(path).open("a") as file:
        file.write("written\n")
