"""The few HTML pages that a person sees: escaped, without scripts, without foreign addresses."""

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; background: #f4f5f7; color: #1b1f27; margin: 0 }}
main {{ max-width: 34rem; margin: 3rem auto; background: #fff; padding: 2rem; border-radius: 8px }}
.note {{ background: #fff6d6; padding: .5rem .75rem; border-radius: 4px; font-size: .875rem }}
.wrong {{ background: #fde2e1; padding: .5rem .75rem; border-radius: 4px }}
table {{ width: 100%; border-collapse: collapse; margin: 1rem 0 }}
td, th {{ text-align: left; padding: .375rem 0; border-bottom: 1px solid #e3e5ea }}
label {{ display: block; margin: .75rem 0 }}
input[type=email], select {{ display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit }}
button {{ font: inherit; padding: .625rem 1.25rem; border: 0; border-radius: 4px; cursor: pointer;
  background: #2b4acb; color: #fff; margin: .5rem .5rem 0 0 }}
button.quiet {{ background: #e3e5ea; color: #1b1f27 }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
</head>
<body><main>
<p class="note">{note}</p>
<h1>{title}</h1>
{body}
</main></body>
</html>
"""


def page(title: str, body: str, *, note: str, status: int = 200) -> Response:
    """`body` is HTML already; title and note are not."""
    text = _SHELL.format(title=escape(title), note=escape(note), body=body)
    response = Response(text, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def form(
    action: str,
    *,
    button: str,
    inner: str = "",
    fields: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> str:
    """A form that posts to `action`; `inner` is HTML, `fields` are hidden."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in (fields or {}).items()
    )
    look = ' class="quiet"' if quiet else ""
    return (
        f'<form method="post" action="{escape(action)}">{hidden}{inner}'
        f"<button{look}>{escape(button)}</button></form>"
    )


def choice(name: str, label: str, options: Mapping[str, str]) -> str:
    inner = "".join(
        f'<option value="{escape(value)}">{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<label>{escape(label)}<select name="{escape(name)}">{inner}</select></label>'


def complaint(message: str) -> str:
    return f'<p class="wrong">{escape(message)}</p>' if message else ""


def see_other(url: str, **added: str) -> Response:
    """Send the browser on, with `added` in the query."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return redirect(urlunsplit(parts._replace(query=query)), code=303)


def money(amount: int, currency: str) -> str:
    """1234 usd -> 'USD 12.34'. Every currency that the stand-ins take has two decimals."""
    return f"{currency.upper()} {amount // 100}.{amount % 100:02d}"
