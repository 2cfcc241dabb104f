"""Mails on a laptop, printed where `make run` was started, for a person to read."""

from django.core.mail import EmailMessage
from django.core.mail.backends import console


class ReadableBackend(console.EmailBackend):
    """Prints the text part alone, below headers that are not encoded."""

    def write_message(self, message: EmailMessage) -> None:
        """Raises BadHeaderError, as a mail server's backend would."""
        message.message()
        self.stream.write(
            f"{'-' * 79}\n"
            f"From: {message.from_email}\n"
            f"To: {', '.join(message.recipients())}\n"
            f"Subject: {message.subject}\n\n"
            f"{str(message.body).rstrip()}\n"
            f"{'-' * 79}\n"
        )
