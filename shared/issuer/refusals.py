"""What a sign-in may be told besides that it is refused: what has to be done first."""

from shared.http.problem import Problem, Unauthenticated


class SecondFactorRequired(Unauthenticated):
    """The password is right, the code of the second factor is missing."""

    slug = "second-factor-required"
    title = "请输入动态口令"


class PasswordChangeRequired(Problem):
    """The password is for one use, or too old: nothing but changing it is possible."""

    status = 403
    slug = "password-change-required"
    title = "须先修改密码"


class SecondFactorEnrolmentRequired(Problem):
    """A role of the account needs a second factor, and none is enrolled."""

    status = 403
    slug = "second-factor-enrolment-required"
    title = "须先启用动态口令"
