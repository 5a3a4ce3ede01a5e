"""The captions of the course files, brought to Stream's player."""

import pytest
from pydantic import SecretStr

from dynamic_api.commands.captions import upload_captions
from dynamic_api.core.settings import SettingsInvalid
from dynamic_api.gateways.stream_library import StreamLibrary, StreamRefused
from tests.conftest import Sandbox
from tests.school import School


def library(school: School, sandbox: Sandbox, token: str = "t") -> StreamLibrary:
    account = {
        "stream_api_base": f"{sandbox.url}/client/v4",
        "stream_account_id": "account",
        "stream_api_token": SecretStr(token),
    }
    return StreamLibrary(school.service.settings.model_copy(update=account))


def uploaded(school: School) -> None:
    """The creator's videos are at Stream."""
    for course in school.service.catalog.current.courses:
        school.bank.store.videos |= {each.definition.video: 400 for each in course.lessons if each.definition.video}


async def test_brought_once_and_again_where_they_changed(school: School, sandbox: Sandbox) -> None:
    uploaded(school)
    school.bank.store.captions.clear()
    stream, courses = library(school, sandbox), school.service.catalog.current.courses
    first = [each async for each in upload_captions(stream, courses)]
    assert first
    assert all(each.changed for each in first)
    video, held = next(iter(school.bank.store.captions.items()))
    language = next(iter(held))
    assert not [each async for each in upload_captions(stream, courses) if each.changed]
    await stream.put_captions(video, language, "WEBVTT\n\n00:00.000 --> 00:01.000\nolder\n")
    assert len([each async for each in upload_captions(stream, courses) if each.changed]) == 1
    await stream.close()


async def test_refusals_say_what_to_do(school: School, sandbox: Sandbox) -> None:
    with pytest.raises(SettingsInvalid, match="STREAM_API_TOKEN"):
        StreamLibrary(school.service.settings)
    stream = library(school, sandbox)
    with pytest.raises(StreamRefused, match="does not exist"):
        await stream.put_captions("nope", "en", "WEBVTT")
    await stream.close()
    account = {"stream_api_base": "http://127.0.0.1:9", "stream_account_id": "a", "stream_api_token": SecretStr("t")}
    nowhere = StreamLibrary(school.service.settings.model_copy(update=account))
    with pytest.raises(StreamRefused, match="could not be reached"):
        await nowhere.captions("x", "en")
    await nowhere.close()
