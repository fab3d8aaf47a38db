"""What administrators do to other people's accounts; all of it passes through here.

The system administrator makes, disables and enables accounts, and grants nothing; the security
administrator grants roles and looks after passwords, second factors, locks, sessions and
certificates, and makes no account; the audit administrator reads. Nobody administers their own
account. A bureau never loses its last administrator of a kind. What concerns an administrator's
account takes two of them (`countersigning`).

Every act is told to the issuer's `Witness`, in its own transaction. An act that changes nothing
(a repeated request) is no act.
"""

from sqlalchemy.exc import IntegrityError

from shared.http.problem import InvalidInput, NotFound, WrongState
from shared.identity.caller import Caller, is_account
from shared.identity.officers import Certificate
from shared.identity.roles import Role
from shared.issuer import accounts, policy, sessions
from shared.issuer.accounts import Account, Overview
from shared.issuer.countersigning import Countersigning, Result
from shared.issuer.issuer import Issuer
from shared.issuer.policy import Policy
from shared.issuer.separation import permit, permit_administrators
from shared.issuer.sessions import LiveSession
from shared.issuer.witness import Action, Origin
from shared.issuer.work import Work, begun


class Administration:
    """The acts of administrators at one place (`origin`), each with the caller that asks for it.

    All raise `RoleForbidden` unless the caller holds the role an act takes, `NotFound` for an
    account that is not of the caller's bureau, and `RefusedByLaw` for the caller's own. What gives
    a `Result` is done at once, or proposed where it takes two (`Countersigning.ask`).
    """

    def __init__(self, issuer: Issuer, origin: Origin) -> None:
        self._issuer = issuer
        self._origin = origin
        self._ask = Countersigning(issuer, origin).ask

    async def create(self, by: Caller, name: str, display_name: str) -> Account:
        """Make an account of the caller's bureau; it has no role and no password.

        Raises `InvalidInput`, or `WrongState` where it exists.
        """
        permit(by, Role.SYSTEM_ADMIN, Action.CREATE.title)
        created = Account(name, display_name, frozenset(), by.bureau)
        try:
            created.check()
        except accounts.AccountRefusedError as refused:
            raise InvalidInput(str(refused), field="account") from refused
        try:
            async with begun(self._issuer, by, self._origin) as work:
                await accounts.add(work.connection, [created], {}, work.now, one_time=True)
                work.row = await sessions.lock_account(work.connection, name)
                work.changed({}, {"roles": []})
                await work.tell(Action.CREATE)
        except IntegrityError as error:
            raise WrongState(f"账号 {name} 已存在", field="account") from error
        return created

    async def disable(self, by: Caller, name: str) -> Result:
        """Let an account sign in no more, and end its sessions."""
        return await self._ask(by, Action.DISABLE, name, {})

    async def enable(self, by: Caller, name: str) -> Result:
        """Let a disabled account sign in again."""
        return await self._ask(by, Action.ENABLE, name, {})

    async def set_roles(self, by: Caller, name: str, roles: frozenset[Role]) -> Result:
        """Give an account these roles and no others; a change ends its sessions.

        Who becomes an administrator gets a new password, by two hands, and enrols anew. Raises
        `RefusedByLaw` where one account may not hold them together, and where the bureau would be
        left without an administrator of a kind.
        """
        return await self._ask(by, Action.SET_ROLES, name, {"roles": sorted(roles)})

    async def reset_password(self, by: Caller, name: str) -> Result:
        """Give an account a one-time password, end its sessions and unlock it."""
        return await self._ask(by, Action.RESET_PASSWORD, name, {})

    async def reset_second_factor(self, by: Caller, name: str) -> Result:
        """Remove a lost second factor, and end the account's sessions."""
        return await self._ask(by, Action.RESET_SECOND_FACTOR, name, {})

    async def unlock(self, by: Caller, name: str) -> Result:
        """End the lock that failures led to."""
        return await self._ask(by, Action.UNLOCK, name, {})

    async def require_second_factor(self, by: Caller, roles: frozenset[Role]) -> Result:
        """Ask these roles for a second factor from now on, and no others.

        Whoever holds one of them without a second factor is signed out. Raises `RefusedByLaw` where
        a role is left out that has to be asked (`policy.FLOOR`).
        """
        return await self._ask(by, Action.CHANGE_POLICY, None, {"roles": sorted(roles)})

    async def end_sessions(self, by: Caller, name: str) -> int:
        """End an account's open sessions; gives how many."""
        permit(by, Role.SECURITY_ADMIN, Action.END_SESSIONS.title)
        async with begun(self._issuer, by, self._origin, name) as work:
            await work.end_sessions()
            if work.ended:
                work.changed({"sessions": len(work.ended)}, {"sessions": 0})
            await work.tell(Action.END_SESSIONS)
        return len(work.ended)

    async def set_certificate(self, by: Caller, held: Certificate) -> None:
        """Enter a term of a certificate, or change its last day (renewed, withdrawn).

        Raises `InvalidInput` where the days are the wrong way round, and `WrongState` where the
        number is another account's.
        """
        permit(by, Role.SECURITY_ADMIN, Action.SET_CERTIFICATE.title)
        if held.valid_to < held.valid_from:
            raise InvalidInput("有效期止日不得早于起日", field="valid_to")
        async with begun(self._issuer, by, self._origin, held.account) as work:
            before = await _terms(work, held.number)
            if not await accounts.set_certificate(work.connection, held):
                raise WrongState(f"证号 {held.number} 已登记在另一账号名下", field="number")
            after = await _terms(work, held.number)
            if before != after:
                work.changed({held.number: before}, {held.number: after})
            await work.tell(Action.SET_CERTIFICATE)

    async def remove_certificate(self, by: Caller, held: Certificate) -> None:
        """Remove a term entered in error (`valid_to` does not matter)."""
        permit(by, Role.SECURITY_ADMIN, Action.REMOVE_CERTIFICATE.title)
        async with begun(self._issuer, by, self._origin, held.account) as work:
            before = await _terms(work, held.number)
            if str(held.valid_from) not in before:
                raise NotFound("该账号没有这一证件")
            await accounts.remove_certificate(work.connection, held)
            work.changed({held.number: before}, {held.number: await _terms(work, held.number)})
            await work.tell(Action.REMOVE_CERTIFICATE)

    async def policy(self, by: Caller) -> Policy:
        """The rules in force."""
        permit_administrators(by, "查看登录规则")
        async with self._issuer.engine.connect() as connection:
            return await policy.in_force(connection)

    async def overviews(self, by: Caller, after: str, limit: int) -> list[Overview]:
        """The accounts of the caller's bureau in order, from the one behind `after` on."""
        permit_administrators(by, "查看账号")
        now = self._issuer.now()
        return await self._issuer.accounts.overviews(by.bureau, now, after=after, limit=limit)

    async def overview(self, by: Caller, name: str) -> Overview:
        """One account of the caller's bureau."""
        permit_administrators(by, "查看账号")
        found = None
        if is_account(name):
            found = await self._issuer.accounts.overview(name, by.bureau, self._issuer.now())
        if found is None:
            raise NotFound("没有这一账号")
        return found

    async def live_sessions(self, by: Caller, name: str) -> list[LiveSession]:
        """The open sessions of an account."""
        await self.overview(by, name)
        async with self._issuer.engine.connect() as connection:
            limits, now = self._issuer.rules.limits, self._issuer.now()
            return await sessions.live(connection, name, limits, now)


async def _terms(work: Work, number: str) -> dict[str, str]:
    """The last day of each term of a certificate, by its first."""
    held = await accounts.find(work.connection, work.name)
    certificates = () if held is None else held.certificates
    return {str(one.valid_from): str(one.valid_to) for one in certificates if one.number == number}
