"""A stand-in of AWS KMS: Encrypt and Decrypt as its API says them, signed requests alone, keys in memory."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_bytes
from threading import Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenants.vault.aws_signature import Signer


class KmsStandin(ThreadingHTTPServer):
    """`keys` by id; a deleted one opens nothing. `asked` are the acts, in order."""

    def __init__(self, signer: Signer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.signer = signer
        self.keys: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def create_key(self, key_id: str) -> None:
        self.keys[key_id] = token_bytes(32)

    def answer(self, act: str, wish: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        key = self.keys.get(wish["KeyId"])
        if key is None:
            return 400, {"__type": "NotFoundException", "message": f"Key {wish['KeyId']}"}
        told = json.dumps(wish.get("EncryptionContext", {}), sort_keys=True).encode()
        if act == "Encrypt":
            nonce = token_bytes(12)
            blob = nonce + AESGCM(key).encrypt(nonce, b64decode(wish["Plaintext"]), told)
            return 200, {"CiphertextBlob": b64encode(blob).decode(), "KeyId": wish["KeyId"]}
        blob = b64decode(wish["CiphertextBlob"])
        try:
            plain = AESGCM(key).decrypt(blob[:12], blob[12:], told)
        except InvalidTag:
            return 400, {"__type": "InvalidCiphertextException"}
        return 200, {"Plaintext": b64encode(plain).decode(), "KeyId": wish["KeyId"]}


class _Handler(BaseHTTPRequestHandler):
    server: KmsStandin

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        act = self.headers["X-Amz-Target"].removeprefix("TrentService.")
        self.server.asked.append(act)
        if self._is_signed(body):
            status, said = self.server.answer(act, json.loads(body))
        else:
            status, said = 400, {"__type": "IncompleteSignatureException"}
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _is_signed(self, body: bytes) -> bool:
        moment = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        told = {name: self.headers[name] for name in ("Content-Type", "X-Amz-Target")}
        wanted = self.server.signer.signed("POST", self.server.url, told, body, now=moment)
        return bool(wanted["Authorization"] == self.headers["Authorization"])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Silent: a test's output is its own."""


@contextmanager
def kms(signer: Signer) -> Iterator[KmsStandin]:
    """Runs until the context is left."""
    server = KmsStandin(signer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
