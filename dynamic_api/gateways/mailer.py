"""Sends email over SMTP."""

from email.message import EmailMessage

import aiosmtplib

from dynamic_api.core.settings import Settings, SmtpSecurity


class Mailer:
    """Sends each message on a connection of its own. The outbox decides when, and retries."""

    def __init__(self, settings: Settings) -> None:
        self.sender = settings.mail_from
        self._settings = settings

    async def send(self, message: EmailMessage) -> None:
        """Raises aiosmtplib.SMTPException or OSError when the server does not accept it."""
        settings = self._settings
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security is SmtpSecurity.TLS,
            start_tls=settings.smtp_security is SmtpSecurity.STARTTLS,
            timeout=30,
        )
