"""The demo's venue: one camera that plays the clip, and the act under which it is analysed."""

from datetime import datetime, timedelta
from pathlib import Path
from string import Template
from urllib.parse import quote

CLIP = Path(__file__).parent / "clip.mp4"
CLIP_LENGTH = timedelta(seconds=34.5)
ACT_LENGTH = timedelta(days=28)  # at most a month, of whatever length (loi 2023-380, article 10)

_VENUE = Template("""\
# Written by `vigie demo`. Change it and give it to the service with `vigie apply -f FILE`.
venue: demo
name: The demo's campus
time_zone: Europe/London
authorizations:
  - id: demo-$day
    reference: demo of $day
    controller: whoever runs this demo
    motive: to see Vigie at work on footage made for research
    start: $act_start
    end: $act_end
    cameras: all
    kinds: [ZONE_INTRUSION, CROWD_DENSITY]
cameras:
  - id: lawn
    name: Lawn and road
    stream: {url: "file:$clip", start_time: $start_time, pace: fastest}
    picture: {width: 768, height: 576}
    rate_hz: 5
    ground_plane:
      picture: [[200, 262], [520, 228], [760, 415], [380, 320]]
      metres: [[0, 0], [5.3, 5.7], [13.4, -3.0], [6.0, -1.7]]
    zones:
      grass: {polygon: [[0, 302], [170, 310], [300, 340], [430, 394], [560, 452], [690, 522], [690, 575], [0, 575]]}
      road: {polygon: [[200, 222], [520, 228], [720, 280], [760, 330], [760, 415], [560, 385], [380, 320], [200, 262]]}
    rules:
      - {kind: ZONE_INTRUSION, zone: grass, who: [person], dwell_s: 1, clear_s: 2}
      # Five people on these 83 m2 are no crowd: so low a threshold makes something happen.
      - {kind: CROWD_DENSITY, zone: road, threshold_per_m2: 0.055, sustain_s: 2, clear_s: 2}
""")


def venue_text(start_time: datetime, now: datetime) -> str:
    """The venue file for a recording that began at `start_time` and is played `now`.

    Its act begins on the day of the recording and lasts four weeks; later the next one is in force. An act never changes, so each
    has a name of its own.
    """
    first = start_time.replace(hour=0, minute=0, second=0, microsecond=0)
    number = (now - first) // ACT_LENGTH
    act_start = first + number * ACT_LENGTH
    return _VENUE.substitute(
        day=act_start.date(),
        act_start=act_start.isoformat(),
        act_end=(act_start + ACT_LENGTH).isoformat(),
        clip=quote(str(CLIP)),
        start_time=start_time.isoformat(),
    )


def recording_start(record: Path, now: datetime) -> datetime:
    """When the recording began, to the second: just long enough ago at the first run, and the same ever after.

    The same frames at the same times give the same signals, which the service records once.
    """
    try:
        known = datetime.fromisoformat(record.read_text().strip())
        if known.tzinfo is not None and known <= now - CLIP_LENGTH:
            return known
    except (FileNotFoundError, ValueError):
        pass
    start = (now - CLIP_LENGTH).replace(microsecond=0)
    record.write_text(f"{start.isoformat()}\n")
    return start
