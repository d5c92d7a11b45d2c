"""An authority of the tests' own, whose certificates are like those of `vigie init`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc

from tools.init.certificates import LIFE, Signed, Subject, caller, make_authority, service, sign
from tools.init.files import certificate_pem, key_pem, write
from vigie.identity import FILES, GRANT_PREFIX


class Authority:
    """Signs certificates and writes them where processes find them."""

    def __init__(self, name: str = "test authority") -> None:
        self._signed = make_authority(name, now=datetime.now(UTC) - timedelta(days=365))

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return certificate_pem(self._signed)

    def sign(self, subject: Subject, *, age: timedelta = timedelta(0), life: timedelta = LIFE) -> Signed:
        """A certificate that was signed some time ago."""
        return sign(self._signed, subject, now=datetime.now(UTC) - age, life=life)

    def person(self, name: str, *grants: str, age: timedelta = timedelta(0), life: timedelta = LIFE) -> Signed:
        """A certificate for somebody with grants such as `operator:arena`."""
        return self.sign(caller(name, [GRANT_PREFIX + grant for grant in grants]), age=age, life=life)

    def write_service(self, folder: Path, hosts: Iterable[str] = ("localhost", "127.0.0.1")) -> Signed:
        """Puts a new identity of a service into a folder."""
        signed = self.sign(service(hosts))
        for name, content in zip(FILES, (self.pem, certificate_pem(signed), key_pem(signed)), strict=True):
            write(folder / name, content)
        return signed

    def channel_credentials(self, signed: Signed | None = None) -> grpc.ChannelCredentials:
        """Credentials of a client that believes this authority, and shows a certificate if it has one."""
        if signed is None:
            return grpc.ssl_channel_credentials(self.pem)
        return grpc.ssl_channel_credentials(self.pem, key_pem(signed), certificate_pem(signed))
