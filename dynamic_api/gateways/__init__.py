"""Payments, streaming, storage and mail, as one value that is passed as an argument."""

from dataclasses import dataclass

from dynamic_api.core.settings import Settings
from dynamic_api.gateways.mailer import Mailer
from dynamic_api.gateways.payments import Payments
from dynamic_api.gateways.storage import LocalStorage, R2Storage, Storage
from dynamic_api.gateways.streaming import Streaming


@dataclass(frozen=True)
class Gateways:
    """Stripe, Stream, the file store and the mail server."""

    payments: Payments
    streaming: Streaming
    storage: Storage
    mailer: Mailer

    async def close(self) -> None:
        """Close connections."""
        await self.payments.close()


def open_gateways(settings: Settings) -> Gateways:
    """Everything that talks to partners, from the settings. Nothing is sent yet."""
    return Gateways(
        payments=Payments(settings),
        streaming=Streaming(settings),
        storage=_storage(settings),
        mailer=Mailer(settings),
    )


def _storage(settings: Settings) -> Storage:
    if settings.files_dir is not None:
        return LocalStorage(settings.files_dir)
    return R2Storage(settings)
