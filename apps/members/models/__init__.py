"""Models of members."""

from apps.members.models.consent import Consent
from apps.members.models.identity import (
    PendingUnlink,
    Provider,
    ProviderNotice,
    SocialIdentity,
    SocialNonce,
    SpentCredential,
)
from apps.members.models.member import Member
from apps.members.models.session import DeviceSession, RefreshToken

__all__ = [
    "Consent",
    "DeviceSession",
    "Member",
    "PendingUnlink",
    "Provider",
    "ProviderNotice",
    "RefreshToken",
    "SocialIdentity",
    "SocialNonce",
    "SpentCredential",
]
