"""A proposed ground plane in words, for the venue file, and for programs."""

from math import degrees

from cluster.analysis.calibration import Calibration

_ADVICE = "A proposal for the camera in the venue file. Look at the grid before you use it; points that you measured are better."


def words(calibration: Calibration) -> str:
    """What was found, how sure it is, and what to paste into the venue file."""
    return "\n".join([*_sentences(calibration), "", _ADVICE, "", *_yaml(calibration)])


def _sentences(calibration: Calibration) -> list[str]:
    camera = calibration.camera
    (across_px, along_px), (across, along) = calibration.scale_px, calibration.errors
    x, y = calibration.place[0]
    hangs = f"hangs {camera.above_m:.1f} m above the ground, looks {degrees(camera.tilt):.0f}° down"
    sees = f"is turned by {degrees(camera.roll):.0f}° and sees {camera.field_of_view_deg:.0f}° from side to side"
    horizon = f"{camera.horizon(0):.0f} px down at the left edge, {camera.horizon(camera.width):.0f} px at the right"
    scale = f"{across_px:.0f} px ± {across:.0%} across the line of sight, {along_px:.0f} px ± {along:.0%} along it"
    return [
        f"{calibration.people} people were seen whole and clear of others, {calibration.sightings} times.",
        f"The camera {hangs}, {sees}.",
        f"The horizon is {horizon}, of a picture of {camera.width}x{camera.height}.",
        f"In the midst of the people, at ({x:.0f}, {y:.0f}), a metre is {scale}.",
    ]


def _yaml(calibration: Calibration) -> list[str]:
    picture = ", ".join(f"[{x:g}, {y:g}]" for x, y in calibration.picture_points)
    metres = ", ".join(f"[{x:g}, {y:g}]" for x, y in calibration.ground_points)
    return [
        f"    picture: {{width: {calibration.camera.width}, height: {calibration.camera.height}}}",
        "    ground_plane:",
        f"      picture: [{picture}]",
        f"      metres: [{metres}]",
    ]


def document(calibration: Calibration) -> dict[str, object]:
    """The same as an object of JSON; `picture` and `ground_plane` are those of the venue file."""
    camera = calibration.camera
    return {
        "picture": {"width": camera.width, "height": camera.height},
        "ground_plane": {"picture": calibration.picture_points, "metres": calibration.ground_points},
        "scale": {
            "at": [round(side, 1) for side in calibration.place[0].tolist()],
            "across_px_per_m": round(calibration.scale_px[0], 2),
            "across_error": round(calibration.errors[0], 3),
            "along_px_per_m": round(calibration.scale_px[1], 2),
            "along_error": round(calibration.errors[1], 3),
        },
        "horizon_px": [round(camera.horizon(0), 1), round(camera.horizon(camera.width), 1)],
        "camera": {
            "above_m": round(camera.above_m, 2),
            "tilt_deg": round(degrees(camera.tilt), 1),
            "roll_deg": round(degrees(camera.roll), 1),
            "field_of_view_deg": round(camera.field_of_view_deg, 1),
        },
        "people": calibration.people,
        "sightings": calibration.sightings,
    }
