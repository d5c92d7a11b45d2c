"""A venue file's rule as the contract's message. What the file leaves out stays unset: the cluster has the defaults."""

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration

from tools.venue_file import rules
from vigie.v1 import venues_pb2, vocabulary_pb2
from vigie.vocabulary import ObjectClass


def rule(content: rules.Rule) -> venues_pb2.Rule:
    """What a camera watches for."""
    match content:
        case rules.AbandonedObject():
            return venues_pb2.Rule(abandoned_object=_abandoned_object(content))
        case rules.Weapon():
            return venues_pb2.Rule(weapon=_weapon(content))
        case rules.WrongWay():
            return venues_pb2.Rule(wrong_way=_wrong_way(content))
        case rules.ZoneIntrusion():
            return venues_pb2.Rule(zone_intrusion=_zone_intrusion(content))
        case rules.PersonDown():
            return venues_pb2.Rule(person_down=_person_down(content))
        case rules.CrowdMovement():
            return venues_pb2.Rule(crowd_movement=_crowd_movement(content))
        case rules.CrowdDensity():
            return venues_pb2.Rule(crowd_density=_crowd_density(content))
        case rules.Fire():
            return venues_pb2.Rule(fire=_fire(content))


def _abandoned_object(rule: rules.AbandonedObject) -> venues_pb2.AbandonedObjectRule:
    return venues_pb2.AbandonedObjectRule(
        zone=rule.zone,
        stationary=duration(rule.stationary_s),
        owner_distance_m=rule.owner_distance_m,
        owner_distance_heights=rule.owner_distance_heights,
    )


def _weapon(rule: rules.Weapon) -> venues_pb2.WeaponRule:
    return venues_pb2.WeaponRule(
        zone=rule.zone, confirmations=rule.confirmations or 0, frames=rule.frames or 0, clear=duration(rule.clear_s)
    )


def _wrong_way(rule: rules.WrongWay) -> venues_pb2.WrongWayRule:
    x, y = rule.allowed_direction
    return venues_pb2.WrongWayRule(
        zone=rule.zone,
        allowed_direction=venues_pb2.Direction(x=x, y=y),
        who=_classes(rule.who),
        min_distance_m=rule.min_distance_m,
        min_distance_heights=rule.min_distance_heights,
        min_duration=duration(rule.min_duration_s),
        clear=duration(rule.clear_s),
        schedule=map(_window, rule.schedule),
    )


def _zone_intrusion(rule: rules.ZoneIntrusion) -> venues_pb2.ZoneIntrusionRule:
    return venues_pb2.ZoneIntrusionRule(
        zone=rule.zone,
        who=_classes(rule.who),
        dwell=duration(rule.dwell_s),
        clear=duration(rule.clear_s),
        schedule=map(_window, rule.schedule),
    )


def _person_down(rule: rules.PersonDown) -> venues_pb2.PersonDownRule:
    return venues_pb2.PersonDownRule(zone=rule.zone, lying=duration(rule.lying_s))


def _crowd_movement(rule: rules.CrowdMovement) -> venues_pb2.CrowdMovementRule:
    return venues_pb2.CrowdMovementRule(
        zone=rule.zone, min_people=rule.min_people or 0, sustain=duration(rule.sustain_s), clear=duration(rule.clear_s)
    )


def _crowd_density(rule: rules.CrowdDensity) -> venues_pb2.CrowdDensityRule:
    thresholds = rule.thresholds or rules.DensityThresholds()
    moving, standing = map(_density, (thresholds.moving, thresholds.standing))
    if rule.threshold_per_m2 is not None:
        moving = standing = venues_pb2.DensityThresholds(warning_per_m2=rule.threshold_per_m2)
    return venues_pb2.CrowdDensityRule(
        zone=rule.zone,
        moving=moving,
        standing=standing,
        flow=_flow(rule.flow),
        sustain=duration(rule.sustain_s),
        clear=duration(rule.clear_s),
    )


def _fire(rule: rules.Fire) -> venues_pb2.FireRule:
    return venues_pb2.FireRule(zone=rule.zone, sustain=duration(rule.sustain_s), clear=duration(rule.clear_s))


def _density(values: rules.DensityValues | None) -> venues_pb2.DensityThresholds | None:
    if values is None:
        return None
    notice, warning, critical = values
    return venues_pb2.DensityThresholds(notice_per_m2=notice, warning_per_m2=warning, critical_per_m2=critical)


def _flow(values: rules.FlowValues | None) -> venues_pb2.FlowThresholds | None:
    if values is None:
        return None
    warning, critical = values
    return venues_pb2.FlowThresholds(warning_per_m_min=warning, critical_per_m_min=critical)


def _classes(who: Iterable[ObjectClass]) -> list[vocabulary_pb2.ObjectClass.ValueType]:
    return [vocabulary_pb2.ObjectClass.ValueType(each) for each in who]


def _window(window: rules.Window) -> venues_pb2.ScheduleWindow:
    return venues_pb2.ScheduleWindow(
        days=[venues_pb2.Weekday.ValueType(day.value) for day in window.days],
        start_minute=window.start,
        end_minute=window.end,
    )


def duration(seconds: float | None) -> Duration | None:
    """A length of time as a message, if there is one."""
    if seconds is None:
        return None
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message
