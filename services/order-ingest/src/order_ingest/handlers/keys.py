"""API keys: who comes with one, and how they are made, rotated and ended."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Protocol

import structlog

from order_ingest.domain import keys
from order_ingest.domain.findings import Conflict, Forbidden, Unknown
from order_ingest.domain.keys import EVERY_ACTION, ID_BYTES, SECRET_BYTES, Action, ApiKey, Holder
from order_ingest.domain.requests import KeyRequest
from order_ingest.handlers.gathered import Gathered
from restock_common.errors import Transient
from restock_common.postgres import Connection, Database

log = structlog.get_logger()

BOOTSTRAP = "environment"
"""The id that stands for every key of the environment."""

_NOTED_EVERY = timedelta(minutes=1)


class KeyStore(Protocol):
    """Where keys are remembered; `store.PostgresKeys`."""

    async def read(self, connection: Connection, ids: Sequence[str]) -> Mapping[str, ApiKey]:
        """Return the keys with these ids; unknown ones are missing."""

    async def all(self, connection: Connection, shop: str | None) -> list[ApiKey]:
        """Return a shop's keys, or all, the newest first."""

    async def add(self, connection: Connection, key: ApiKey) -> None:
        """Write a new key."""

    async def end(self, connection: Connection, key_id: str, at: datetime) -> None:
        """Let a key end at a time, unless it ends before."""

    async def note_uses(self, connection: Connection, used: Mapping[str, datetime]) -> None:
        """Note when keys were used."""


