"""What a sign-in may be told besides that account or password is wrong, each with its outcome."""

from typing import ClassVar

from shared.http.problem import Problem, RoleForbidden, TooManyRequests, Unauthenticated
from shared.issuer.witness import Outcome


class HeldOff(Problem):
    """Refused for another reason than a wrong proof; `outcome` is how the attempt is on record."""

    outcome: ClassVar[Outcome]


class AccountLocked(TooManyRequests, HeldOff):
    """The account has failed too often."""

    outcome = Outcome.LOCKED


class AddressSlowed(TooManyRequests, HeldOff):
    """The network that asks has failed too often."""

    outcome = Outcome.SLOWED


class SecondFactorRequired(Unauthenticated, HeldOff):
    """The password is right, the code of the second factor is missing."""

    outcome = Outcome.CODE_MISSING
    slug = "second-factor-required"
    title = "请输入动态口令"


class PasswordChangeRequired(HeldOff):
    """The password is for one use, or too old: nothing but changing it is possible."""

    outcome = Outcome.PASSWORD_DUE
    status = 403
    slug = "password-change-required"
    title = "须先修改密码"


class OneTimePasswordExpired(HeldOff):
    """The password was for one use, and was not used in time."""

    outcome = Outcome.PASSWORD_OVER
    status = 403
    slug = "one-time-password-expired"
    title = "一次性密码已过期"


class SecondFactorEnrolmentRequired(HeldOff):
    """A role of the account needs a second factor, and none is enrolled."""

    outcome = Outcome.ENROLMENT_DUE
    status = 403
    slug = "second-factor-enrolment-required"
    title = "须先启用动态口令"


class NoRole(RoleForbidden, HeldOff):
    """The account has been granted no role yet."""

    outcome = Outcome.NO_ROLE
