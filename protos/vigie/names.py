"""Resource names: `venues/{venue}`, `venues/{venue}/cameras/{camera}` and so on.

An id is 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends, as in DNS labels (RFC 1123).
"""

import re

ID_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
ANY_VENUE = "venues/-"


class InvalidNameError(ValueError):
    """A resource name does not have the form that its place asks for."""

    def __init__(self, name: str, form: str) -> None:
        super().__init__(f"{name[:200]!r} is not a name of the form {form}; ids are 1 to 63 of a-z, 0-9 and '-'")
        self.name = name
        self.form = form


def is_id(text: str) -> bool:
    """Whether the text can be an id in a resource name."""
    return ID_PATTERN.fullmatch(text) is not None


def venue_name(venue: str) -> str:
    """The name of a venue by its id."""
    return f"venues/{venue}"


def camera_name(venue: str, camera: str) -> str:
    """The name of a camera by its venue's id and its own."""
    return f"venues/{venue}/cameras/{camera}"


def authorization_name(venue: str, authorization: str) -> str:
    """The name of an authorisation by its venue's id and its own."""
    return f"venues/{venue}/authorizations/{authorization}"


def event_name(venue: str, event: str) -> str:
    """The name of an event by its venue's id and its own."""
    return f"venues/{venue}/events/{event}"


def destination_name(venue: str, destination: str) -> str:
    """The name of a destination by its venue's id and its own."""
    return f"venues/{venue}/destinations/{destination}"


def health_event_name(venue: str, event: str) -> str:
    """The name of a health event by its venue's id and its own."""
    return f"venues/{venue}/healthEvents/{event}"


def parse_venue(name: str) -> str:
    """The id of a venue from its name. Raises InvalidNameError."""
    return _parse(name, "venues/{venue}")[0]


def parse_camera(name: str) -> tuple[str, str]:
    """The ids of the venue and the camera from the camera's name. Raises InvalidNameError."""
    venue, camera = _parse(name, "venues/{venue}/cameras/{camera}")
    return venue, camera


def parse_authorization(name: str) -> tuple[str, str]:
    """The ids of the venue and the authorisation from the authorisation's name. Raises InvalidNameError."""
    venue, authorization = _parse(name, "venues/{venue}/authorizations/{authorization}")
    return venue, authorization


def parse_destination(name: str) -> tuple[str, str]:
    """The ids of the venue and the destination from the destination's name. Raises InvalidNameError."""
    venue, destination = _parse(name, "venues/{venue}/destinations/{destination}")
    return venue, destination


def parse_event(name: str) -> tuple[str, str]:
    """The ids of the venue and the event from the event's name. Raises InvalidNameError."""
    venue, event = _parse(name, "venues/{venue}/events/{event}")
    return venue, event


def _parse(name: str, form: str) -> list[str]:
    parts, wanted = name.split("/"), form.split("/")
    ids = parts[1::2]
    if len(parts) != len(wanted) or parts[::2] != wanted[::2] or not all(map(is_id, ids)):
        raise InvalidNameError(name, form)
    return ids
