"""Whether links to other sites still lead somewhere. Asked on demand; what was good is not asked again for a week."""

import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path

import httpx

from sitegen.catalog.faults import Fault
from sitegen.catalog.library import External

_AT_ONCE, _SECONDS, _GOOD_FOR = 8, 10.0, 7 * 24 * 3600
_GONE = {404, 410}
_HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; coursewright check --links)"}


def broken_links(links: Iterable[External], remembered: Path) -> list[Fault]:
    """A fault for each link that leads nowhere. An answer such as “forbidden” is none: many sites refuse programs."""
    good = _recall(remembered)
    now = time.time()
    places: dict[str, list[External]] = {}
    for link in links:
        places.setdefault(link.address.partition("#")[0], []).append(link)
    asked = [address for address in places if now - good.get(address, 0.0) > _GOOD_FOR]
    faults = []
    for address, problem in zip(asked, asyncio.run(_ask(asked)), strict=True):
        if problem is None:
            good[address] = now
            continue
        good.pop(address, None)
        for link in places[address]:
            told = f"“{link.address}” leads nowhere: {problem}."
            faults.append(
                Fault(link.file, link.line, link.column, told, "Correct the address, or link to another page.")
            )
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(json.dumps(good), encoding="utf-8")
    return sorted(faults)


async def _ask(addresses: list[str]) -> list[str | None]:
    """What is wrong with each; None where nothing is."""
    turns = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient(follow_redirects=True, timeout=_SECONDS, headers=_HEADERS) as client:
        return await asyncio.gather(*(_problem(client, turns, address) for address in addresses))


async def _problem(client: httpx.AsyncClient, turns: asyncio.Semaphore, address: str) -> str | None:
    async with turns:
        try:
            async with client.stream("GET", address) as answer:
                return f"the answer is {answer.status_code}" if answer.status_code in _GONE else None
        except httpx.TooManyRedirects:
            return "it redirects in a circle"
        except httpx.ConnectError:
            return "nothing answers there"
        except httpx.InvalidURL:
            return "it is no address"
        except httpx.HTTPError:
            return None  # slow, or odd: not known to be gone


def _recall(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(address): float(moment) for address, moment in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
