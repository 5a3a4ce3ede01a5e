"""The people as whom a creator looks at their school: a buyer who owns everything, and one whose money went back.

A program of its own, which runs with the settings of the preview's service, and answers in JSON.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from sqlalchemy import select

from dynamic_api.accounts.users import create_user
from dynamic_api.app import create_service
from dynamic_api.claims import by_operator
from dynamic_api.core.emails import Email
from dynamic_api.core.models import User, WebSession
from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.settings import Settings
from dynamic_api.core.tokens import hash_token, make_token
from dynamic_api.gateways import open_gateways
from dynamic_api.service import Service
from dynamic_api.web.phone_tokens import issue_phone_token
from dynamic_api.web.sessions import LIFETIME

BUYER, REFUNDED = "buyer@preview.example", "refunded@preview.example"


@dataclass(frozen=True)
class People:
    """Session tokens of browsers, and the token of a phone."""

    buyer: str
    refunded: str
    phone: str


def main() -> None:
    """`people`: make them, and print their tokens. `people courses`: give them what was added since."""
    settings = load_settings()
    if sys.argv[1:] == ["courses"]:
        asyncio.run(give_new_courses(settings))
    else:
        print(json.dumps(asdict(asyncio.run(prepare(settings)))))


async def prepare(settings: Settings) -> People:
    """Make the two accounts, sign them in, and give them every course; take them back from the second."""
    service = create_service(settings, open_gateways(settings))
    try:
        await service.catalog.refresh()
        buyer, refunded = await _account(service, BUYER), await _account(service, REFUNDED)
        await grant_everything(service)
        async with service.database.transaction() as db:
            owner = await db.get_one(User, buyer)
            phone = await issue_phone_token(db, owner, device_name="Preview", now=service.clock())
        return People(await _session(service, buyer), await _session(service, refunded), phone)
    finally:
        await service.close()


async def give_new_courses(settings: Settings) -> None:
    """Give both what was added since."""
    service = create_service(settings, open_gateways(settings))
    try:
        await service.catalog.refresh()
        await grant_everything(service)
    finally:
        await service.close()


async def grant_everything(service: Service) -> None:
    """Every course to both, and back from one. A repeat changes nothing."""
    now = service.clock()
    for course in service.catalog.current.courses:
        async with service.database.transaction() as db:
            await by_operator.grant(db, Email.parse(BUYER), course, reason="preview", now=now)
        async with service.database.transaction() as db:
            await by_operator.grant(db, Email.parse(REFUNDED), course, reason="preview", now=now)
            await by_operator.revoke(db, Email.parse(REFUNDED), course, reason="preview", now=now)


async def _account(service: Service, address: str) -> int:
    email, now = Email.parse(address), service.clock()
    async with service.database.transaction() as db:
        user = await db.scalar(select(User).where(User.email_key == email.key))
        if user is None:
            password = await service.passwords.hash(make_token())
            user = await create_user(
                db, email=email, name="Preview", password_hash=password, verified=True, now=now, actor="preview"
            )
        return user.id


async def _session(service: Service, user_id: int) -> str:
    token, now = make_token(), service.clock()
    async with service.database.transaction() as db:
        db.add(
            WebSession(
                token_hash=hash_token(token), user_id=user_id, user_agent="Preview",
                created_at=now, last_seen_at=now, expires_at=now + LIFETIME,
            )
        )  # fmt: skip
    return token


if __name__ == "__main__":
    main()
