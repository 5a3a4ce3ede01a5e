"""What a player sends, on the web and on the phone."""

from pydantic import BaseModel, ConfigDict, Field

from dynamic_api.learning.progress import Beat


class BeatBody(BaseModel):
    """A position, and as a hint the video's length. The phone may send `is_completed: null`."""

    model_config = ConfigDict(strict=True)

    position_seconds: int = Field(ge=0, le=10**6)
    duration_seconds: int | None = Field(default=None, ge=1, le=10**6)
    is_completed: bool | None = None
    age_seconds: int = Field(default=0, ge=0, le=30 * 24 * 3600)

    def as_beat(self) -> Beat:
        """As the rules take it."""
        return Beat(self.position_seconds, self.duration_seconds, bool(self.is_completed), self.age_seconds)
