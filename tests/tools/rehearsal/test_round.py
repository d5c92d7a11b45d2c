from pathlib import Path

import av
import pytest

from tools.rehearsal.round import Round, write_round

SCENE = Round(rate_hz=10)
NOW_S = 1_700_000_000.0


@pytest.mark.parametrize("offset_s", [0.0, 7.25, 19.9])
def test_somebody_is_in_the_picture_exactly_during_visits(offset_s: float) -> None:
    visits = list(SCENE.visits(offset_s, NOW_S, NOW_S + 60))
    for step in range(100, 400, 3):
        moment_s = NOW_S + step / 10 + 0.01
        shown = SCENE.picture(int((moment_s + offset_s) * SCENE.rate_hz) % SCENE.pictures)
        nearest_s = min(abs(moment_s - edge_s) for visit in visits for edge_s in visit)
        if nearest_s > 1 / SCENE.rate_hz:
            assert (shown.max() > 200) == any(came_s <= moment_s < went_s for came_s, went_s in visits)


def test_visits_lie_within_the_span() -> None:
    visits = list(SCENE.visits(3.0, NOW_S, NOW_S + 60))
    assert len(visits) in (2, 3)
    assert all(came_s >= NOW_S and went_s <= NOW_S + 60 for came_s, went_s in visits)


def test_written_round_has_a_key_frame_a_second_and_every_picture(tmp_path: Path) -> None:
    content = write_round(tmp_path / "round.h264", SCENE).read_bytes()
    decoder = av.CodecContext.create("h264", "r")
    pictures, place, keys = 0, 0, 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        packet = av.Packet(content[place + 4 : place + 4 + size])
        keys += content[place + 4 : place + 4 + size][4] & 0x1F == 7  # parameters come before a key frame
        pictures += len(decoder.decode(packet))
        place += 4 + size
    pictures += len(decoder.decode(None))
    assert (pictures, keys) == (SCENE.pictures, SCENE.length_s)
