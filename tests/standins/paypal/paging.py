"""Lists by page and page_size."""

from tests.standins.paypal.errors import invalid
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.store import Json


def page_of(merchant: Merchant, call: Call, found: list[Json], *, name: str, path: str) -> Answer:
    """`{<name>: [...], links}`, with totals when `total_required` asks for them."""
    size, number = _number(call, "page_size", 10, 20), _number(call, "page", 1, 100_000)
    pages = max(-(-len(found) // size), 1)
    body: Json = {name: found[(number - 1) * size : number * size]}
    if call.query.get("total_required") == "true":
        body |= {"total_items": len(found), "total_pages": pages}
    links = [merchant.link(f"{path}?page_size={size}&page={number}", "self")]
    if number < pages:
        links.append(merchant.link(f"{path}?page_size={size}&page={number + 1}", "next"))
    return Answer(200, body | {"links": links})


def _number(call: Call, name: str, default: int, most: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(name)
    return int(text)
