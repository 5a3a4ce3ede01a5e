"""The sandbox is held against the partners' own types and rules."""

from importlib import import_module

import httpx
import jwt
import pytest
import stripe
from stripe._object_classes import OBJECT_CLASSES

from scripts.sandbox.__main__ import is_loopback
from scripts.sandbox.stream import TokenRefused, video_of
from scripts.sandbox.wire import decode
from tests.conftest import Sandbox, SigningKey
from tests.school import School

HEADERS = {"Authorization": "Bearer sk_test_x", "Stripe-Version": "2026-10-28.endive"}


async def everything(school: School) -> None:
    """A history in which every kind of object comes into being."""
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.bank.discount(session, "WELCOME20")
        school.pay(session)
        school.bank.refund(session["payment_intent"], amount=100)
        school.bank.dispute(session["payment_intent"])


async def test_every_key_is_one_of_the_sdks(school: School) -> None:
    await everything(school)
    kinds = set()
    for thing in school.bank.store.objects.values():
        kinds.add(thing["object"])
        module, name = OBJECT_CLASSES[thing["object"]]
        known = set(getattr(import_module(module), name).__annotations__)
        assert set(thing) <= known | {"object"}, (thing["object"], set(thing) - known)
    assert kinds >= {
        "checkout.session",
        "payment_intent",
        "charge",
        "refund",
        "dispute",
        "event",
        "product",
        "promotion_code",
        "coupon",
    }


async def test_the_sdk_reads_it_and_its_errors(school: School, sandbox: Sandbox) -> None:
    await everything(school)
    http = stripe.HTTPXClient()
    client = stripe.StripeClient(
        "sk_test_x", base_addresses={"api": sandbox.url}, http_client=http, stripe_version="2026-10-28.endive"
    )
    [session] = (await client.v1.checkout.sessions.list_async({})).data
    full = await client.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["line_items", "payment_intent.latest_charge"]}
    )
    assert full.amount_total == 3920
    assert full.line_items is not None
    assert full.line_items.data[0].amount_total == 3920
    assert isinstance(full.payment_intent, stripe.PaymentIntent)
    assert isinstance(full.payment_intent.latest_charge, stripe.Charge)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.checkout.sessions.retrieve_async("cs_test_nothing")
    assert (caught.value.code, caught.value.http_status) == ("resource_missing", 404)
    with pytest.raises(stripe.InvalidRequestError, match="unrefunded amount"):
        await client.v1.refunds.create_async({"payment_intent": full.payment_intent.id, "amount": 999999})
    await http.close_async()  # type: ignore[no-untyped-call]


async def test_idempotency_keys_replay_and_refuse_other_parameters(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(base_url=sandbox.url, headers={**HEADERS, "Idempotency-Key": "k"}) as client:
        first = await client.post("/v1/products", data={"id": "p", "name": "P"})
        assert (await client.post("/v1/products", data={"id": "p", "name": "P"})).json() == first.json()
        other = await client.post("/v1/products", data={"id": "q", "name": "Q"})
        assert other.json()["error"]["type"] == "idempotency_error"


async def test_unknown_parameters_and_keys_are_refused(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(base_url=sandbox.url) as client:
        answer = await client.post("/v1/checkout/sessions", data={"mode": "payment", "nmae": "x"}, headers=HEADERS)
        assert answer.json()["error"]["code"] == "parameter_unknown"
        assert (await client.get("/v1/events")).status_code == 401
        assert (await client.get("/v1/events", headers={"Authorization": "Bearer sk_test_x"})).status_code == 400


def test_form_decoding() -> None:
    assert decode("a[0][b][c]=1&a[1][b]=2&d=%C3%BC") == {"a": [{"b": {"c": "1"}}, {"b": "2"}], "d": "ü"}


def test_stream_verifies_signature_expiry_subject_and_key(sandbox: Sandbox, signing_key: SigningKey) -> None:
    from base64 import b64decode

    store, now = sandbox.bank.store, sandbox.bank.store.now()
    video = next(iter(store.videos))

    def token(kid: str = signing_key.id, **changes: object) -> str:
        claims = {"sub": video, "kid": signing_key.id, "exp": now + 60, **changes}
        return jwt.encode(claims, b64decode(signing_key.pem), "RS256", headers={"kid": kid})

    assert video_of(store, token()) == video
    altered = token()[:-8] + "AAAAAAAA"
    for bad in (
        token(exp=now - 5),
        token(sub="0" * 32),
        token(kid="other"),
        token(exp=now + 90000),
        altered,
        "nonsense",
    ):
        with pytest.raises(TokenRefused):
            video_of(store, bad)


async def test_playlist_is_as_long_as_the_video(school: School) -> None:
    async with school.browser() as browser, httpx.AsyncClient() as player:
        address = (await browser.get("/api/previews/sourdough")).headers["location"]
        playlist = (await player.get(address.replace("/iframe", "/manifest/video.m3u8"))).text
        lengths = [float(line[8:-1]) for line in playlist.splitlines() if line.startswith("#EXTINF:")]
        assert sum(lengths) == 70
        media = await player.get(address.replace("/iframe", "/manifest/clock.mp4"), headers={"Range": "bytes=0-99"})
        assert (media.status_code, len(media.content)) == (206, 100)
        picture = await player.get(address.replace("/iframe", "/thumbnails/thumbnail.jpg?time=1s"))
        assert picture.content.startswith(b"\xff\xd8")
        for path in ("/manifest/clock.mp4", "/manifest/video.m3u8", "/thumbnails/thumbnail.jpg"):
            assert (await player.get(address.replace("/iframe", f"x{path}"))).status_code == 401


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("example.com", False),
    ],
)
def test_it_binds_to_nothing_but_loopback(host: str, fine: bool) -> None:
    assert is_loopback(host) is fine
