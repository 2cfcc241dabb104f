"""The weights: two records of one name in Route 53, with the set identifiers `lambda` and `ecs`."""

from typing import Any

import boto3

from apps.ops.traffic import TrafficError
from apps.ops.traffic.aws import CONFIG, asking
from apps.ops.traffic.moving import SIDES


class Route53Weights:
    """The records of a name; those of type A and AAAA, say, have the same weights.

    Args:
        zone: the hosted zone's id.
        name: of the records.
    """

    def __init__(self, zone: str, name: str) -> None:
        self.zone = zone.removeprefix("/hostedzone/")
        self.name = name.lower().rstrip(".") + "."
        # Route 53 is of no region, and signs as this one.
        self._client = boto3.client("route53", region_name="us-east-1", config=CONFIG)

    def read(self) -> dict[str, int]:
        """Percent by side.

        Raises:
            Denied: without route53:ListResourceRecordSets.
            TrafficError: they are not two weighted records, or say different things.
        """
        shares = {_share(pair) for pair in self._pairs().values()}
        if len(shares) > 1:
            raise TrafficError(f"The types of {self.name} have different weights: set them first.")
        (ecs,) = shares
        return {"lambda": 100 - ecs, "ecs": ecs}

    def write(self, weights: dict[str, int]) -> None:
        """Set the weights and nothing else of the records, all in one change or none.

        Name servers have it within a minute as a rule. To ask whether they have would take
        another permission, and fail with the weights changed where that is missing.

        Raises:
            Denied: without route53:ChangeResourceRecordSets.
        """
        changes = [
            {"Action": "UPSERT", "ResourceRecordSet": pair[side] | {"Weight": weights[side]}}
            for pair in self._pairs().values()
            for side in SIDES
        ]
        with self._asking():
            self._client.change_resource_record_sets(
                HostedZoneId=self.zone,
                ChangeBatch={"Comment": "igloo: manage.py traffic", "Changes": changes},
            )

    def _pairs(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By type and side."""
        with self._asking():
            answer = self._client.list_resource_record_sets(
                HostedZoneId=self.zone, StartRecordName=self.name
            )
        pairs: dict[str, dict[str, dict[str, Any]]] = {}
        for record in answer["ResourceRecordSets"]:
            if record["Name"] == self.name:
                pairs.setdefault(record["Type"], {})[record.get("SetIdentifier", "")] = record
        if not pairs:
            raise TrafficError(f"Zone {self.zone} has no record {self.name}")
        for kind, pair in pairs.items():
            if set(pair) != set(SIDES) or any("Weight" not in pair[side] for side in SIDES):
                raise TrafficError(
                    f"{self.name} {kind} must be two weighted records with the set identifiers "
                    f"lambda and ecs; found: {', '.join(sorted(pair)) or 'none'}."
                )
        return pairs

    def _asking(self) -> Any:
        return asking("route53", f"arn:aws:route53:::hostedzone/{self.zone}")


def _share(pair: dict[str, dict[str, Any]]) -> int:
    """ECS' percent.

    Where all weights are 0 Route 53 takes each record as often ("Values specific for weighted
    records", Amazon Route 53 Developer Guide).
    """
    total = sum(pair[side]["Weight"] for side in SIDES)
    return round(100 * pair["ecs"]["Weight"] / total) if total else 50
