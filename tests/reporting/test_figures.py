"""The figures of a year from events alone, each by its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.cases.workflow import PROCEDURES as CASES
from services.complaints.workflow import PROCEDURES as COMPLAINTS
from services.permits.workflow import PROCEDURES as PERMITS
from services.reporting.folds import TYPES
from services.reporting.queries import percent
from shared.events.registry import event_types
from tests.event_history import Story

if TYPE_CHECKING:
    from tests.reporting.conftest import Told

Step = tuple[str, str, dict[str, Any]]


def penalty(cause: str, decided: str, *, minimum: bool = False) -> list[Step]:
    return [
        ("clue-registered", "2023-11-02", {"source": "monitoring"}),
        ("case-filed", "2023-11-09", {"cause": cause, "licensed": False}),
        ("penalty-decided", decided, {"amount": "20000.00", "at_minimum": minimum}),
    ]


def test_reporting_knows_every_published_event_type() -> None:
    published = {type_.name for type_ in event_types((*CASES, *PERMITS, *COMPLAINTS))}
    assert set(TYPES) == published


async def test_penalties_count_once_under_their_cause_on_the_day_of_the_decision(
    told: Told,
) -> None:
    for cause, day in (("air", "2024-01-01"), ("air", "2024-12-31"), ("water", "2025-01-01")):
        await told.tell(Story("cases"), *penalty(cause, day))
    figures = await told.figures(2024)
    assert figures["cases.penalised"] == "2"
    assert figures["cases.penalised.air"] == "2"
    assert figures["cases.penalised.water"] == "0"
    assert (await told.figures(2025))["cases.penalised.water"] == "1"


async def test_the_year_is_that_of_shanghai(told: Told) -> None:
    await told.tell(Story("cases"), *penalty("air", "2023-12-31T16:00:00Z"))
    await told.tell(Story("cases"), *penalty("air", "2024-12-31T16:00:00Z"))
    assert (await told.figures(2024))["cases.penalised"] == "1"


@pytest.mark.parametrize("revocation", ["penalty-revoked", "closed-penalty-revoked"])
async def test_a_revoked_penalty_does_not_count(told: Told, revocation: str) -> None:
    story = Story("cases")
    await told.tell(story, *penalty("air", "2024-03-01", minimum=True))
    figures = await told.figures()
    assert (figures["cases.penalised"], figures["cases.minimum_penalty"]) == ("1", "1")
    await told.tell(story, (revocation, "2025-02-01", {"ground": "judgment"}))
    figures = await told.figures()
    assert (figures["cases.penalised"], figures["cases.minimum_penalty"]) == ("0", "0")


async def test_only_minor_exemptions_count(told: Told) -> None:
    for minor in (True, False):
        story = Story("cases")
        await told.tell(
            story,
            *penalty("air", "2024-03-01")[:2],
            ("penalty-exempted", "2024-03-01", {"minor": minor}),
        )
    assert (await told.figures())["cases.exempted"] == "1"


async def test_seizures_and_transfers_count_cases(told: Told) -> None:
    story = Story("cases")
    await told.tell(
        story,
        *penalty("air", "2024-05-01")[:2],
        ("items-seized", "2024-02-01", {}),
        ("seizure-released", "2024-02-20", {}),
        ("items-seized", "2024-03-01", {}),
        ("transferred-to-police", "2024-03-02", {}),
        ("items-seized", "2025-03-01", {}),
    )
    figures = await told.figures(2024)
    assert figures["cases.seizures"] == "1"
    assert figures["cases.transferred_to_police"] == "1"
    assert (await told.figures(2025))["cases.seizures"] == "1"


async def test_registers_are_what_is_in_force_at_the_years_end(told: Told) -> None:
    claim = {"kind": "penalty"}
    await told.tell(Story("cases"), ("catalogue-item-claimed", "2022-05-01", claim))
    await told.tell(Story("cases"), ("catalogue-item-claimed", "2024-12-31", claim))
    await told.tell(Story("cases"), ("catalogue-item-claimed", "2025-01-01", claim))
    await told.tell(Story("cases"), ("catalogue-item-claimed", "2024-01-01", {"kind": "coercion"}))
    await told.tell(
        Story("cases"),
        ("catalogue-item-claimed", "2023-01-01", claim),
        ("catalogue-item-withdrawn", "2024-06-01", {}),
    )
    await told.tell(
        Story("complaints"),
        ("mediator-appointed", "2023-01-01", {}),
        ("mediator-dismissed", "2025-01-01", {}),
    )
    await told.tell(Story("complaints"), ("cross-event-taken-on", "2020-01-01", {}))
    figures = await told.figures(2024)
    assert figures["cases.catalogue.penalties"] == "2"
    assert figures["cases.catalogue.coercions"] == "1"
    assert figures["complaints.mediators"] == "1"
    assert figures["complaints.cross_events"] == "1"
    assert (await told.figures(2023))["cases.catalogue.penalties"] == "2"
    assert (await told.figures(2025))["complaints.mediators"] == "0"


async def test_permits_count_by_item_and_channel(told: Told) -> None:
    def applied(item: str, channel: str, *steps: str) -> list[Step]:
        received = {"item": item, "kind": "renewal", "channel": channel}
        return [
            ("application-received", "2024-02-01", received),
            *((step, "2024-03-01", {}) for step in steps),
        ]

    for item, channel, *steps in (
        ("eia_report", "online", "application-approved", "application-concluded"),
        ("eia_form", "window", "application-approved"),
        ("eia_form", "online", "application-refused"),
        ("discharge_key", "online", "application-approved", "licence-issued"),
        ("discharge_simplified", "window", "application-approved", "licence-issued"),
        ("radiation", "online", "application-approved", "licence-issued"),
        ("other", "online", "application-withdrawn"),
    ):
        await told.tell(Story("permits"), *applied(item, channel, *steps))
    figures = await told.figures()
    assert figures["permits.eia.approved"] == "2"
    assert figures["permits.discharge.issued"] == "2"
    assert figures["permits.radiation.issued"] == "1"
    assert figures["permits.online.concluded"] == "4"


async def test_limits_are_those_in_force_at_the_years_end(told: Told) -> None:
    def limit(item: str, statutory: int, committed: int) -> dict[str, Any]:
        return {
            "item": item,
            "kind": "new",
            "statutory_days": statutory,
            "committed_days": committed,
        }

    assert (await told.figures())["permits.eia.committed_days"] is None
    await told.tell(Story("permits"), ("limit-set", "2024-01-02", limit("eia_report", 60, 5)))
    await told.tell(
        Story("permits"),
        ("limit-set", "2023-01-02", limit("eia_form", 30, 20)),
        ("limit-changed", "2024-02-02", {"statutory_days": 30, "committed_days": 5}),
        ("limit-changed", "2025-02-02", {"statutory_days": 30, "committed_days": 3}),
    )
    figures = await told.figures()
    assert figures["permits.eia.report.statutory_days"] == "60"
    assert figures["permits.eia.form.statutory_days"] == "30"
    assert figures["permits.eia.committed_days"] == "5"
    assert (await told.figures(2023))["permits.eia.report.statutory_days"] is None


async def test_a_withdrawn_limit_is_in_force_again_once_it_is_changed(told: Told) -> None:
    story = Story("permits")
    days = {"statutory_days": 60, "committed_days": 20}
    await told.tell(
        story,
        ("limit-set", "2022-01-04", {"item": "eia_report", "kind": "new", **days}),
        ("limit-withdrawn", "2023-01-04", {}),
        ("limit-changed", "2024-01-04", days),
    )
    limits = [
        (await told.figures(year))["permits.eia.report.statutory_days"]
        for year in (2021, 2022, 2023, 2024)
    ]
    assert limits == [None, "60", None, "60"]


def complaint(*, contact: bool, accepted: str = "2024-06-01") -> list[Step]:
    registered = {"channel": "12369", "pollution": "noise_social", "contact": contact}
    return [
        ("complaint-registered", "2024-05-30", registered),
        ("complaint-accepted", accepted, {}),
    ]


async def test_rates_are_of_the_complaints_accepted_in_the_year_as_of_now(told: Told) -> None:
    handled: Step = ("complaint-handled", "2025-01-20", {"handled": True})
    replied: Step = ("complaint-replied", "2025-01-21", {"replied": True})
    assert (await told.figures())["complaints.handled_rate"] is None
    await told.tell(Story("complaints"), *complaint(contact=True), handled, replied)
    await told.tell(Story("complaints"), *complaint(contact=True), handled)
    await told.tell(Story("complaints"), *complaint(contact=False), handled)
    await told.tell(Story("complaints"), *complaint(contact=True, accepted="2025-01-02"))
    figures = await told.figures(2024)
    assert figures["complaints.accepted"] == "3"
    assert figures["complaints.handled_rate"] == "100"
    assert figures["complaints.replied_rate"] == "50"
    assert (await told.figures(2025))["complaints.handled_rate"] == "0"


async def test_a_reopened_complaint_counts_again_once_it_is_done_again(told: Told) -> None:
    story = Story("complaints")
    done: list[Step] = [
        ("complaint-handled", "2024-06-20", {"handled": True}),
        ("complaint-replied", "2024-06-21", {"replied": True}),
    ]
    await told.tell(story, *complaint(contact=True), *done)
    await told.tell(story, ("complaint-reopened", "2024-07-01", {}))
    figures = await told.figures()
    rates = (figures["complaints.handled_rate"], figures["complaints.replied_rate"])
    assert rates == ("0", "0")
    await told.tell(story, *done)
    figures = await told.figures()
    rates = (figures["complaints.handled_rate"], figures["complaints.replied_rate"])
    assert rates == ("100", "100")


def correction(target: str, changes: dict[str, Any], occurrence: int = 0) -> dict[str, Any]:
    return {"target": target, "occurrence": occurrence, "changes": changes}


async def test_corrections_change_the_figures(told: Told) -> None:
    story = Story("cases")
    await told.tell(story, *penalty("air", "2024-03-01", minimum=True))
    await told.tell(
        story,
        ("case-correction-proposed", "2024-04-01", {}),
        ("case-corrected", "2024-04-02", correction("file", {"cause": "water", "base": "1.00"})),
        ("case-corrected", "2024-04-03", correction("decide", {"at_minimum": False})),
    )
    figures = await told.figures()
    assert figures["cases.penalised"] == "1"
    assert (figures["cases.penalised.air"], figures["cases.penalised.water"]) == ("0", "1")
    assert figures["cases.minimum_penalty"] == "0"

    await told.tell(
        story,
        ("case-corrected", "2024-04-04", correction("decide", {"occurred_at": "2023-12-29"})),
        ("case-corrected", "2024-04-05", correction("conclude-investigation", {"x": 1}, 9)),
    )
    assert (await told.figures())["cases.penalised"] == "0"
    assert (await told.figures(2023))["cases.penalised.water"] == "1"
    assert await told.parked() == []


@pytest.mark.parametrize(
    "name, data",
    [
        ("case-filed", {}),
        ("case-filed", {"cause": 7}),
        ("case-closed", ["closed"]),
        ("case-corrected", {"target": "register"}),
        ("case-corrected", {"target": "register", "occurrence": 5, "changes": {"source": "x"}}),
        ("case-corrected", {"target": "register", "occurrence": 0, "changes": {"source": 3}}),
        (
            "case-corrected",
            {"target": "register", "occurrence": 0, "changes": {"occurred_at": "x"}},
        ),
        ("penalty-decided", {"amount": "many", "at_minimum": True}),
        ("case-adjourned", {}),
    ],
)
async def test_an_event_without_what_its_type_has_is_parked(
    told: Told, name: str, data: Any
) -> None:
    story, other = Story("cases"), Story("cases")
    await told.tell(story, ("clue-registered", "2024-01-02", {"source": "web"}))
    await told.tell(story, (name, "2024-01-03", data))
    await told.tell(other, *penalty("air", "2024-03-01"))
    assert len(await told.parked()) == 1
    assert (await told.figures())["cases.penalised"] == "1"


async def test_another_bureaus_figures_are_its_own(told: Told) -> None:
    await told.tell(Story("cases", bureau="500101"), *penalty("air", "2024-03-01"))
    assert (await told.figures())["cases.penalised"] == "0"
    assert (await told.figures(bureau="500101"))["cases.penalised"] == "1"


@pytest.mark.parametrize(
    "of, all_, said",
    [(1, 3, "33.33"), (2, 3, "66.67"), (1, 1, "100"), (1, 8, "12.5"), (0, 5, "0"), (0, 0, None)],
)
def test_a_rate_is_rounded_half_up_without_trailing_zeros(of: int, all_: int, said: str) -> None:
    assert percent(of, all_) == said
