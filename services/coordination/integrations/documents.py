"""Bulletins as documents that other systems read."""

import json
from datetime import datetime
from types import MappingProxyType
from xml.etree import ElementTree as ET

from services.coordination.domain.bulletins import Bulletin, Format
from services.coordination.domain.lifecycle import EventState
from vigie.vocabulary import Kind

CONTENT_TYPES = MappingProxyType(
    {Format.CLOUD_EVENTS: "application/cloudevents+json; charset=utf-8", Format.CAP: "application/cap+xml; charset=utf-8"}
)
_CAP = "urn:oasis:names:tc:emergency:cap:1.2"
# Of CAP's closed list, what comes nearest to each kind.
_CATEGORIES = {
    Kind.ABANDONED_OBJECT: "Security",
    Kind.WEAPON: "Security",
    Kind.WRONG_WAY: "Safety",
    Kind.ZONE_INTRUSION: "Security",
    Kind.PERSON_DOWN: "Rescue",
    Kind.CROWD_MOVEMENT: "Safety",
    Kind.CROWD_DENSITY: "Safety",
    Kind.FIRE: "Fire",
}


def document(bulletin: Bulletin, wanted: Format) -> bytes:
    """A bulletin in a format, UTF-8."""
    return _cap(bulletin) if wanted is Format.CAP else _cloud_event(bulletin)


def words(kind: Kind) -> str:
    """A kind as people write it, such as `Zone intrusion`."""
    return kind.name.replace("_", " ").capitalize()


def _cloud_event(bulletin: Bulletin) -> bytes:
    """CloudEvents 1.0 in its JSON form."""
    data = {
        "kind": bulletin.kind.name,
        "state": bulletin.state.name,
        "venue": bulletin.venue,
        "place": bulletin.place,
        "cameras": list(bulletin.cameras),
        "zones": list(bulletin.zones),
        "openTime": _utc(bulletin.open_time),
        "closeTime": _utc(bulletin.close_time) if bulletin.close_time else None,
        "drill": bulletin.drill,
    }
    event = {
        "specversion": "1.0",
        "id": str(bulletin.bulletin_id),
        "source": f"/venues/{bulletin.venue}",
        "type": f"vigie.event.{bulletin.state.name.lower()}",
        "subject": bulletin.event,
        "time": _utc(bulletin.time),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _cap(bulletin: Bulletin) -> bytes:
    """Common Alerting Protocol 1.2 (OASIS, July 2010). What the service does not know, such as the severity, it does not say."""
    ET.register_namespace("", _CAP)
    alert = ET.Element(f"{{{_CAP}}}alert")
    _add(
        alert,
        identifier=str(bulletin.bulletin_id),
        sender=_sender(bulletin),
        sent=_local(bulletin.time, bulletin),
        status="Exercise" if bulletin.drill else "Actual",
        msgType=_message_type(bulletin),
        scope="Restricted",
        restriction="For those who act on events of the venue",
    )
    if bulletin.earlier:
        told = (f"{_sender(bulletin)},{one.bulletin_id},{_local(one.time, bulletin)}" for one in bulletin.earlier)
        _add(alert, references=" ".join(told))
    _add(alert, incidents=bulletin.event.rpartition("/")[2])
    info = ET.SubElement(alert, f"{{{_CAP}}}info")
    _add(
        info,
        language="en",
        category=_CATEGORIES[bulletin.kind],
        event=words(bulletin.kind),
        urgency="Past" if bulletin.state is EventState.CLOSED else "Unknown",
        severity="Unknown",
        certainty="Unlikely" if bulletin.state is EventState.DISMISSED else "Observed",
        onset=_local(bulletin.open_time, bulletin),
        headline=f"{words(bulletin.kind)} at {bulletin.place}: {bulletin.state.name.lower()}",
    )
    area = ET.SubElement(info, f"{{{_CAP}}}area")
    _add(area, areaDesc=", ".join((bulletin.place, *bulletin.cameras, *(f"zone {zone}" for zone in bulletin.zones))))
    written: bytes = ET.tostring(alert, encoding="utf-8", xml_declaration=True)
    return written


def _add(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, f"{{{_CAP}}}{name}").text = text


def _sender(bulletin: Bulletin) -> str:
    return f"vigie.{bulletin.venue}"


def _message_type(bulletin: Bulletin) -> str:
    if not bulletin.earlier:
        return "Alert"
    return "Cancel" if bulletin.state is EventState.DISMISSED else "Update"


def _utc(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _local(time: datetime, bulletin: Bulletin) -> str:
    """With the venue's offset: CAP has whole seconds, and -00:00 rather than Z."""
    text = time.astimezone(bulletin.time_zone).isoformat(timespec="seconds")
    return text.replace("+00:00", "-00:00")
