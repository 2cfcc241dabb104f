"""zappa_settings.json, and what is said of it."""

import json
import re

from django.conf import settings

from igloo.deploying import stages


def test_the_docs_explain_each_key_that_a_stage_has() -> None:
    text = (settings.BASE_DIR / "docs" / "lambda.md").read_text(encoding="utf-8")
    table = text.partition("## The keys of zappa_settings.json")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    found = json.loads((settings.BASE_DIR / "zappa_settings.json").read_text(encoding="utf-8"))
    names = found.keys() - {"base"}
    assert names == {"dev", "staging", "production"}
    keys = {key for name in names for key in stages.read(name).settings}
    assert keys - {"extends"} == explained


def test_every_default_of_zappas_that_is_bad_is_set() -> None:
    for name in ("dev", "staging", "production"):
        stage = stages.read(name).settings
        wanted = {
            "aws_region": "ap-northeast-2",
            "slim_handler": False,
            "debug": False,
            "log_level": "INFO",
            "keep_warm": False,
            "touch": False,
            "manage_roles": False,
            "async_resources": False,
            "use_precompiled_packages": False,
            "apigateway_version": "v2",
            "binary_support": True,
        }
        assert {key: stage.get(key) for key in wanted} == wanted
        assert stage.get("snap_start") == ("PublishedVersions" if name == "production" else None)
