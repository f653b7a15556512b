"""Image references, read as the docker engine reads them."""

import re

DOCKER_HUB = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:[A-Za-z0-9.-]+(?::\d+)?/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?"
)


def is_reference(image: str) -> bool:
    return len(image) <= 512 and _REFERENCE.fullmatch(image) is not None


def registry_of(image: str) -> str:
    """The host, with its port where one is named, that the image is pulled from."""
    host, slash, _ = image.partition("/")
    is_host = "." in host or ":" in host or host == "localhost" or host != host.lower()
    if not slash or not is_host or host.lower() == f"index.{DOCKER_HUB}":
        return DOCKER_HUB
    return host.lower()
