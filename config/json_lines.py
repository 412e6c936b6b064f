"""The web server's own lines as JSON. Without structlog and Django: its main process has neither."""

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """One object for each record, with the names that config/logs.py gives to the application's."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)
