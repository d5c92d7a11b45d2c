"""Whether the record is what the cameras showed, though everything went wrong. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from services.coordination.domain.admission import RejectionReason
from tools.chaos.cluster.drill import Recovery
from tools.chaos.cluster.record import Entry, Record
from tools.chaos.cluster.venues import Venues
from tools.chaos.findings import Finding, first

# From the moment at which somebody comes into the picture to the one at which the signal opens, at most: dwell, sampling, delay.
_OPENS_WITHIN_S = 2.5
# A camera that is taken over is seen again a while after it was given to its new owner.
_TAKES_OVER_S = 8.0
# The service learns of a new owner by its first report, and the former one by what the service answers.
_HEARD_WITHIN_S = 5.0
_OLDER = f"{RejectionReason.OLD_INCARNATION.name}: "


def judge(
    venues: Venues, span_s: tuple[float, float], recoveries: Sequence[Recovery], entries: Sequence[Entry], record: Record
) -> Iterator[Finding]:
    """What must hold of a run.

    Args:
        venues: where it took place.
        span_s: from when until when every camera should have been analysed.
        recoveries: what went wrong meanwhile.
        entries: all that was raised.
        record: all that was recorded.
    """
    yield from consistent(entries, record)
    yield _seen(venues, span_s, recoveries, record)
    yield _no_ghosts(venues, span_s, recoveries, record)
    yield _recovered(recoveries)


def consistent(entries: Sequence[Entry], record: Record) -> Iterator[Finding]:
    """What must hold whatever the cameras showed."""
    yield _recorded_once(entries, record)
    yield _one_voice(record)


def _recorded_once(entries: Sequence[Entry], record: Record) -> Finding:
    """A primary key keeps the record from having a revision twice; that nobody raised one twice is to be seen."""
    raised = Counter(entry.revision for entry in entries)
    refused = {entry.revision for entry in entries if entry.outcome == "rejected" and entry.detail.startswith(_OLDER)}
    held = {revision.revision for revision in record.revisions}
    found = {
        "are lost": len(raised.keys() - held - refused),
        "were recorded though nobody raised them": len(held - raised.keys()),
        "were raised twice": sum(count > 1 for count in raised.values()),
        "still wait": sum(entry.outcome == "pending" for entry in entries),
    }
    problems = [f"{count} {what}" for what, count in found.items() if count]
    problems += [f"refused: {entry.detail}" for entry in entries if entry.outcome == "rejected" and entry.revision not in refused]
    figure = f"{len(raised)} revisions, {len(refused)} of them refused, since their camera had a newer owner"
    return Finding("every revision that was raised is recorded once", first(problems), figure)


def _one_voice(record: Record) -> Finding:
    problems, late = [], 0
    for revision in record.revisions:
        owners = record.incarnations.get(revision.camera, ())
        later = owners[bisect_right(owners, revision.incarnation) :]
        over_s = revision.raised_s - later[0] / 1000 if later else 0.0
        late += over_s > 0
        if over_s > _HEARD_WITHIN_S:
            problems.append(f"{revision.camera}: {revision.incarnation} spoke {over_s:.1f} s after {later[0]} had begun")
    figure = f"{sum(map(len, record.incarnations.values()))} owners, {late} revisions before the next one was heard of"
    return Finding("no owner spoke for a camera once the next one was known", first(problems), figure)


def _seen(venues: Venues, span_s: tuple[float, float], recoveries: Sequence[Recovery], record: Record) -> Finding:
    opened = _opened(record)
    problems, seen, excused = [], 0, 0
    for camera, number in venues.names().items():
        for visit in venues.scene.visits(venues.offset_s(number), *span_s):
            if any(visit[0] <= moment <= visit[1] + _OPENS_WITHIN_S for moment in opened.get(camera, ())):
                seen += 1
            elif _is_excused(visit, record.incarnations.get(camera, ()), recoveries):
                excused += 1
            else:
                problems.append(f"{camera}: who came {visit[0] - span_s[0]:.1f} s after the beginning was not seen")
    figure = f"{seen} visits seen, {excused} missed while a fault kept their camera from being analysed"
    return Finding("everybody was seen whom no fault hid", first(problems), figure)


def _no_ghosts(venues: Venues, span_s: tuple[float, float], recoveries: Sequence[Recovery], record: Record) -> Finding:
    """Where a fault holds pictures up they come late, and so does who is seen in them."""
    problems, count = [], 0
    for camera, number in venues.names().items():
        for moment in _opened(record).get(camera, ()):
            count += 1
            around = (moment - venues.scene.length_s, moment + venues.scene.length_s)
            visits = venues.scene.visits(venues.offset_s(number), *around)
            expected = any(began_s <= moment <= ended_s + _OPENS_WITHIN_S for began_s, ended_s in visits)
            if not expected and span_s[0] <= moment <= span_s[1] and not _is_excused((moment, moment), (), recoveries):
                problems.append(
                    f"{camera}: somebody was seen {moment - span_s[0]:.1f} s after the beginning, when nobody was there"
                )
    return Finding("nobody was seen who was not there", first(problems), f"{count} signals")


def _recovered(recoveries: Sequence[Recovery]) -> Finding:
    problems = [f"{each.fault.name}" for each in recoveries if each.cameras_s is None or each.control_s is None]
    return Finding(
        "every camera came back after every fault, and the supervisor too", first(problems), f"{len(recoveries)} faults"
    )


def _opened(record: Record) -> Mapping[str, Sequence[float]]:
    """When the signals of each camera opened."""
    opened: dict[str, list[float]] = {}
    for revision in record.revisions:
        if revision.revision[1] == 1:
            opened.setdefault(revision.camera, []).append(revision.opened_s)
    return opened


def _is_excused(visit: tuple[float, float], owners: Sequence[int], recoveries: Sequence[Recovery]) -> bool:
    """Whether pictures could not be analysed during a visit: a fault kept them away, or their camera changed hands."""
    came_s, went_s = visit
    blind = any(
        each.fault.blinds and came_s <= each.ended_s + _OPENS_WITHIN_S and each.began_s <= went_s + _OPENS_WITHIN_S
        for each in recoveries
    )
    return blind or any(_changed_hands(visit, owner / 1000, recoveries) for owner in owners[1:])


def _changed_hands(visit: tuple[float, float], given_s: float, recoveries: Sequence[Recovery]) -> bool:
    """Whether a new owner got the camera about then: its former one was lost when the fault struck, or just before."""
    struck_s = [each.began_s for each in recoveries if each.began_s <= given_s <= each.ended_s]
    lost_s = min([*struck_s, given_s - 1.0])
    return lost_s <= visit[1] and visit[0] <= given_s + _TAKES_OVER_S
