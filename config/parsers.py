"""How bodies are read."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JSONBody(JSONParser):
    """JSON; what is nested too deeply for Python's parser is the client's fault, not ours.

    It is UTF-8, whatever the content type says of a charset (RFC 8259): the gate counts a batch's items before
    anybody knows of charsets, and must not see another body than the view does.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            found = super().parse(
                stream, media_type, {**(parser_context or {}), "encoding": "utf-8"}
            )
            # Half of a surrogate pair is no character: neither the database nor an answer can hold it.
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("The JSON holds half of a surrogate pair.") from error
        return found
