"""How pictures rest: encrypted and authenticated with AES-256-GCM (NIST SP 800-38D), under keys that can be changed.

A sealed picture is `VIGIE`, the format's number 1, eight bytes that tell its key, a nonce of twelve random bytes, then what
AES-GCM makes of the JPEG. All before the nonce and the picture's SHA-256 are authenticated with it: under another hash, or with
another key, it does not open. A JPEG of a version that did not encrypt yet is recognised by its first bytes and still read.

Personal data are to be kept secure and confidential: règlement (UE) 2016/679, articles 5(1)(f) and 32(1)(a).
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.coordination.errors import ConfigurationError, EvidenceDamagedError

KEY_BYTES = 32
_MAGIC = b"VIGIE\x01"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEADER_BYTES = len(_MAGIC) + _KEY_ID_BYTES


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys of 32 bytes: the first encrypts, each decrypts. Raises ConfigurationError for none or another length."""

    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuses what are no keys."""
        if not self.keys or any(len(key) != KEY_BYTES for key in self.keys):
            raise ConfigurationError(f"evidence key: expected one or more keys of {KEY_BYTES} bytes; make one with `vigie init`")

    def seal(self, sha256: str, jpeg: bytes) -> bytes:
        """A picture as it rests. A key may seal some 2^32 pictures before two of them are likely to share a nonce."""
        key, nonce = self.keys[0], os.urandom(_NONCE_BYTES)
        header = _MAGIC + _key_id(key)
        return header + nonce + AESGCM(key).encrypt(nonce, jpeg, header + bytes.fromhex(sha256))

    def open(self, sha256: str, stored: bytes) -> bytes:
        """The picture with this hash from what rests under it. Raises EvidenceDamagedError, ConfigurationError."""
        jpeg = self._decrypted(sha256, stored) if stored.startswith(_MAGIC) else stored
        if hashlib.sha256(jpeg).hexdigest() != sha256:
            raise _damaged(sha256)
        return jpeg

    def _decrypted(self, sha256: str, sealed: bytes) -> bytes:
        header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        key_id = header[len(_MAGIC) :]
        key = next((key for key in self.keys if _key_id(key) == key_id), None)
        if key is None:
            raise ConfigurationError(
                f"evidence {sha256} is encrypted with key {key_id.hex()}, which this service does not have; "
                "add that key as a further line of the file in VIGIE_EVIDENCE_KEY_FILE"
            )
        try:
            return AESGCM(key).decrypt(nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + bytes.fromhex(sha256))
        except (InvalidTag, ValueError) as error:
            raise _damaged(sha256) from error


def read_keys(text: str, where: str) -> Keyring:
    """The keys in a text, one a line, as 64 hexadecimal digits or as base64; `#` begins a remark. Raises ConfigurationError."""
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        if written := line.partition("#")[0].strip():
            keys.append(_key(written, f"{where}, line {number}"))
    if not keys:
        raise ConfigurationError(f"{where}: holds no key; make one with `vigie init`, or with `openssl rand -hex {KEY_BYTES}`")
    return Keyring(tuple(keys))


def _key(written: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(written) if len(written) == 2 * KEY_BYTES else base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        # What stands there is not repeated: it may be a key all the same.
        problem = f"is no key of {KEY_BYTES} bytes in hexadecimal digits or base64"
        raise ConfigurationError(f"{where}: {problem}; make one with `vigie init`, or with `openssl rand -hex {KEY_BYTES}`")
    return key


def _key_id(key: bytes) -> bytes:
    """Tells keys apart and gives nothing of them away."""
    return hashlib.sha256(b"vigie evidence key" + key).digest()[:_KEY_ID_BYTES]


def _damaged(sha256: str) -> EvidenceDamagedError:
    return EvidenceDamagedError(
        f"evidence {sha256} is not what was recorded: it was changed, cut or exchanged where it is kept; look for it in a backup"
    )
