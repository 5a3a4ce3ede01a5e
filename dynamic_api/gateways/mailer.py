"""SMTP."""

from email.message import EmailMessage

import aiosmtplib

from dynamic_api.config import Settings


class Mailer:
    """Sends one message on one connection; the outbox decides when, and tries again."""

    def __init__(self, settings: Settings) -> None:
        self.sender = settings.mail_from
        self._settings = settings

    async def send(self, message: EmailMessage) -> None:
        """Raises aiosmtplib.SMTPException or OSError when the server does not take it."""
        settings = self._settings
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=settings.smtp_password.reveal() if settings.smtp_password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            timeout=30,
        )
