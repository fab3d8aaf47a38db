"""What everybody does for their own account: change the password, enrol a second factor.

Each is asked with a proof instead of an access token: whoever has to do one of them first cannot
sign in yet.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.http.problem import InvalidInput, NotFound, WrongState
from shared.identity.caller import Caller
from shared.issuer import notices, second_factors, sessions
from shared.issuer.accounts import set_password
from shared.issuer.issuer import Issuer
from shared.issuer.models import account
from shared.issuer.notices import Notice
from shared.issuer.one_time_codes import accepted_step, enrolment_uri, new_secret, qr_svg
from shared.issuer.password_rules import REMEMBERED, weakness
from shared.issuer.proof import AccountRow, Proof, opened
from shared.issuer.refusals import PasswordChangeRequired
from shared.issuer.sessions import LiveSession
from shared.issuer.witness import Act, Action, Origin


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs; shown once."""

    secret: str
    uri: str
    qr: str


class OwnAccount:
    """The acts of an account's owner; all raise what `Proving.proved` raises."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def change_password(self, proof: Proof, new: str, origin: Origin) -> None:
        """Change the password, and end every session.

        Raises `InvalidInput` where the new one is weak or was used before.
        """
        if reason := weakness(new, proof.name):
            raise InvalidInput(reason, field="new_password")
        new_hash = await self._issuer.passwords.hash(new)

        async def change(
            connection: AsyncConnection, holder: AccountRow, now: datetime
        ) -> frozenset[UUID]:
            used = [holder.password_hash, *holder.previous_hashes]
            for old in used[:REMEMBERED]:
                if await self._issuer.passwords.verify(old, new):
                    raise InvalidInput(
                        f"不得使用最近 {REMEMBERED} 次用过的密码", field="new_password"
                    )
            previous = used[: REMEMBERED - 1]
            await set_password(
                connection, proof.name, new_hash, now, one_time=False, previous=previous
            )
            await self._tell(connection, holder, Action.CHANGE_PASSWORD, now, origin)
            return await sessions.end_all(connection, [proof.name], now)

        self._issuer.announce(await self._issuer.proving.proved(proof, origin, change))

    async def enrol(self, proof: Proof, origin: Origin) -> Enrolment:
        """Begin to enrol a second factor: it counts once `confirm` has seen a code of it.

        Raises `PasswordChangeRequired` (others know a one-time password) and `WrongState` where one
        is in use.
        """
        secret = new_secret()
        sealed = self._issuer.seal.close(secret, proof.name)

        async def begin(connection: AsyncConnection, holder: AccountRow, now: datetime) -> None:
            if holder.one_time:
                raise PasswordChangeRequired("须先修改一次性密码,再启用动态口令")
            if await second_factors.is_enrolled(connection, proof.name):
                raise WrongState("动态口令已经启用;更换手机的,请安全管理员先重置")
            await second_factors.begin(connection, proof.name, sealed, now)
            await self._tell(connection, holder, Action.BEGIN_SECOND_FACTOR, now, origin)

        await self._issuer.proving.proved(proof, origin, begin)
        uri = enrolment_uri(secret, proof.name)
        return Enrolment(secret, uri, qr_svg(uri))

    async def confirm(self, proof: Proof, origin: Origin) -> tuple[str, ...]:
        """Confirm the second factor with a code; gives recovery codes, which are not shown again.

        Asked again, with another code, it gives new recovery codes in place of the old. Raises
        `WrongState` where nothing was enrolled, `InvalidInput` where the code is wrong.
        """

        async def confirm(
            connection: AsyncConnection, holder: AccountRow, now: datetime
        ) -> tuple[tuple[str, ...], frozenset[UUID]]:
            found = await second_factors.enrolled(connection, proof.name)
            if found is None:
                raise WrongState("尚未开始启用动态口令")
            if found.confirmed:
                await self._tell(connection, holder, Action.RENEW_RECOVERY_CODES, now, origin)
                codes = await second_factors.renew_recovery_codes(connection, proof.name)
                return codes, frozenset()
            secret = opened(self._issuer.seal, found.sealed_secret, proof.name)
            step = accepted_step(secret, proof.code or "", now, found.last_step)
            if step is None:
                raise InvalidInput("动态口令不正确,请核对手机时间", field="code")
            await self._tell(connection, holder, Action.ENROL_SECOND_FACTOR, now, origin)
            codes = await second_factors.confirm(connection, proof.name, step, now)
            return codes, await sessions.end_all(connection, [proof.name], now)

        codes, ended = await self._issuer.proving.proved(proof, origin, confirm)
        self._issuer.announce(ended)
        return codes

    async def notices(self, caller: Caller) -> list[Notice]:
        """What was done of late to the caller's account, and what administrators are told."""
        name = self._signed_in(caller)
        async with self._issuer.engine.connect() as connection:
            query = select(account).where(account.c.account == name)
            row = (await connection.execute(query)).first()
            return [] if row is None else await notices.of(connection, row, self._issuer.now())

    async def live_sessions(self, caller: Caller) -> list[LiveSession]:
        """The caller's open sessions."""
        name = self._signed_in(caller)
        async with self._issuer.engine.connect() as connection:
            limits, now = self._issuer.rules.limits, self._issuer.now()
            return await sessions.live(connection, name, limits, now)

    async def end_sessions(self, caller: Caller, origin: Origin, *, every: bool) -> int:
        """End the caller's session, or every one of theirs; gives how many."""
        name, now = self._signed_in(caller), self._issuer.now()
        async with self._issuer.engine.begin() as connection:
            holder = await sessions.lock_account(connection, name)
            if every:
                ended = await sessions.end_all(connection, [name], now)
            else:
                ended = await sessions.end_one(connection, name, caller.session, now)
            if ended and holder is not None:
                await self._tell(connection, holder, Action.SIGN_OUT, now, origin)
        self._issuer.announce(ended)
        return len(ended)

    def _signed_in(self, caller: Caller) -> str:
        """Who is signed in here, whomever an importer acts for. Raises `NotFound`."""
        if caller.issuer != self._issuer.url:
            raise NotFound("您由外部身份认证服务登录,请在该服务查看和退出")
        return caller.importer or caller.account

    async def _tell(
        self,
        connection: AsyncConnection,
        holder: AccountRow,
        action: Action,
        now: datetime,
        origin: Origin,
    ) -> None:
        act = Act(now, holder.account, action, holder.account, holder.bureau, origin=origin)
        await notices.tell(connection, self._issuer.witness, act)
