"""What a password must be (GB/T 22239-2019 8.1.4.1 a: 复杂度要求并定期更换).

The standard leaves length and age to the operator; ten characters of three kinds and ninety days
are what assessments of level three look for.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from zxcvbn import zxcvbn

SHORTEST: Final = 10
KINDS: Final = 3
REMEMBERED: Final = 5
"""A new password is none of the last five, the current one included."""

ONE_TIME_FOR: Final = timedelta(hours=72)
"""How long a one-time password can be exchanged for one's own."""

_HARD_TO_GUESS = 3  # zxcvbn's scale: more than 10^8 guesses
_ANALYSED = 72  # characters; what follows can only make a password harder to guess
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def weakness(password: str, account: str) -> str | None:
    """Why `password` may not protect `account`, in Chinese; None if it may."""
    if len(password) < SHORTEST:
        return f"密码至少 {SHORTEST} 个字符"
    if _kinds(password) < KINDS:
        return "密码须含大写字母、小写字母、数字、其他符号中的至少三类"
    if account.lower() in password.lower():
        return "密码不得包含账号"
    guessed = zxcvbn(password[:_ANALYSED], user_inputs=[account, "ecocase", "huanbao"])
    if guessed["score"] < _HARD_TO_GUESS:
        return "密码过于常见或者容易猜到"
    return None


def expired(set_at: datetime | None, age: timedelta, now: datetime) -> bool:
    """Whether a password has reached its greatest age."""
    return set_at is not None and now - set_at >= age


def one_time_password() -> str:
    """A random password to be changed at once: 79 bits, no characters that look alike."""
    return f"{one_time_part()}-{one_time_part()}"


def one_time_part() -> str:
    """One of the two parts of such a password; who has one cannot guess the other (39 bits)."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(2))


def _kinds(password: str) -> int:
    return len(
        {
            "upper"
            if one.isascii() and one.isupper()
            else "lower"
            if one.isascii() and one.islower()
            else "digit"
            if one.isdigit()
            else "other"
            for one in password
        }
    )
