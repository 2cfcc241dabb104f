"""What counts as one caller, and as one place."""

import pytest

from apps.common.addresses import network_of, source_of


@pytest.mark.parametrize(
    ("address", "source", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/64"),
        ("", "", ""),
        ("unknown", "unknown", ""),
        ("203.0.113.7:443", "203.0.113.7:443", ""),
        ("203.0.113.7/8", "203.0.113.7/8", ""),
    ],
)
def test_addresses(address: str, source: str, network: str) -> None:
    assert (source_of(address), network_of(address)) == (source, network)
