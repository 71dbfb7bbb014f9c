"""Notices on their way to people, through Prefect's own notification blocks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from orchestrator.errors import StoreError
from orchestrator.people.notifying import Notice, NotifyEntry
from orchestrator.store import Store

log = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds that a webhook may take to accept a notice."""


class Post:
    """Sends notices one after the other in a thread of its own, so that nothing waits for them.

    A notice that cannot be delivered is logged and recorded as an event of the campaign; the
    words of the error are left out, because they may hold the address and with it a secret.

    Parameters
    ----------
    failed : is told in one sentence of each notice that was not delivered.
    has_server : Prefect's server is there, from which blocks are loaded.
    """

    def __init__(
        self, entry: NotifyEntry, failed: Callable[[str], None], *, has_server: bool
    ) -> None:
        self._entry = entry
        self._failed = failed
        self._has_server = has_server
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notices")

    def send(self, notice: Notice) -> None:
        """Send a notice off and return at once."""
        if notice.kind not in self._entry.on:
            return
        if self._entry.webhook:
            self._thread.submit(self._deliver, "the webhook", notice, self._webhook)
        for name in self._entry.blocks:
            self._thread.submit(self._deliver, f"the block {name}", notice, self._block(name))

    def close(self) -> None:
        """Wait until what was sent off is delivered or has failed."""
        self._thread.shutdown(wait=True)

    def _deliver(self, way: str, notice: Notice, make: Callable[[Notice], Any]) -> None:
        try:
            make(notice).notify(notice.text, notice.title)
        except Exception as error:  # noqa: BLE001  (whatever a notice meets, the campaign goes on)
            said = f"a notice ({notice.kind}) was not delivered by {way}: {type(error).__name__}"
            log.warning(said)
            self._failed(said)

    def _webhook(self, notice: Notice) -> Any:
        from prefect.blocks.notifications import CustomWebhookNotificationBlock

        contents = {"kind": notice.kind, "title": "{{subject}}", "text": "{{body}}"}
        return CustomWebhookNotificationBlock(
            name="sdlab", url=self._entry.webhook, json_data=contents, timeout=TIMEOUT
        )

    def _block(self, name: str) -> Callable[[Notice], Any]:
        def load(_: Notice) -> Any:
            from prefect.blocks.core import Block
            from prefect.exceptions import PrefectException

            if not self._has_server:
                raise PrefectException("blocks are kept by the Prefect server, and none is used")
            return Block.load(name)

        return load


@contextmanager
def posting(entry: NotifyEntry, store: Store, campaign_id: str, *, prefect: bool) -> Iterator[Post]:
    """Give who sends a campaign's notices; at the end all of them have left."""

    def failed(sentence: str) -> None:
        try:
            store.record_event(campaign_id, "notice_failed", sentence)
        except StoreError as error:
            log.warning("it could not be recorded that %s: %s", sentence, error)

    post = Post(entry, failed, has_server=prefect)
    try:
        yield post
    finally:
        post.close()
