"""Where a member was seen: keyed hashes of networks, kept with the sessions that were used there.

Without the SECRET_KEY they can't be guessed back, and are different for each member. A session is
deleted 92 days after its end, and they with it.
"""

from collections.abc import Iterable

from django.utils.crypto import salted_hmac

from apps.members.models import DeviceSession, Member

# A phone goes back and forth between home, work and its carrier.
_MOST_NETWORKS = 8


def network_key(username: str, network: str) -> str:
    """What stands for a network with this member; empty for none."""
    if not network:
        return ""
    value = f"{username}\n{network}"
    return salted_hmac("apps.members.places", value, algorithm="sha256").hexdigest()[:32]


def with_network(known: Iterable[str], key: str) -> list[str]:
    """The keys with this one first; the one that was used the longest ago may go."""
    if not key:
        return list(known)
    return [key, *(other for other in known if other != key)][:_MOST_NETWORKS]


def remember(member: Member, network: str) -> None:
    """Who read the member's mail here is the member: from here they may log in.

    It is kept with the newest session. Who has none is a stranger everywhere.
    """
    key = network_key(member.username, network)
    newest = DeviceSession.objects.trusted().filter(member=member).order_by("-id").first()
    if newest is not None:
        newest.networks = with_network(newest.networks, key)
        newest.save(update_fields=["networks"])
