import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ConfigurationError
from cluster.video.url import StreamUrl, redact, resolve

SECRETS = {"USER": "guard@gate", "PASSWORD": "p@ss/w:rd %41é", "TOKEN": "t0ken&x=1", "EMPTY": ""}


def test_secrets_are_filled_in_percent_encoded() -> None:
    url = resolve("rtsp://${USER}:${PASSWORD}@10.0.0.7:8554/stream?key=${TOKEN}", SECRETS.get)
    assert url.value == "rtsp://guard%40gate:p%40ss%2Fw%3Ard%20%2541%C3%A9@10.0.0.7:8554/stream?key=t0ken%26x%3D1"
    assert url.secrets == ("USER", "PASSWORD", "TOKEN")


def test_only_the_redacted_url_is_shown() -> None:
    url = resolve("https://${USER}:${PASSWORD}@host/${TOKEN}/live.m3u8?quality=high", SECRETS.get)
    assert url.redacted == "https://***@host/${TOKEN}/live.m3u8?quality=***"
    assert not any(secret in repr(url) + str(url) for secret in ("guard", "p%40ss", "t0ken"))


def test_text_about_a_url_is_hidden_with_its_secrets_in_the_path() -> None:
    url = resolve("https://host/${TOKEN}/live", SECRETS.get)
    assert url.hidden_in(f"cannot open '{url.value}' or http://a:b@c/d") == (
        "cannot open 'https://host/${TOKEN}/live' or http://***@c/d"
    )


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("rtsp://admin:${PASSWORD}@host/x", "in clear; write ${NAME}"),
        ("rtsp://admin@host/x", "in clear; write ${NAME}"),
        ("http://host/x?user=admin&pwd=hunter2", "in clear; write ${NAME}"),
        ("rtsp://${NOBODY}@host/x", "the secret NOBODY is not set; set VIGIE_SECRET_NOBODY"),
        ("rtsp://${EMPTY}@host/x", "the secret EMPTY is not set"),
        ("rtsp://$USER@host/x", "begins no secret; write ${NAME}"),
        ("rtsp://${US ER}@host/x", "begins no secret; write ${NAME}"),
        ("rtsp://admin:hun/ter2@host/x", "no valid host and port"),
        ("rtsp://host:99999/x", "no valid host and port"),
        ("rtsp:///x", "names no host; write rtsp://HOST/PATH"),
        ("ftp://host/x", "must begin with one of rtsp, rtsps, http, https, file"),
        ("clip.mp4", "must begin with one of"),
        ("", "must begin with one of"),
        ("file:", "names no file; write file:PATH"),
        ("file://host/clip.mp4", "names no file; write file:PATH"),
        ("file:folder?rate=5", "unknown parameter rate; the only one is rate_hz"),
        ("file:folder?rate_hz=0", "above 0"),
        ("file:folder?rate_hz=nan", "above 0"),
        ("file:folder?rate_hz=1e9", "above 0"),
        ("rtsp://host/x\r\nX: y", "control characters"),
        ("rtsp://host/" + "x" * 3000, "longer than 2048"),
    ],
)
def test_what_is_no_stream_url_is_refused_with_what_to_do(template: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(template, SECRETS.get)
    assert problem in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("hunter2", "hun/ter2", "admin"))


@pytest.mark.parametrize(
    ("template", "path", "rate_hz"),
    [
        ("file:clips/gate.mp4", "clips/gate.mp4", 25),
        ("file:/srv/gate%20one.mp4", "/srv/gate one.mp4", 25),
        ("file:///srv/gate", "/srv/gate", 25),
        ("file:pictures?rate_hz=2.5", "pictures", 2.5),
    ],
)
def test_file_url_gives_path_and_picture_rate(template: str, path: str, rate_hz: float) -> None:
    url = resolve(template, SECRETS.get)
    assert (str(url.path), url.picture_rate_hz) == (path, rate_hz)


@given(
    user=st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"], exclude_characters="'\"<>"), min_size=1),
    scheme=st.sampled_from(["rtsp", "http", "https"]),
)
def test_no_userinfo_survives_redaction(user: str, scheme: str) -> None:
    shown = redact(f"cannot open {scheme}://{user}§secret@host/path: refused")
    assert "§secret" not in shown
    assert "host/path: refused" in shown


def test_url_without_secrets_stays_readable() -> None:
    assert repr(resolve("file:gate.mp4", SECRETS.get)) == repr(StreamUrl("file:gate.mp4", "file:gate.mp4"))
