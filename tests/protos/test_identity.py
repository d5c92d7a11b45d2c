from pathlib import Path

import pytest

from vigie.identity import NOTHING, Identity, IdentityError, Proof, chosen_proof, identity_home, read_authorities, read_identity

HOME = {"VIGIE_IDENTITY_DIR": "/home/identity"}


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize("names", [("ca.pem", "cert.pem", "key.pem"), ("ca.crt", "tls.crt", "tls.key")])
def test_identity_is_read_under_either_names(tmp_path: Path, names: tuple[str, str, str]) -> None:
    ca, cert, key = names

    assert read_identity(write(tmp_path, *names)) == Identity(ca.encode(), cert.encode(), key.encode())
    assert read_authorities(tmp_path) == ca.encode()


def test_private_key_is_not_shown(tmp_path: Path) -> None:
    assert "key.pem" not in repr(read_identity(write(tmp_path, "ca.pem", "cert.pem", "key.pem")))


def test_folder_without_an_identity_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IdentityError) as raised:
        read_identity(tmp_path)

    assert str(raised.value) == (
        f"{tmp_path} holds no identity; run `vigie init`, or name a folder that holds one with VIGIE_IDENTITY"
    )


@pytest.mark.parametrize("missing", ["ca.crt", "tls.key"])
def test_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    write(tmp_path, "ca.crt", "tls.crt", "tls.key")
    (tmp_path / missing).unlink()

    with pytest.raises(IdentityError, match=f"{missing} cannot be read \\(No such file or directory\\); give it to"):
        read_identity(tmp_path)


@pytest.mark.parametrize(
    ("environment", "proof"),
    [
        ({}, Proof(Path("/home/identity/developer"))),
        ({"VIGIE_IDENTITY": ""}, Proof(Path("/home/identity/developer"))),
        ({"VIGIE_IDENTITY": "/ada"}, Proof(Path("/ada"))),
        ({"VIGIE_IDENTITY": "none"}, NOTHING),
        ({"VIGIE_TOKEN_FILE": "/token"}, Proof(None, Path("/token"))),
        ({"VIGIE_TOKEN_FILE": "/token", "VIGIE_IDENTITY": "/ada"}, Proof(Path("/ada"), Path("/token"))),
    ],
)
def test_environment_says_what_proves_who_calls(environment: dict[str, str], proof: Proof) -> None:
    assert chosen_proof(HOME | environment, "developer") == proof


def test_token_never_travels_in_the_clear() -> None:
    with pytest.raises(IdentityError, match="a token must not travel in the clear; unset it, or VIGIE_TOKEN_FILE"):
        chosen_proof({"VIGIE_IDENTITY": "none", "VIGIE_TOKEN_FILE": "/token"}, "developer")


def test_identities_lie_in_the_configuration_of_the_user() -> None:
    assert identity_home({}).parts[-2:] == ("vigie", "identity")
    assert identity_home(HOME) == Path("/home/identity")
