"""No line of the log holds an e-mail or a phone, whoever wrote it and wherever it stands."""

import json
import logging

import structlog

from config.logs import FINAL_PROCESSORS, SHARED_PROCESSORS


def written(event: str, **extra: object) -> str:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED_PROCESSORS, processors=FINAL_PROCESSORS
    )
    record = logging.LogRecord("plaza", logging.INFO, __file__, 1, event, (), None)
    for name, value in extra.items():
        setattr(record, name, value)
    return formatter.format(record)


def test_an_e_mail_in_a_message_a_fact_or_an_exception_is_masked():
    line = written(
        "Sent to ada@engines.test",
        email="bob@engines.test",
        nested={"to": ["eve@engines.test"], "phone": "+5215512345678"},
        count=3,
    )
    told = json.loads(line)
    assert told["event"] == "Sent to a•••@engines.test"
    assert (told["email"], told["count"]) == ("b•••@engines.test", 3)
    assert told["nested"] == {"to": ["e•••@engines.test"], "phone": "•••78"}
