"""An OpenID Connect issuer on this machine: keys over HTTP, tokens on demand."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "vigie"
CONFIGURATION = "/.well-known/openid-configuration"


class FakeIssuer:
    """Signs with the newest of its keys; publishes those that are not withdrawn."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.requests: list[str] = []
        self.away = False
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.rotate("first")

    def rotate(self, key_id: str) -> None:
        """Makes a new key, and withdraws the others."""
        self._keys = {key_id: ec.generate_private_key(ec.SECP256R1())}

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """The key with which it signs."""
        return next(iter(self._keys.values()))

    @property
    def key_id(self) -> str:
        """The id of that key."""
        return next(iter(self._keys))

    def claims(self, *grants: str, **other: Any) -> dict[str, Any]:
        """What a token of Ada's says. A claim that is given as None is left out."""
        now = int(time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 3600, "vigie_roles": list(grants)}
        return {name: value for name, value in (usual | other).items() if value is not None}

    def token(self, *grants: str, **claims: Any) -> str:
        """A token of Ada's with grants such as `operator:arena`."""
        return jwt.encode(self.claims(*grants, **claims), self.key, "ES256", {"kid": self.key_id})

    def key_set(self) -> dict[str, Any]:
        """Its public keys (RFC 7517)."""
        algorithm = jwt.get_algorithm_by_name("ES256")
        found = ((key_id, algorithm.to_jwk(key.public_key(), as_dict=True)) for key_id, key in self._keys.items())
        return {"keys": [{**key, "kid": key_id, "use": "sig", "alg": "ES256"} for key_id, key in found]}

    def documents(self) -> dict[str, Any]:
        """What it answers, by path."""
        return {CONFIGURATION: {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}, "/keys": self.key_set()}

    @contextmanager
    def serving(self) -> Iterator["FakeIssuer"]:
        """Answers over HTTP."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests.append(self.path)
                document = None if issuer.away else issuer.documents().get(self.path)
                self.send_response(200 if document else 503)
                self.end_headers()
                if document:
                    self.wfile.write(json.dumps(document).encode())

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler
