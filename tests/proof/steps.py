"""The steps of a history, and how histories are drawn."""

from hypothesis import strategies as st

Step = tuple[str, int, int]  # what happens, which of several it happens to, and a number for whatever is left to chance

BUYING = (
    "begin",
    "begin together",
    "begin gift",
    "begin with code",
    "pay",
    "pay",
    "pay later",
    "decline",
    "arrive",
    "fail",
    "code",
)
MONEY = (
    "refund",
    "refund",
    "refund a line",
    "refund by command",
    "dispute a line",
    "fail refund",
    "dispute",
    "win",
    "lose",
    "expire",
)
TELLING = ("deliver", "deliver", "deliver twice", "drop", "work", "work", "two workers", "crash", "sweep", "wait")
LEARNING = ("claim", "claim", "look", "open gift", "delete account")
OPERATING = ("grant", "revoke", "move purchases", "readdress gift")
OVERTAKING = ("overtake a job", "overtake a claim")
KINDS = BUYING + MONEY + TELLING + LEARNING + OPERATING + OVERTAKING

_STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.integers(0, 99))
_ARRIVES: list[Step] = [("deliver", 0, 0), ("work", 5, 0)]
_SALE: list[Step] = [("begin", 0, 0), ("pay", 0, 0), *_ARRIVES, ("claim", 0, 0)]
_TOGETHER: list[Step] = [("begin together", 0, 0), ("pay", 0, 0), *_ARRIVES, ("claim", 0, 0)]
_GIFT: list[Step] = [("begin gift", 0, 0), ("pay", 0, 0), *_ARRIVES, ("work", 5, 0), ("open gift", 0, 0)]
# Most histories begin with a course that was sold and claimed: most of what goes wrong, goes wrong afterwards.
_BEGINNINGS: tuple[list[Step], ...] = ([], _SALE, _GIFT, _TOGETHER, [*_SALE, ("begin", 1, 0), ("pay", 1, 0), *_ARRIVES])
HISTORIES = st.builds(
    lambda beginning, steps: beginning + steps, st.sampled_from(_BEGINNINGS), st.lists(_STEP, min_size=8, max_size=40)
)
