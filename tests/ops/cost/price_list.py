"""AWS's price list on loopback: GetProducts, as the AWS Price List API reference shapes it.

moto has no `pricing`. Of a product it holds what filters can ask for and what the answer says of
its price; that AWS's own products have these attributes is AWS's word, and was not tried.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from apps.ops.cost.refresh import PRODUCTS

Tiers = list[tuple[str, str, str]]
_LIST = {
    # Each: begin, end, USD. As copies of the list say, but for lambda.request, which is not so.
    "lambda.request": [("0", "Inf", "0.0000003000")],
    "lambda.gb_second_x86": [
        ("6000000000", "15000000000", "0.0000150000"),
        ("15000000000", "Inf", "0.0000133334"),
        ("0", "6000000000", "0.0000166667"),
    ],
    "lambda.provisioned_duration_gb_second_x86": [("0", "Inf", "0.0000120000")],
    "data_out.gb": [("0", "100", "0"), ("100", "10240", "0.126"), ("10240", "Inf", "0.122")],
}


def product(name: str, region: str, tiers: Tiers) -> tuple[str, dict[str, str], dict[str, Any]]:
    """(service, what filters ask for, the entry) of one of our prices."""
    wanted = PRODUCTS[name]
    prefix = {"ap-northeast-2": "APN2-", "us-east-1": ""}[region]
    attributes = {
        wanted.region_field: region,
        "usagetype": prefix + wanted.usage,
        **dict(wanted.others),
    }
    dimensions = {
        f"SKU.TERM.{number}": {
            "unit": "Units",
            "beginRange": begin,
            "endRange": end,
            "appliesTo": [],
            "pricePerUnit": {"USD": usd},
        }
        for number, (begin, end, usd) in enumerate(tiers)
    }
    entry = {
        "product": {"attributes": attributes, "sku": "SKU"},
        "terms": {"OnDemand": {"SKU.TERM": {"priceDimensions": dimensions, "sku": "SKU"}}},
    }
    return wanted.service, attributes, entry


@dataclass
class PriceList:
    """The products of one region; `denied` refuses each call."""

    region: str
    url: str = ""
    denied: bool = False
    products: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def fill(self) -> None:
        """Each price that we ask for, half a dollar where _LIST has no other."""
        self.products = [
            product(name, self.region, _LIST.get(name, [("0", "Inf", "0.5000000000")]))
            for name in PRODUCTS
        ]

    def answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Of GetProducts: status and document. One product a page, as if there were many."""
        if self.denied:
            return 400, {"__type": "AccessDeniedException", "Message": "not authorized"}
        filters = {each["Field"]: each["Value"] for each in asked["Filters"]}
        found = [
            entry
            for service, attributes, entry in self.products
            if service == asked["ServiceCode"]
            and all(attributes.get(name) == value for name, value in filters.items())
        ]
        page = int(asked.get("NextToken", "0"))
        document: dict[str, Any] = {
            "FormatVersion": "aws_v1",
            "PriceList": [json.dumps(entry) for entry in found[page : page + 1]],
        }
        if page + 1 < len(found):
            document["NextToken"] = str(page + 1)
        return 200, document


@contextmanager
def price_list(region: str) -> Iterator[PriceList]:
    """Serve a full list on a free port of 127.0.0.1."""
    served = PriceList(region)
    served.fill()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"] == "AWSPriceListService.GetProducts"
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = served.answer(asked)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()
