"""Input made from other input: cut, doubled, flipped, spliced, and with words that have broken something before."""

import random
from collections.abc import Sequence

HOSTILE = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", "\u202e".encode(), "é".encode(), "\u2028".encode(),
    b"\r", b"\r\n", b"../", b"..%2f", b"%00", b"%ff", b"<script>", b"]]>", b"<!--", b"javascript:", b"{{7*7}}",
    b"${x}", b"'", b'"', b"`" * 3, b"&a", b"*a", b"!!python/object:os.system", b"- " * 50, b"[" * 200, b"{" * 200,
    b"(" * 200, b"> " * 200, b"*" * 200, b"_" * 199, b"#" * 20, b"|" * 100, b":::", b"$$", b"\\", b"-1", b"0", b"1e999",
    b"NaN", b"9" * 40, b"null", b"true", b"2026-02-30", b"00:00:99.999", b"-->", b"1,2,3", b"@[stream](x)", b"![](",
    b"[x](<", b"[^1]", b"A" * 5000,
)  # fmt: skip


def mutated(seeds: Sequence[bytes], luck: random.Random) -> bytes:
    """One input."""
    data = bytearray(luck.choice(seeds))
    for _ in range(luck.choice((1, 1, 2, 4, 8))):
        at = luck.randrange(len(data) + 1)
        until = min(len(data), at + luck.choice((1, 4, 16, 64, 400)))
        match luck.randrange(8):
            case 0:
                del data[at:until]
            case 1:
                data[at:at] = data[at:until] * luck.choice((1, 2, 50))
            case 2 if at < len(data):
                data[at] ^= 1 << luck.randrange(8)
            case 3:
                data[at:at] = luck.choice(HOSTILE)
            case 4:
                data[at:until] = luck.choice(HOSTILE)
            case 5:
                other = luck.choice(seeds)
                start = luck.randrange(len(other) + 1)
                data[at:until] = other[start : start + 200]
            case 6:
                del data[at:]
            case _:
                data[at:until] = luck.randbytes(until - at)
    return bytes(data[:200_000])
