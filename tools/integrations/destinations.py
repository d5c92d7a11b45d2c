"""`vigie integrations list`, `create` and `delete`."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, kind_text, state_text
from tools.errors import CommandError, ExitCode
from tools.events.filters import EVERY_VENUE, STATES, Kinds, States, Venue
from vigie.names import InvalidNameError, destination_name, parse_destination
from vigie.v1 import events_pb2, integration_service_pb2, integration_service_pb2_grpc, vocabulary_pb2

FORMATS = {
    "cloudevents": integration_service_pb2.FORMAT_CLOUD_EVENTS,
    "cap": integration_service_pb2.FORMAT_CAP,
}


def destination(text: str) -> str:
    """The name of a destination from its name or from `venue/id`."""
    venue, _, destination_id = text.partition("/")
    name = text if text.startswith("venues/") else destination_name(venue, destination_id)
    try:
        parse_destination(name)
    except InvalidNameError as error:
        raise typer.BadParameter(f"{text!r} is no destination; write VENUE/ID, such as arena/control-room") from error
    return name


def _format(text: str) -> str:
    if text not in FORMATS:
        raise typer.BadParameter(f"{text!r} is no format; formats are {', '.join(FORMATS)}")
    return text


Name = Annotated[str, typer.Argument(parser=destination, metavar="VENUE/ID", help="The destination.")]


def list_destinations(venue: Venue = EVERY_VENUE, coordination: Address = DEFAULT_ADDRESS, as_json: AsJson = False) -> None:
    """Lists where judged events go.

    Example: vigie integrations list --venue arena
    """
    request = integration_service_pb2.ListDestinationsRequest(parent=venue, page_size=1000)
    table = Table("destination", "goes to", "format", "in states", "kinds", "set up by", box=box.SIMPLE)
    with connected(coordination) as channel:
        stub = integration_service_pb2_grpc.IntegrationServiceStub(channel)
        while True:
            page = stub.ListDestinations(request, timeout=DEADLINE_S)
            for found in page.destinations:
                if as_json:
                    print(json_line(found))
                else:
                    table.add_row(*_row(found))
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
    if not as_json and table.rows:
        console().print(table)
    elif not as_json:
        print("No destinations.")


def create(
    name: Name,
    webhook: Annotated[str, typer.Option(metavar="URL", help="POST to this https address.")] = "",
    secret: Annotated[str, typer.Option(metavar="NAME", help="Secret that signs: the service's VIGIE_SECRET_{NAME}.")] = "",
    mqtt: Annotated[str, typer.Option(metavar="URL", help="Publish to this broker, mqtts://HOST:PORT.")] = "",
    topic: Annotated[str, typer.Option(help="MQTT topic.")] = "",
    user_secret: Annotated[str, typer.Option(metavar="NAME", help="Secret that holds the broker's user name.")] = "",
    password_secret: Annotated[str, typer.Option(metavar="NAME", help="Secret that holds the broker's password.")] = "",
    written: Annotated[
        str, typer.Option("--format", parser=_format, metavar="FORMAT", help="cloudevents or cap.")
    ] = "cloudevents",
    state: States = [],  # noqa: B006 - typer copies it
    kind: Kinds = [],  # noqa: B006
    drills: Annotated[bool, typer.Option("--drills", help="Send exercises too, marked as such.")] = False,
    display_name: Annotated[str, typer.Option("--display-name", help="Its name for people.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong.")] = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Sets up where a venue's events go once people have confirmed or escalated them: kind, place, time and state, nothing else.

    Example: vigie integrations create arena/control-room --webhook https://control.example/vigie --secret CONTROL
    """
    if bool(webhook) == bool(mqtt):
        raise CommandError("name either --webhook URL or --mqtt URL", ExitCode.USAGE)
    wanted = integration_service_pb2.Destination(
        name=name,
        display_name=display_name,
        webhook=integration_service_pb2.Webhook(url=webhook, secret=secret) if webhook else None,
        mqtt=_mqtt(mqtt, topic, user_secret, password_secret) if mqtt else None,
        format=FORMATS[written],
        states=[events_pb2.EventState.ValueType(STATES.index(one) + 1) for one in state],
        kinds=[vocabulary_pb2.Kind.ValueType(one) for one in kind],
        drills=drills,
    )
    request = integration_service_pb2.CreateDestinationRequest(destination=wanted, validate_only=dry_run)
    with connected(coordination) as channel:
        stub = integration_service_pb2_grpc.IntegrationServiceStub(channel)
        made = stub.CreateDestination(request, timeout=DEADLINE_S).destination
    print(json_line(made) if as_json else f"{made.name}: {'can be set up' if dry_run else 'set up'}")


def delete(name: Name, coordination: Address = DEFAULT_ADDRESS) -> None:
    """Takes a destination away, with what waits for it.

    Example: vigie integrations delete arena/control-room
    """
    with connected(coordination) as channel:
        stub = integration_service_pb2_grpc.IntegrationServiceStub(channel)
        stub.DeleteDestination(integration_service_pb2.DeleteDestinationRequest(name=name), timeout=DEADLINE_S)
    print(f"{name}: deleted")


def _mqtt(url: str, topic: str, user_secret: str, password_secret: str) -> integration_service_pb2.MqttTopic:
    return integration_service_pb2.MqttTopic(url=url, topic=topic, user_secret=user_secret, password_secret=password_secret)


def _row(found: integration_service_pb2.Destination) -> tuple[str, ...]:
    to = found.webhook.url if found.HasField("webhook") else f"{found.mqtt.url}/{found.mqtt.topic}"
    return (
        "/".join(parse_destination(found.name)),
        to,
        "cap" if found.format == integration_service_pb2.FORMAT_CAP else "cloudevents",
        " ".join(map(state_text, found.states)) or "confirmed escalated",
        " ".join(map(kind_text, found.kinds)) or "all",
        found.author,
    )
