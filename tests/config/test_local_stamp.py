"""What makes `make up` set up anew, and what of its environment other commands of the folder get."""

import json

from config.local import names
from config.local.plan import Plan, Wish, plan_for
from config.local.secrets import secrets_of
from config.local.servers import tell_environment
from config.local.signals import StopRequest
from config.local.stamp import stamp_of


def test_another_way_to_sign_in_is_set_up_anew_and_told_to_other_commands(home):
    home.prepare()
    secrets = secrets_of(home)

    def plan(**environment: str) -> Plan:
        return plan_for(
            Wish(home, environment, (names.POSTGRES, names.REDIS)), secrets, StopRequest()
        )

    stamps = {
        stamp_of(plan(**environment))
        for environment in (
            {},
            {"PLAZA_DB_LOGIN": "tenant"},
            {"PLAZA_DB_KEY": "another key"},
            {"PLAZA_CITUS": "1"},
            {"SECRET_KEY": "another-installation-" * 3},
        )
    }
    assert len(stamps) == 5
    tell_environment(plan(PLAZA_DB_LOGIN="tenant", PLAZA_DB_KEY="a secret of theirs"))
    told = json.loads(home.environment.read_text())
    assert told["PLAZA_DB_LOGIN"] == "tenant"
    assert "PLAZA_DB_KEY" not in told
