"""Whether a live site is a build, byte for byte."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

import httpx

from sitegen.differences.record import NAME, RecordUnreadable, read_record

_AT_ONCE = 8
_TIMEOUT = 30  # seconds
_NOT_SERVED = frozenset({"_redirects", "_headers", "404.html"})  # hosts read these, and answer otherwise


@dataclass(frozen=True)
class Difference:
    """A file of the build that the site does not have, or has in another form; or one that it has alone."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def verify_site(address: str, files: Mapping[str, str]) -> list[Difference]:
    """Fetch every file of a build (names with their SHA-256) from a site, and say what is not the same."""
    return asyncio.run(_verify(address.rstrip("/"), files))


async def _verify(address: str, files: Mapping[str, str]) -> list[Difference]:
    wanted = {name: digest for name, digest in files.items() if name not in _NOT_SERVED}
    turn = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=httpx.Limits(max_connections=_AT_ONCE)) as client:

        async def look(name: str, digest: str) -> Difference | None:
            async with turn:
                return await _look(client, address, name, digest)

        try:
            await client.get(address)
        except httpx.HTTPError as error:
            return [Difference(address, f"cannot be reached: {error or type(error).__name__}")]
        found = await asyncio.gather(*(look(name, digest) for name, digest in wanted.items()))
        alone = await _only_there(client, address, files)
    return [*(each for each in found if each is not None), *alone]


async def _look(client: httpx.AsyncClient, address: str, name: str, digest: str) -> Difference | None:
    try:
        answer = await client.get(f"{address}/{_address_of(name)}", headers={"Cache-Control": "no-cache"})
    except httpx.HTTPError as error:
        return Difference(name, f"cannot be fetched: {error or type(error).__name__}")
    if answer.status_code != 200:
        return Difference(name, f"is answered with status {answer.status_code}")
    if sha256(answer.content).hexdigest() != digest:
        return Difference(name, "has another content")
    return None


async def _only_there(client: httpx.AsyncClient, address: str, files: Mapping[str, str]) -> list[Difference]:
    """What the site's own record names, and the build does not have."""
    try:
        record = read_record((await client.get(f"{address}/{NAME}")).content)
    except (httpx.HTTPError, RecordUnreadable):
        return []
    return [Difference(name, "is on the site, and not in the build") for name in sorted(record.files.keys() - files)]


def _address_of(name: str) -> str:
    return quote(name.removesuffix("index.html") if name.endswith("/index.html") or name == "index.html" else name)
