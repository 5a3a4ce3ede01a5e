"""What fuzzing found once stays found: every input in `tests/corpus` is read, or refused as it should be."""

import random
from pathlib import Path

import pytest

from scripts.fuzzing.__main__ import CORPUS, try_one, try_request
from scripts.fuzzing.mutations import mutated
from scripts.fuzzing.targets import REQUESTS, Requests, offline_targets, settings_for_fuzzing

FOUND = sorted(CORPUS.glob("*/*"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name[:6]}")
async def test_what_was_found_once(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    if path.parent.name == "requests":
        requests = Requests(settings_for_fuzzing(tmp_path))
        await requests.open()
        assert await try_request(requests.read, data) is None
        await requests.close()
        return
    [target] = [each for each in offline_targets(tmp_path) if each.name.replace(" ", "-") == path.parent.name]
    assert try_one(target, data) is None


async def test_a_few_inputs_for_everything(tmp_path: Path) -> None:
    """The fuzzer itself works: each target takes its seeds, and some mutations."""
    luck = random.Random(20261130)  # noqa: S311
    for target in offline_targets(tmp_path):
        for seed in target.seeds[:2]:
            assert try_one(target, seed) is None, target.name
        for _ in range(5):
            assert try_one(target, mutated(target.seeds, luck)) is None, target.name
    requests = Requests(settings_for_fuzzing(tmp_path))
    await requests.open()
    for data in (*REQUESTS, *(mutated(REQUESTS, luck) for _ in range(10))):
        assert await try_request(requests.read, data) is None
    await requests.close()
