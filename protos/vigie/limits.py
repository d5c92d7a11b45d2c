"""What is known to go wrong with each kind: shown to whoever judges an event."""

from collections.abc import Mapping

from vigie.vocabulary import Kind

KNOWN_LIMITS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ABANDONED_OBJECT: (
        "A thing that was there when the analysis began, or is put down while the lights change, is part of the scene.",
        "A thing that is hardly darker or lighter than the floor, or smaller than a tenth of a person, is not seen.",
        "In a dense crowd an owner cannot be told from those who pass by, and a thing is told of late or not at all.",
        "A person who lies there and whom the detector misses can be taken for a thing when a companion leaves.",
    ),
    Kind.WEAPON: (
        "No validated detector exists: this is as good as the one that was installed here.",
        "What is hidden under clothes is never seen, and what is small only near the camera.",
        "Telephones, tools, umbrellas and toys can look like weapons.",
    ),
    Kind.WRONG_WAY: (
        "What counts is how far one is behind where one came in: who turns back in the zone counts only past that place.",
        "Without a ground plane, distances are in heights of whoever moves, and rough towards the camera and away from it.",
        "Where several people meet closely they can be mistaken for one another: a signal may be missed, or come twice.",
        "Whoever was out of sight for more than 2 s is taken for someone new.",
    ),
    Kind.ZONE_INTRUSION: (
        "A person stands where the feet are: where they are hidden, so is the place.",
        "Who walks out over the lower edge of the picture has left, even if the upper body is still in sight.",
        "People of less than about 24 pixels are missed, and so are many bicycles and cars of that size.",
    ),
    Kind.PERSON_DOWN: (
        "Only who was seen upright shortly before counts: who lies from the beginning raises nothing.",
        "Who slumps slowly, in more than about a second, is taken for one who lies down.",
        "A fall straight away from the camera, behind others or furniture, or of less than about 40 pixels can be missed.",
        "Where the lying time is set to nothing, one who leaves over the picture's lower edge can look like one who fell.",
    ),
    Kind.CROWD_MOVEMENT: (
        "Sudden is what differs from the minutes before: a crowd that runs from the beginning is what is usual here.",
        "A few people who run for a train can look like the beginning of a panic.",
        "Who runs straight towards a low camera or away from it looks slow, and people of less than about 16 pixels are missed.",
        "Spotlights that sweep over a crowd, as at a concert, can look like people who run.",
    ),
    Kind.CROWD_DENSITY: (
        "People hidden behind others are estimated; where a crowd covers nearly all of the picture, too few of them.",
        "A crowd that has stood there since the analysis began is counted by those who are seen alone.",
        "Long shadows and reflections amid people can count as people.",
        "Densities are as true as the ground plane that was given for the camera.",
    ),
    Kind.FIRE: (
        "Smoke without flames, flames without colour, or smaller than about a fiftieth of the picture's width raise nothing.",
        "Flames that somebody carries, or that burn behind people who walk past, count only once they reach beyond these people.",
        "Rain or snow before a small warm lamp or bright cloth can look like flames, above all where the camera shakes.",
        "Nothing is known of the rate of false alarms over days: the footage measured is minutes long.",
    ),
}
