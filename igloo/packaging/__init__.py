"""The package that runs on AWS Lambda, built by Zappa's own hooks: see `hooks`.

`rules` says what goes in, `environment` gets the libraries, `archive` writes the zip. What is in
the zip depends on this checkout, on requirements.txt and on the stage's settings, and on nothing
else: not on the active virtual environment, the machine or the time of day.
"""


class PackagingError(Exception):
    """The package can't be built; the message is whole sentences for the person who builds it."""
