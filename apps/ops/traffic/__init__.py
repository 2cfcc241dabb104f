"""Moving requests between the two worlds, from an operator's machine: `manage.py traffic`.

| module | what it does |
| --- | --- |
| `moving` | when to take the next step, when to stop, when to go back |
| `route53` | the weights |
| `cloudwatch` | what each side was seen to do |
| `aws` | how AWS refuses |
| `sides` | whether both run the same code, with the migrations it needs |
"""


class TrafficError(Exception):
    """The move can't begin or go on; the message is whole sentences for whoever moves."""


class Denied(TrafficError):
    """AWS refused a call; the message names what to grant."""

    def __init__(self, action: str, resource: str, said: str) -> None:
        super().__init__(f"AWS denied {action}. Grant {action} on {resource}. It said: {said}")
