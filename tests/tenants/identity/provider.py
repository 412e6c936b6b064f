"""A provider that lies: it serves whatever discovery, token and keys a test asks it for."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "theirs", "use": "sig", "alg": "RS256"})


class LyingProvider:
    """`lie(claims)` returns the id_token to give for the honest claims; `discovery` is patched by a test."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.nonce = ""
        self.discovery: dict[str, Any] = {}
        self.lie: Callable[[dict[str, Any]], Any] = self.signed

    def signed(self, claims: dict[str, Any]) -> str:
        head = {"alg": "RS256", "kid": "theirs"}
        return jwt.encode(head, claims, KEY, algorithms=["RS256"])

    def answer(self, path: str) -> dict[str, Any]:
        if path.startswith("/.well-known/"):
            return {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/jwks",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                **self.discovery,
            }
        if path.startswith("/jwks"):
            return {"keys": [KEY.as_dict(private=False)]}
        return self._token()

    def _token(self) -> dict[str, Any]:
        import time

        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": "plaza",
            "sub": "subject-of-ada",
            "email": "ada@example.test",
            "email_verified": True,
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 300,
        }
        token = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.lie(claims)}
        return {name: value for name, value in token.items() if value is not None}


@contextmanager
def running() -> Iterator[LyingProvider]:
    """The provider at a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(provider.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LyingProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
