"""What the server in front decides: whose address counts, and an operator's cookies."""

import json
import re
import urllib.parse
import uuid

import pytest

from tests.contract.client import Client
from tests.contract.people import DEVICE, PASSWORD, sign_up
from tests.contract.places import Place


@pytest.fixture(autouse=True)
def _has_database(place: Place) -> None:
    if not place.database:
        pytest.skip("looks into the database, which an address alone does not give")


def test_a_client_can_not_choose_the_address_it_is_counted_by(client: Client, place: Place) -> None:
    # A window that an earlier test began could end in the middle of this one.
    place.query("DELETE FROM common_ratewindow")
    nobody = {"username": client.name("nobody"), "password": PASSWORD, "device": DEVICE}
    for number in range(2):
        lie = f"198.51.100.{number}"
        lies = {
            "X-Forwarded-For": lie,
            "X_Forwarded_For": lie,
            "Forwarded": f"for={lie}",
            "X-Real-IP": lie,
            "Content-Type": "application/json",
        }
        answer = client.call_exactly("POST", "/api/v1/auth/login", json.dumps(nobody), lies)
        answer.problem(401, "login_failed")
    counted = dict(place.query("SELECT key, hits FROM common_ratewindow"))
    assert counted["login_address:127.0.0.1"] == 2
    assert "198.51.100" not in str(counted)


def test_an_operator_logs_in_in_korean(client: Client, place: Place) -> None:
    member = sign_up(client, "olga")
    client.token = ""
    changed = "UPDATE members_member SET is_staff = true, is_superuser = true WHERE id = %s"
    place.query(changed, str(uuid.UUID(member)))
    page = client.get("/admin/login/", Accept_Language="ko", Accept="text/html")
    assert page.status == 200
    assert "비밀번호:" in page.text
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    form = {"username": client.name("olga"), "password": PASSWORD, "csrfmiddlewaretoken": token}

    answer = client.call(
        "POST",
        "/admin/login/?next=/admin/",
        urllib.parse.urlencode(form),
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"csrftoken={page.cookies['csrftoken']}; other=1",
        },
    )

    assert (answer.status, answer.headers["Location"]) == (302, "/admin/")
    assert set(answer.cookies) == {"csrftoken", "sessionid"}
    cookie = f"sessionid={answer.cookies['sessionid']}"
    desk = client.call("GET", "/admin/", headers={"Cookie": cookie}, record=False)
    assert client.name("olga") in desk.text
    # Of a cluster's schedules there is nothing to see where a function has no cluster.
    assert ("/admin/django_q/schedule/" in desk.text) is not place.name.startswith("lambda")
    [(seen,)] = place.query("SELECT last_login FROM members_member WHERE id = %s", member)
    assert seen is not None
