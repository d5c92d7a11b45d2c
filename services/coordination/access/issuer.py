"""Reads the keys of an OpenID Connect issuer, from its own configuration on (OpenID Connect Discovery 1.0)."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import jwt

from services.coordination.access.keys import ALGORITHMS, Keys, KeysError
from services.coordination.config import Issuer, checked_url
from services.coordination.errors import ConfigurationError

_TIMEOUT_S = 5.0
_MAX_BYTES = 1024 * 1024


async def read_keys(issuer: Issuer) -> Keys:
    """The keys of an issuer by their ids. Raises KeysError."""
    url = issuer.keys_url or await _discovered(issuer.url)
    return parse_keys(await asyncio.to_thread(_file_content, url) if url.startswith("file:") else await _fetched(url))


def parse_keys(content: bytes) -> Keys:
    """The keys of a JSON Web Key Set that verify signatures, by id; others are left out. Raises KeysError."""
    entries = _object(content).get("keys")
    if not isinstance(entries, list):
        raise KeysError("what was read is no JSON Web Key Set")
    keys = [key for entry in entries if (key := _key(entry)) is not None]
    usable = {key.key_id: key for key in keys if key.key_id and key.algorithm_name in ALGORITHMS}
    if not usable:
        raise KeysError("what was read holds no key with an id that verifies signatures")
    return usable


def _key(entry: object) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        return jwt.PyJWK(entry)
    except jwt.PyJWTError:
        return None


async def _discovered(issuer_url: str) -> str:
    configuration = _object(await _fetched(f"{issuer_url.rstrip('/')}/.well-known/openid-configuration"))
    if configuration.get("issuer") != issuer_url:
        raise KeysError(f"what answers there calls itself {str(configuration.get('issuer'))[:200]!r}, not {issuer_url!r}")
    try:
        return checked_url("jwks_uri", str(configuration.get("jwks_uri")))
    except ConfigurationError as error:
        raise KeysError(error.message) from error


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise KeysError(f"what was read is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise KeysError("what was read is no JSON object")
    return found


async def _fetched(url: str) -> bytes:
    content = bytearray()
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            httpx.AsyncClient(timeout=_TIMEOUT_S) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > _MAX_BYTES:
                    raise KeysError(f"{url} is larger than {_MAX_BYTES} bytes")
    except (httpx.HTTPError, TimeoutError) as error:
        raise KeysError(f"{url} cannot be read ({type(error).__name__}: {error})") from error
    return bytes(content)


def _file_content(url: str) -> bytes:
    try:
        return Path(unquote(urlsplit(url).path)).read_bytes()
    except OSError as error:
        raise KeysError(f"{url} cannot be read ({error.strerror})") from error