class Keys:
    """Knows who comes with a key, and looks after keys.

    A key that was read is believed for `cache_s`, so that a request costs no query: what is ended
    on one replica is good for nothing on all of them after that time at the latest.

    Args:
        database: Where keys are.
        store: How they are read and written.
        bootstrap: The shop of each key of the environment: good for everything, without an end.
        cache_s: How long a key is believed without looking again.
    """

    def __init__(
        self,
        database: Database,
        store: KeyStore,
        bootstrap: Mapping[str, str],
        *,
        cache_s: float,
    ) -> None:
        self._database = database
        self._store = store
        self._bootstrap = [
            (key.encode(), Holder(shop, BOOTSTRAP, EVERY_ACTION)) for key, shop in bootstrap.items()
        ]
        self._cache_s = cache_s
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._used: dict[str, datetime] = {}
        self._ended = 0
        self._look_up = Gathered(self._look_up_all)

    async def holder(self, text: str) -> Holder | None:
        """Return who comes with a key; None where it is not good. Raises Transient."""
        given = text.encode()
        found = [holder for key, holder in self._bootstrap if compare_digest(key, given)]
        if found:
            return found[0]
        parts = keys.taken_apart(text)
        if parts is None:
            return None
        key_id, secret = parts
        key = await self._key(key_id)
        now = datetime.now(UTC)
        if key is None or not keys.opens(key, secret, now):
            return None
        self._note_use(key, now)
        return key.holder()

    async def issue(
        self, shop: str, request: KeyRequest, *, by: Holder | None
    ) -> tuple[str, ApiKey]:
        """Make a key; return it as its holder sends it, which nobody is ever told again.

        Args:
            shop: Whose it is.
            request: What it is for.
            by: Who asks; None for whoever has the database.

        Raises:
            Forbidden: It would be good for more than who asks may do, or for longer.
            Transient: It may have been made, and nobody knows its secret.
        """
        ends_at = by.ends_at if by is not None and request.ends_at is None else request.ends_at
        text, key = _new(shop, request.name, frozenset(request.actions), ends_at)
        _check_may_grant(by, key)
        async with self._database.connection() as connection:
            await self._store.add(connection, key)
        log.info("key_issued", key_id=key.id, shop=shop, by=_told(by))
        return text, key

    async def rotate(
        self, key_id: str, overlap: timedelta, *, by: Holder | None
    ) -> tuple[str, ApiKey]:
        """Make a key that is good for what another one is, as long as that would be.

        The other one ends after an overlap, or at its own end where that comes before.

        Raises:
            Unknown: There is no such key of this shop.
            Conflict: It has ended.
            Forbidden: It is good for more than who asks may do, or for longer.
            Transient: Look whether there is a new one, and end it.
        """
        now = datetime.now(UTC)
        async with self._database.transaction() as connection:
            old = await self._of(connection, key_id, by)
            if old.ended(now):
                raise Conflict(f"key {key_id!r} has ended: make a new one", field="key")
            text, new = _new(old.shop, old.name, old.actions, old.ends_at, replaces=old.id)
            _check_may_grant(by, new)
            await self._store.add(connection, new)
            await self._store.end(connection, old.id, now + overlap)
        self._forget(key_id)
        log.info("key_rotated", key_id=key_id, new_key_id=new.id, by=_told(by))
        return text, new

    async def revoke(self, key_id: str, *, by: Holder | None) -> None:
        """End a key now; one that has ended stays as it is. Raises Unknown or Transient."""
        async with self._database.connection() as connection:
            await self._of(connection, key_id, by)
            await self._store.end(connection, key_id, datetime.now(UTC))
        self._forget(key_id)
        log.info("key_revoked", key_id=key_id, by=_told(by))

    async def all(self, shop: str | None) -> list[ApiKey]:
        """Return a shop's keys, or all, those that have ended too; the newest first."""
        async with self._database.connection() as connection:
            return await self._store.all(connection, shop)

    async def write_uses(self) -> None:
        """Write when keys were used. Raises Transient."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._database.connection() as connection:
                await self._store.note_uses(connection, used)
        except Transient:
            self._used = {**used, **self._used}
            raise

    async def _of(self, connection: Connection, key_id: str, by: Holder | None) -> ApiKey:
        key = (await self._store.read(connection, [key_id])).get(key_id)
        if key is None or (by is not None and key.shop != by.shop):
            raise Unknown(f"key {key_id!r} is not known", field="key")
        return key

    async def _key(self, key_id: str) -> ApiKey | None:
        until, key = self._known.get(key_id, (0.0, None))
        if time.monotonic() < until:
            return key
        [key] = await self._look_up([key_id])
        return key

    async def _look_up_all(self, ids: list[str]) -> list[ApiKey | None]:
        """Read keys anew, by one query for all who wait.

        What it reads counts from when it began: a key may have ended at any time since. Where one
        was ended here meanwhile, nothing of it is believed any further.
        """
        until, ended = time.monotonic() + self._cache_s, self._ended
        async with self._database.connection() as connection:
            found = await self._store.read(connection, sorted(set(ids)))
        if self._ended != ended:
            return [found.get(key_id) for key_id in ids]
        for key_id in ids:
            if key_id in found:
                self._known[key_id] = (until, found[key_id])
            else:
                self._known.pop(key_id, None)
        return [found.get(key_id) for key_id in ids]

    def _forget(self, key_id: str) -> None:
        """Believe nothing of a key that was read before now."""
        self._known.pop(key_id, None)
        self._ended += 1

    def _note_use(self, key: ApiKey, now: datetime) -> None:
        """Note a use once a minute, to be written later: no sender waits for that."""
        if key.last_used_at is not None and now - key.last_used_at < _NOTED_EVERY:
            return
        if key.id in self._known:
            until, known = self._known[key.id]
            self._known[key.id] = (until, replace(known, last_used_at=now))
        self._used[key.id] = now


def _new(
    shop: str,
    name: str,
    actions: frozenset[Action],
    ends_at: datetime | None,
    *,
    replaces: str | None = None,
) -> tuple[str, ApiKey]:
    key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    created_at = datetime.now(UTC)
    digest = keys.digest_of(secret)
    key = ApiKey(key_id, shop, name, actions, digest, created_at, ends_at, replaces)
    return keys.key_text(key_id, secret), key


def _check_may_grant(by: Holder | None, key: ApiKey) -> None:
    if by is not None and (found := keys.excess(by, key)) is not None:
        field, reason = found
        raise Forbidden(reason, field=field)


def _told(by: Holder | None) -> str:
    return "command" if by is None else by.key_id
