"""`python -m config.local run`: private servers around one command."""

import json
import signal
import sys
from pathlib import Path

from tests.config.local_runs import await_end, clean_environment, refused

_TELL = "import os, json; print(json.dumps(dict(os.environ)), flush=True)"


def test_command_gets_servers_of_its_own_and_its_exit_code_is_passed_on(launch):
    code = (
        "import os, psycopg, redis\n"
        "with psycopg.connect(os.environ['DATABASE_OWNER_URL']) as c:\n"
        "    row = c.execute('SELECT current_user, current_setting(%s)', ['fsync']).fetchone()\n"
        "print(row, redis.Redis.from_url(os.environ['REDIS_URL']).ping())\n"
        "print('home', os.environ['PLAZA_HOME'])\n"
        "raise SystemExit(7)"
    )
    run = launch("run", "--", sys.executable, "-c", code)

    assert run.wait() == 7
    lines = run.said.splitlines()
    assert lines[-2] == "('plaza_owner', 'off') True"
    assert not Path(lines[-1].removeprefix("home ")).exists()


def test_keys_of_the_developers_shell_do_not_reach_a_test(launch):
    environment = clean_environment(
        STRIPE_API_KEY="sk_live_real", SECRET_KEY="real", PLAZA_ENV="production"
    )
    run = launch(
        "run", "--services", "", "--", sys.executable, "-c", _TELL, environment=environment
    )

    assert run.wait() == 0
    told = json.loads(run.said)
    assert told["PLAZA_ENV"] == "test"
    assert "STRIPE_API_KEY" not in told
    assert told["SECRET_KEY"] != "real"
    assert "BEGIN PRIVATE KEY" in told["TOKEN_SIGNING_KEY"]


def test_servers_named_by_the_environment_are_used_as_they_are(launch):
    environment = clean_environment(DATABASE_URL="postgresql://a/b", REDIS_URL="redis://a/0")
    run = launch("run", "--", sys.executable, "-c", _TELL, environment=environment)

    assert run.wait() == 0
    told = json.loads(run.said)
    assert (told["DATABASE_URL"], told["REDIS_URL"]) == ("postgresql://a/b", "redis://a/0")


def test_request_to_stop_reaches_the_command_and_ends_the_servers(launch):
    code = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
    run = launch("run", "--services", "redis", "--", sys.executable, "-c", code)
    run.await_words("pid ")
    pid = int(run.said.split("pid ")[1])

    assert run.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    await_end(pid)


def test_missing_program_is_named():
    assert "There is no program no-such-thing" in refused(
        "run", "--services", "redis", "--", "no-such-thing"
    )
