"""How long a text may be on each channel, in characters."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.content.models import Channel, Kind


@dataclass(frozen=True, slots=True)
class Limits:
    """`title` 0 means that the channel has none."""

    title: int
    body: int


LIMITS: Mapping[Channel, Limits] = {
    Channel.EMAIL: Limits(title=78, body=10_000),  # RFC 5322 2.1.1: a line of 78 characters
    Channel.SMS: Limits(title=0, body=160),  # one GSM 03.38 segment
    Channel.SOCIAL: Limits(title=0, body=280),  # the shortest of the large networks
    Channel.SEARCH: Limits(title=30, body=90),  # responsive search ads: headline, description
    Channel.DISPLAY: Limits(title=30, body=90),  # responsive display ads: the same
    Channel.VIDEO: Limits(title=100, body=5_000),  # title and description of a hosted video
    Channel.WEB: Limits(title=60, body=20_000),  # a title that search results show whole
}
# Where a type is meant for, when the client names no channel.
USUAL_CHANNEL: Mapping[Kind, Channel] = {
    Kind.TEXT: Channel.WEB,
    Kind.EMAIL: Channel.EMAIL,
    Kind.SOCIAL: Channel.SOCIAL,
    Kind.LANDING_PAGE: Channel.WEB,
}
